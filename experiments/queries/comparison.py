"""Everything that a comparison of runs shows, in a number of statements that does not depend on how many they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from accounts.access import can, not_found
from accounts.models import Project
from artifacts.models import ArtifactFile
from experiments.models import MetricSeries, Param, Run, RunInput, RunTag
from experiments.models.runs import RunRow
from experiments.queries.overview import agreed_directions
from experiments.refs import readable_id_in, uid_in
from experiments.values import Lifecycle
from kernel.actor import Actor
from kernel.errors import Invalid

COMPARED_MAX = 100
FILES_MAX = 20_000
DOWNLOAD = "experiments.download"


@dataclass(frozen=True, slots=True)
class Compared:
    """Runs in the order asked for, with what they hold by run (primary key)."""

    runs: list[Run]
    params: Mapping[str, Mapping[int, str]]
    series: Mapping[str, Mapping[int, MetricSeries]]
    tags: Mapping[int, Mapping[str, str]]
    inputs: Mapping[int, Sequence[RunInput]]
    directions: Mapping[str, bool]


def runs_named(viewer: Actor, refs: Sequence[str]) -> list[Run]:
    """The runs by readable id or 32 hex digits, in this order, each once. Raises Invalid, NotFound for the first gone.

    What the viewer may not see is answered like what is not there.
    """
    runs, gone = runs_seen(viewer, refs)
    if gone:
        raise not_found(Run, gone[0][:80])
    return runs


def runs_seen(viewer: Actor, refs: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The runs by readable id or 32 hex digits, in this order, each once; and the names that led to none.

    What the viewer may not see is among these, like what is not there. Raises Invalid for too many.
    """
    wanted = list(dict.fromkeys(ref.strip() for ref in refs if ref.strip()))
    if len(wanted) > COMPARED_MAX:
        raise Invalid(
            f"At most {COMPARED_MAX} runs can be compared at once; these are {len(wanted):,}.",
            hint="Choose fewer, or group them in the run table.",
            field="runs",
        )
    named = {ref: condition for ref in wanted if (condition := _condition(ref)) is not None}
    rows = Run.objects.visible_to(viewer).select_related("project", "experiment", "created_by", "artifact_root")
    found = list(rows.filter(reduce(or_, named.values()))) if named else []
    by_ref = {run.uid.hex: run for run in found} | {run.readable_id: run for run in found}
    runs: dict[int, Run] = {}
    gone = []
    for ref in wanted:
        run = by_ref.get(ref.upper()) or by_ref.get(ref.lower().replace("-", ""))
        if run is None:
            gone.append(ref)
        else:
            runs.setdefault(run.pk, run)
    return list(runs.values()), gone


def runs_like(
    viewer: Actor, text: str, *, project: Project | None = None, without: Sequence[int] = (), limit: int = 8
) -> list[Run]:
    """Active runs with this text in their name, or that it is the id of, newest first. without: primary keys."""
    rows = Run.objects.visible_to(viewer).filter(lifecycle=Lifecycle.ACTIVE).exclude(pk__in=without)
    if project is not None:
        rows = rows.filter(project=project)
    if text:
        by_id = _condition(text)
        named = Q(name__icontains=text)
        rows = rows.filter(named if by_id is None else named | by_id)
    return list(rows.select_related("project", "experiment").order_by("-pk")[:limit])


def _condition(ref: str) -> Q | None:
    said = readable_id_in(ref)
    if said:
        return Q(project__key=said[0], number=said[1])
    uid = uid_in(ref)
    return Q(uid=uid) if uid else None


def compared(viewer: Actor, runs: Sequence[Run]) -> Compared:
    """What these runs hold: five statements for any number of them."""
    keys = [run.pk for run in runs]
    params: dict[str, dict[int, str]] = {}
    for run, key, value in _of(Param, viewer, keys).order_by("key").values_list("run_id", "key", "value"):
        params.setdefault(key, {})[run] = value
    series: dict[str, dict[int, MetricSeries]] = {}
    for one in _of(MetricSeries, viewer, keys).filter(context="").order_by("key"):
        series.setdefault(one.key, {})[one.run_id] = one
    tags: dict[int, dict[str, str]] = {}
    for run, key, value in _of(RunTag, viewer, keys).order_by("key").values_list("run_id", "key", "value"):
        tags.setdefault(run, {})[key] = value
    inputs: dict[int, list[RunInput]] = {}
    for given in _of(RunInput, viewer, keys).select_related("dataset_version__dataset").order_by("context", "pk"):
        inputs.setdefault(given.run_id, []).append(given)
    return Compared(list(runs), params, series, tags, inputs, agreed_directions(viewer, {run.project for run in runs}))


def files_of_runs(viewer: Actor, runs: Sequence[Run], endings: Sequence[str]) -> dict[int, list[ArtifactFile]]:
    """Files of these runs that end so, by path, by run (primary key): one statement for any number of runs.

    Runs whose files the viewer may not download have none; at most FILES_MAX are read.
    """
    roots = {run.artifact_root_id: run.pk for run in runs if run.artifact_root_id and can(viewer, DOWNLOAD, run)}
    ending = reduce(or_, (Q(path__iendswith=one) for one in endings))
    rows = ArtifactFile.objects.filter(ending, root__in=list(roots)).select_related("root").order_by("path")
    found: dict[int, list[ArtifactFile]] = {}
    for file in rows[:FILES_MAX]:
        found.setdefault(roots[file.root_id], []).append(file)
    return found


def _of(model: type[RunRow | RunInput], viewer: Actor, runs: list[int]) -> "QuerySet[Any]":
    found: QuerySet[Any] = model.objects.visible_to(viewer).filter(run__in=runs)
    return found
