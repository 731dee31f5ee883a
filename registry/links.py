"""The models of runs, for runs that were read for the viewer."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet

from experiments.queries.prepared import Prepared
from registry.models import RunModel


class RunLinks(NamedTuple):
    """The models of a run: ids that went in, and (id, step) that came out."""

    inputs: list[str]
    outputs: list[tuple[str, int]]


NO_LINKS: Final = RunLinks([], [])


def _links() -> "QuerySet[RunModel, Any]":
    rows = RunModel.objects.filter(model__is_deleted=False).order_by("id")
    return rows.values_list("run_id", "way", "model__model_id", "step")  # type: ignore[no-any-return]


_of_one = Prepared(lambda run_id: _links().filter(run_id=run_id), int)


def links_of_run(run_id: int) -> RunLinks:
    """The models of one run by its key."""
    return _gathered(_of_one(run_id)).get(run_id, NO_LINKS)


def links_of_runs(run_ids: Sequence[int]) -> dict[int, RunLinks]:
    """The models of several runs by the run's key, in one query; runs without any are left out."""
    return _gathered(_links().filter(run__in=run_ids)) if run_ids else {}


def _gathered(rows: Iterable[Any]) -> dict[int, RunLinks]:
    links: dict[int, RunLinks] = {}
    for run_id, way, model_id, step in rows:
        found = links.setdefault(run_id, RunLinks([], []))
        if way == RunModel.Way.INPUT:
            found.inputs.append(model_id)
        else:
            found.outputs.append((model_id, step))
    return links
