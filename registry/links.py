"""The models of runs, for runs that were read for the viewer."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, Unpack

from django.db.models import QuerySet

from experiments.queries.prepared import Prepared
from experiments.queries.search import Asked, search_records
from experiments.search.databases import Sql, fetch, this_database
from experiments.search.records import RunRecord
from experiments.search.rows import Input, load_inputs_and
from experiments.search.statement import Page
from kernel.actor import Actor
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


_HAS_LINKS: Final = "EXISTS (SELECT 1 FROM registry_runmodel l WHERE l.run_id = r.id)"


def links_of_run(run_id: int) -> RunLinks:
    """The models of one run by its key."""
    return _gathered(_of_one(run_id)).get(run_id, NO_LINKS)


def links_of_runs(run_ids: Sequence[int]) -> dict[int, RunLinks]:
    """The models of several runs by the run's key, in one query; runs without any are left out."""
    if not run_ids:
        return {}
    inside = this_database().among("l.run_id", run_ids)
    return _gathered(fetch(Sql(_OF_MANY.format(inside=inside.text), inside.params)))


def search_records_and_links(
    viewer: Actor, **asked: Unpack[Asked]
) -> tuple[Page[RunRecord], dict[int, list[Input]], dict[int, RunLinks]]:
    """A page of `search_records`, with the inputs and the models of its runs by the run's key. A statement for each of
    the two (one round trip on PostgreSQL) where some run has either."""
    page = search_records(viewer, holding=_HAS_LINKS, **asked)
    inputs, rows = load_inputs_and([one.id for one in page.rows if one.has_more], (_OF_MANY, "l.run_id"))
    return page, inputs, _gathered(rows)


def _gathered(rows: Iterable[Any]) -> dict[int, RunLinks]:
    links: dict[int, RunLinks] = {}
    for run_id, way, model_id, step in rows:
        found = links.setdefault(run_id, RunLinks([], []))
        if way == RunModel.Way.INPUT:
            found.inputs.append(model_id)
        else:
            found.outputs.append((model_id, step))
    return links
