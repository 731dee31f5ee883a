"""Emptying a run for good, as part of an act of a room above that has decided so and leaves a mark."""

from typing import Any

from django.db import models
from django.db.models import Sum

from artifacts import trees
from artifacts.models import ArtifactFile
from artifacts.storage.base import BlobDamaged
from audit.ledger.acting import current_act
from experiments import hooks
from experiments.actions.archives import forget_archive
from experiments.actions.runs import TAG_KIND
from experiments.metrics.seal import seal_of
from experiments.models import Comment, MetricSegment, MetricSeries, Param, Run, RunInput, RunTag, SheetRow, Star
from experiments.values import Lifecycle
from kernel.clock import now
from kernel.digests import canonical_json, sha256_hex

PARAM_KIND, INPUT_KIND = "experiments.param", "experiments.runinput"


def facts_digest(run: Run) -> str:
    """SHA-256 over the run's columns and its seal as it is now: all of its params, tags, points and files.

    Where its archived points cannot be read any more, their digest stands for them: what is lost can be purged too.
    """
    fields = {name: str(value) for name, value in run.ledger_fields().items()}
    return sha256_hex(canonical_json({"columns": fields, "seal": _seal_or_archive(run), "inputs": _inputs(run)}))


def _seal_or_archive(run: Run) -> str:
    try:
        return seal_of(run)
    except BlobDamaged:
        return f"unreadable sha256:{run.metric_archive.blob_id}, sealed as {run.seal}"


def empty_run(run: Run) -> dict[str, int]:
    """Part of an act: remove all that is in a run that is held, and give how much that was.

    The act records which keys went, not what they held: that would keep it. Blobs that nothing names any more are
    collected later.
    """
    removed = _counts(run)
    _empty(PARAM_KIND, run, Param)
    _empty(TAG_KIND, run, RunTag)
    inputs = _inputs(run)
    if inputs:
        RunInput.objects.filter(run=run).delete()
        current_act().record(INPUT_KIND, run.ledger_id, "set", dict.fromkeys(inputs, (None, None)))
    forget_archive(run)
    MetricSegment.objects.filter(series__run=run).delete()
    MetricSeries.objects.filter(run=run).delete()
    if run.artifact_root is not None:
        trees.remove(run.artifact_root, "")
    for said in (Comment, Star):
        _take_away(said, run)
    for also in hooks.run_emptied:
        also(run)
    SheetRow.objects.filter(run_uid=run.uid).update(cells=[], problems=[])
    run.lifecycle, run.deleted_at = Lifecycle.DELETED, run.deleted_at or now()
    if run.sealed_at is not None:
        run.seal = seal_of(run)
    run.save()
    return removed


def _counts(run: Run) -> dict[str, int]:
    files = ArtifactFile.objects.filter(root__isnull=False, root=run.artifact_root_id)
    points = MetricSegment.objects.filter(series__run=run).aggregate(total=Sum("count"))["total"]
    return {
        "params": Param.objects.filter(run=run).count(),
        "tags": RunTag.objects.filter(run=run).count(),
        "inputs": RunInput.objects.filter(run=run).count(),
        "metrics": MetricSeries.objects.filter(run=run).count(),
        "points": int(points or 0),
        "files": files.count(),
        "bytes": int(files.aggregate(total=Sum("size_bytes"))["total"] or 0),
        "comments": Comment.objects.filter(run=run).count(),
        "stars": Star.objects.filter(run=run).count(),
    }


def _inputs(run: Run) -> list[str]:
    versions = RunInput.objects.filter(run=run).order_by("dataset_version_id")
    return [version.hex for version in versions.values_list("dataset_version_id", flat=True)]


def _empty(kind: str, run: Run, table: type[Param] | type[RunTag]) -> None:
    rows = table.objects.filter(run=run)
    keys = list(rows.order_by("key").values_list("key", flat=True))
    if keys:
        rows.delete()
        current_act().record(kind, run.ledger_id, "set", dict.fromkeys(keys, (None, None)))


def _take_away(table: type[Comment] | type[Star], run: Run) -> None:
    """Rows and what simple-history keeps of them; recorded without what they held."""
    act, past = current_act(), table.history  # type: ignore[attr-defined]  # simple-history's manager
    for row in table.objects.filter(run=run):
        act.record(row._meta.label_lower, row.ledger_id, "delete", {})
    rows: models.QuerySet[Any] = models.QuerySet(table).filter(run=run)
    rows.delete()
    past.filter(run_id=run.pk).delete()
