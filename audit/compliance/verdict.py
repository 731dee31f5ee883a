"""The record of a run as a verdict signs it: canonical, complete, and made anew from what is stored to compare.

Names that may change without changing the thing are left out; ids stand for them.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from artifacts.models import ArtifactFile
from audit.compliance.models import Review
from audit.ledger.values import plain
from experiments.metrics.seal import seal_of
from experiments.models import MetricSeries, Param, Run, RunInput, RunTag
from kernel.digests import canonical_json, sha256_hex
from registry.models import LoggedModel

FORM = "mled-verdict-1"


def record_of(review: Review, *, facts: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the verdict speaks of. The same values as when it was signed, unless something changed.

    facts: of the run (facts_of), where they were read already.
    """
    assessment = review.assessment
    return {
        "form": FORM,
        "review": review.pk,
        "round": review.number,
        "verdict": review.state,
        "reason": review.reason,
        "submitted": {"by": review.submitted_by_id, "at": review.submitted_at, "comment": review.comment},
        "rules": {
            "profile": assessment.profile if assessment else None,
            "digest": assessment.profile_digest if assessment else None,
            "results": assessment.digest if assessment else None,
        },
        "run": facts if facts is not None else facts_of(Run.objects.get(pk=review.run_id)),
    }


def is_as_signed(review: Review) -> bool:
    """Whether the run is what the verdict was signed over. A seal that was made since would say nothing of that."""
    if review.signature is None:
        return False
    signed: dict[str, Any] = orjson.loads(review.signature.record)
    return bool(signed["run"] == plain(facts_of(Run.objects.get(pk=review.run_id))))


def digest_of_facts(run: Run, *, facts: Mapping[str, Any] | None = None) -> str:
    """SHA-256 over everything in a run that a verdict rests on: another one where anything of it changed."""
    return sha256_hex(canonical_json(plain(facts if facts is not None else facts_of(run))))


def facts_of(run: Run) -> dict[str, Any]:
    """Everything in a run that a verdict rests on; the seal covers every point of its metrics."""
    return {
        "id": run.uid.hex,
        "project": run.project_id,
        "created_by": run.created_by_id,
        "status": run.status,
        "started_ms": run.started_ms,
        "ended_ms": run.ended_ms,
        "git_commit": run.git_commit,
        "seal": seal_of(run),
        "params": dict(Param.objects.filter(run=run).values_list("key", "value")),
        "tags": dict(RunTag.objects.filter(run=run).values_list("key", "value")),
        "metrics": _metrics(run),
        "datasets": _datasets(run),
        "files": _files(run),
    }


def _metrics(run: Run) -> dict[str, Any]:
    rows = MetricSeries.objects.filter(run=run).exclude(key__startswith="system/").order_by("key", "context")
    return {
        f"{one.key} {one.context}".strip(): {
            "value": "NaN" if one.last_is_nan else one.last_value,
            "step": one.last_step,
        }
        for one in rows
    }


def _datasets(run: Run) -> dict[str, Any]:
    rows = RunInput.objects.filter(run=run).select_related("dataset_version__dataset")
    return {
        f"{given.dataset_version.dataset.name} v{given.dataset_version.number}": {
            "version": given.dataset_version.ledger_id,
            "digest": given.dataset_version.digest,
            "context": given.context,
        }
        for given in rows
    }


def _files(run: Run) -> dict[str, Any]:
    models = LoggedModel.objects.filter(source_run=run, is_deleted=False)
    roots = [run.artifact_root_id, *models.values_list("artifact_root_id", flat=True)]
    rows = ArtifactFile.objects.filter(root__in=[root for root in roots if root]).select_related("root")
    return {
        f"{'' if file.root.kind == 'run' else file.root.owner_uid + '/'}{file.path}": {
            "sha256": file.blob_id,
            "size_bytes": file.size_bytes,
        }
        for file in rows
    }
