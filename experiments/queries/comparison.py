"""Everything that a comparison of runs shows, in a number of statements that does not depend on how many they are."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from accounts.access import not_found
from accounts.models import Project
from experiments.models import MetricDirection, MetricSeries, Param, Run, RunInput, RunTag
from kernel.actor import Actor
from kernel.errors import Invalid

COMPARED_MAX = 100
_READABLE = re.compile(r"^([A-Z][A-Z0-9]{1,9})-(\d{1,18})$")


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
    wanted = list(dict.fromkeys(ref.strip() for ref in refs if ref.strip()))
    if len(wanted) > COMPARED_MAX:
        raise Invalid(
            f"At most {COMPARED_MAX} runs can be compared at once; these are {len(wanted):,}.",
            hint="Choose fewer, or group them in the run table.",
            field="runs",
        )
    named = {ref: condition for ref in wanted if (condition := _condition(ref)) is not None}
    rows = Run.objects.visible_to(viewer).select_related("project", "experiment", "created_by")
    found = list(rows.filter(_any(list(named.values())))) if named else []
    by_ref = {run.uid.hex: run for run in found} | {run.readable_id: run for run in found}
    runs = []
    for ref in wanted:
        run = by_ref.get(ref.upper()) or by_ref.get(ref.lower().replace("-", ""))
        if run is None:
            raise not_found(Run, ref[:80])
        runs.append(run)
    return list({run.pk: run for run in runs}.values())


def _condition(ref: str) -> Q | None:
    readable = _READABLE.match(ref.upper())
    if readable:
        return Q(project__key=readable[1], number=int(readable[2]))
    try:
        return Q(uid=uuid.UUID(ref)) if len(ref) in (32, 36) else None
    except ValueError:
        return None


def _any(conditions: Sequence[Q]) -> Q:
    either = conditions[0]
    for condition in conditions[1:]:
        either |= condition
    return either


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
    return Compared(list(runs), params, series, tags, inputs, _directions(viewer, {run.project for run in runs}))


def _of(model: type[Param] | type[MetricSeries] | type[RunTag] | type[RunInput], viewer: Actor, runs: list[int]):  # type: ignore[no-untyped-def]
    return model.objects.visible_to(viewer).filter(run__in=runs)


def _directions(viewer: Actor, projects: set[Project]) -> dict[str, bool]:
    """Which way each metric is better, where the projects that say so agree."""
    rows = MetricDirection.objects.visible_to(viewer).filter(project__in=projects)
    said: dict[str, set[bool]] = {}
    for key, higher in rows.values_list("key", "higher_is_better"):
        said.setdefault(key, set()).add(higher)
    return {key: ways.pop() for key, ways in said.items() if len(ways) == 1}
