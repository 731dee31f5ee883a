"""The models of runs, for runs that were read for the viewer."""

from collections.abc import Sequence
from typing import NamedTuple

from registry.models import RunModel


class RunLinks(NamedTuple):
    """The models of a run: ids that went in, and (id, step) that came out."""

    inputs: list[str]
    outputs: list[tuple[str, int]]


def links_of_runs(run_ids: Sequence[int]) -> dict[int, RunLinks]:
    """The models of several runs by the run's key, in one query; runs without any are left out."""
    links: dict[int, RunLinks] = {}
    rows = RunModel.objects.filter(run__in=run_ids, model__is_deleted=False).order_by("id")
    for run_id, way, model_id, step in rows.values_list("run_id", "way", "model__model_id", "step"):
        found = links.setdefault(run_id, RunLinks([], []))
        if way == RunModel.Way.INPUT:
            found.inputs.append(model_id)
        else:
            found.outputs.append((model_id, step))
    return links
