"""The record of a promotion as it is signed: canonical, complete, and made anew from what is stored to compare.

Names that may change without changing the thing (of people, models, projects) are left out; ids stand for them.
"""

from collections.abc import Iterable
from typing import Any

from artifacts.models import DatasetVersion
from experiments.models import MetricSeries, RunInput
from kernel.actor import system
from registry.models import LoggedModel, ModelMetric, ModelVersion, ModelVersionTag, PromotionRequest
from registry.promoting.makers import source_runs
from registry.queries.version_files import files_of_version
from registry.sources import PROMPT_CONTENT

FORM = "mled-promotion-1"


def record_of(request: PromotionRequest) -> dict[str, Any]:
    """What the decision speaks of. The same values as when it was signed, unless something changed."""
    return {
        "form": FORM,
        "request": request.pk,
        "decision": request.state,
        "comment": request.decision_comment,
        "asked": {"by": request.created_by_id, "at": request.created_at, "comment": request.comment},
        "move": {
            "model": request.model.ledger_id,
            "project": request.model.project_id,
            "kind": request.kind,
            "target": request.target,
            "from": request.from_version.number if request.from_version else None,
            "to": request.version.number,
        },
        "version": version_facts(request.version),
        "gates": {gate["key"]: {"outcome": gate["outcome"], "words": gate["words"]} for gate in request.gates},
    }


def version_facts(version: ModelVersion) -> dict[str, Any]:
    """A version with everything that it is made of: files, data, metrics, the runs behind it."""
    runs = source_runs(version)
    return {
        "id": version.ledger_id,
        "source": version.source,
        "logged_model": version.logged_model.model_id if version.logged_model else None,
        "runs": {run.uid.hex: {"status": run.status, "git_commit": run.git_commit} for run in runs},
        "files": {
            file.path: {"sha256": file.digest, "size_bytes": file.size_bytes}
            for file in files_of_version(system(), version)
        },
        "prompt": dict(
            ModelVersionTag.objects.filter(version=version, key__in=PROMPT_CONTENT).values_list("key", "value")
        ),
        "datasets": _datasets(inputs_of_version(version)),
        "metrics": {
            "runs": _run_metrics([run.pk for run in runs]),
            "model": _model_metrics(version.logged_model) if version.logged_model else {},
        },
    }


def inputs_of_version(version: ModelVersion) -> list[RunInput]:
    """The datasets that went into the runs behind a version, by name."""
    rows = RunInput.objects.filter(run__in=[run.pk for run in source_runs(version)])
    ready = rows.select_related("dataset_version__dataset__project", "dataset_version__record")
    return list(ready.order_by("dataset_version__dataset__name", "dataset_version__number", "run_id"))


def named(version: DatasetVersion) -> str:
    """A dataset version as people say it."""
    return f"{version.dataset.name} v{version.number}"


def _datasets(inputs: Iterable[RunInput]) -> dict[str, Any]:
    return {
        f"{named(given.dataset_version)} ({given.context or 'no context'})": {
            "version": given.dataset_version.ledger_id,
            "digest": given.dataset_version.digest,
        }
        for given in inputs
    }


def _run_metrics(run_ids: list[int]) -> dict[str, Any]:
    """The last value of each metric of these runs; what the machine measured of itself is left out."""
    rows = MetricSeries.objects.filter(run__in=run_ids).exclude(key__startswith="system/").order_by("run_id", "key")
    return {
        f"{series.key} {series.context}".strip(): {
            "value": "NaN" if series.last_is_nan else series.last_value,
            "step": series.last_step,
        }
        for series in rows
    }


def _model_metrics(model: LoggedModel) -> dict[str, Any]:
    rows = ModelMetric.objects.filter(model=model).order_by("key", "dataset_name", "dataset_digest", "at_ms", "step")
    return {
        f"{row.key} {row.dataset_name} {row.dataset_digest}".strip(): {
            "value": "NaN" if row.is_nan else row.value,
            "step": row.step,
        }
        for row in rows
    }
