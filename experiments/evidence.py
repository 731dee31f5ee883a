"""How verify_ledger reads the rows of this room that actions record."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from audit.ledger.evidence import Row, register_check, register_evidence
from experiments.actions.archives import recorded
from experiments.models import ExperimentTag, MetricArchive, Param, RunInput, RunTag
from experiments.queries.derived import wrong_derived_columns
from experiments.queries.seals import broken_seals


def register() -> None:
    """Tell the ledger. Called once, when the app is ready."""
    register_evidence("experiments.param", lambda: _keys_and_values(Param))
    register_evidence("experiments.runtag", lambda: _keys_and_values(RunTag))
    register_evidence("experiments.experimenttag", read_experiment_tags)
    register_evidence("experiments.runinput", read_inputs)
    register_evidence("experiments.metricarchive", read_archives)
    register_check("seals of runs", broken_seals)
    register_check("copies and summaries", wrong_derived_columns)


def _keys_and_values(model: type[Param] | type[RunTag]) -> Iterator[Row]:
    rows = model.objects.order_by("run_id").values_list("run__uid", "key", "value")
    return ((uid.hex, values) for uid, values in grouped(rows.iterator(chunk_size=5000)))


def read_experiment_tags() -> Iterator[Row]:
    """Each experiment's tags."""
    rows = ExperimentTag.objects.order_by("experiment_id").values_list("experiment_id", "key", "value")
    return ((str(experiment_id), values) for experiment_id, values in grouped(rows.iterator(chunk_size=5000)))


def read_inputs() -> Iterator[Row]:
    """Each run's inputs by dataset version."""
    rows = RunInput.objects.order_by("run_id").values_list("run__uid", "dataset_version_id", "context", "tags")
    told = ((uid, version.hex, {"context": context, "tags": tags}) for uid, version, context, tags in rows.iterator())
    return ((uid.hex, values) for uid, values in grouped(told))


def read_archives() -> Iterator[Row]:
    """Each run's archive of its points."""
    for archive in MetricArchive.objects.order_by("pk").select_related("run").iterator(chunk_size=500):
        yield archive.run.ledger_id, recorded(archive)


def grouped(rows: Iterator[tuple[Any, str, Any]]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Rows of (owner, key, value) that lie together by owner, as one dictionary for each owner."""
    for owner, group in groupby(rows, key=itemgetter(0)):
        yield owner, {key: value for _, key, value in group}
