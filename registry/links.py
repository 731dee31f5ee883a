"""The models of runs, for runs that were read for the viewer."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet

from experiments.queries.prepared import Prepared
from experiments.search.databases import Sql, fetch, this_database
from experiments.search.rows import RunData, load_run_data_and
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


_OF_MANY = """
    SELECT l.run_id, l.way, m.model_id, l.step FROM registry_runmodel l
    JOIN registry_loggedmodel m ON m.id = l.model_id
    WHERE {inside} AND NOT m.is_deleted ORDER BY l.id
"""


def links_of_run(run_id: int) -> RunLinks:
    """The models of one run by its key."""
    return _gathered(_of_one(run_id)).get(run_id, NO_LINKS)


def links_of_runs(run_ids: Sequence[int]) -> dict[int, RunLinks]:
    """The models of several runs by the run's key, in one query; runs without any are left out."""
    if not run_ids:
        return {}
    inside = this_database().among("l.run_id", run_ids)
    return _gathered(fetch(Sql(_OF_MANY.format(inside=inside.text), inside.params)))


def load_data_and_links(run_ids: Sequence[int]) -> tuple[dict[int, RunData], dict[int, RunLinks]]:
    """What runs hold (`load_run_data`) and their models (`links_of_runs`), on PostgreSQL in one round trip."""
    data, [rows] = load_run_data_and(run_ids, (_OF_MANY, "l.run_id"))
    return data, _gathered(rows)


def _gathered(rows: Iterable[Any]) -> dict[int, RunLinks]:
    links: dict[int, RunLinks] = {}
    for run_id, way, model_id, step in rows:
        found = links.setdefault(run_id, RunLinks([], []))
        if way == RunModel.Way.INPUT:
            found.inputs.append(model_id)
        else:
            found.outputs.append((model_id, step))
    return links
