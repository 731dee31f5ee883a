"""Runs that do another one again: they say so by a tag, and their figures are laid beside its."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Left

from experiments.compare.reproduction import SYSTEM_PREFIX, Compared, Verdict, compared, last_value, verdict_of
from experiments.compare.tolerance import Allowed, Kind, Tolerance, allowed
from experiments.hooks import KeptCheck, kept_checks_of, tolerances_of
from experiments.models import Experiment, ExperimentTag, MetricSeries, Run, RunTag
from experiments.queries.seeds import values_by_seed
from experiments.refs import uid_in
from experiments.values import Lifecycle
from kernel.actor import Actor

REPRODUCES = "mled.reproduces"  # under the same conditions
LIKE = "mled.like"  # with changes
TOLERANCE = "mled.tolerance"
SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Reproduction:
    """One run done again. other: the run at the other end of the link; rows: the worst first; kept: what was kept of it
    once both had ended, which rows and verdict then are."""

    other: Run
    rows: Sequence[Compared]
    verdict: Verdict | None
    kept: KeptCheck | None = None
    with_changes: bool = False


def first_of(viewer: Actor, run: Run) -> Reproduction | None:
    """The run that this one does again, with what came out; None where it says nothing or one may not see that run."""
    first = original_of(viewer, run)
    if first is None:
        return None
    return _told(viewer, first[0], [run], {run.pk: first[1]}, towards_first=True)[0]


def original_of(viewer: Actor, run: Run) -> tuple[Run, bool] | None:
    """The run that this one does again, and whether with changes; None where it says none, or one may not see it."""
    said = dict(RunTag.objects.filter(run=run, key__in=(REPRODUCES, LIKE)).values_list("key", "value"))
    key = REPRODUCES if REPRODUCES in said else LIKE
    uid = uid_in(said.get(key, "").strip())
    first = _visible(viewer, run).filter(uid=uid).first() if uid else None
    return None if first is None else (first, key == LIKE)


def again_of(viewer: Actor, run: Run) -> list[Reproduction]:
    """The runs of the project that do this one again, as far as one may see them: the newest first, at most 50."""
    theirs = dict.fromkeys(_naming(run, REPRODUCES), False)
    theirs |= {pk: True for pk in _naming(run, LIKE) if pk not in theirs}
    found = _visible(viewer, run).filter(pk__in=list(theirs)).order_by("-pk")[:SHOWN_MAX]
    return _told(viewer, run, list(found), theirs)


def _naming(run: Run, key: str) -> list[int]:
    """The newest runs of the project whose tag names this one."""
    places = Experiment.objects.filter(project=run.project_id)  # as the index of tags is by experiment
    naming = RunTag.objects.alias(text=Left("value", 200)).filter(
        experiment__in=places.values("pk"), key=key, text=run.uid.hex
    )
    return list(naming.order_by("-run").values_list("run", flat=True)[: 4 * SHOWN_MAX])


def _visible(viewer: Actor, run: Run) -> QuerySet[Run]:
    rows = Run.objects.visible_to(viewer).filter(project=run.project_id, lifecycle=Lifecycle.ACTIVE)
    return rows.exclude(pk=run.pk).select_related("project", "experiment", "created_by")


def _told(
    viewer: Actor, first: Run, others: Sequence[Run], with_changes: Mapping[int, bool], *, towards_first: bool = False
) -> list[Reproduction]:
    """Each of the others beside the first: what was kept, else as both are now."""
    kept = kept_checks_of(viewer, [other.pk for other in others])
    live = dict(laid_beside(viewer, first, [other for other in others if other.pk not in kept]))
    found = []
    for other in others:
        check = kept.get(other.pk)
        rows = check.rows if check else live[other]
        verdict = verdict_of(rows) if check is None else Verdict(check.verdict) if check.verdict else None
        end = first if towards_first else other
        found.append(Reproduction(end, rows, verdict, check, with_changes[other.pk]))
    return found


def laid_beside(viewer: Actor, first: Run, others: Sequence[Run]) -> list[tuple[Run, list[Compared]]]:
    """Each of the others beside the first, as they are now. A few questions, however many there are."""
    if not others:
        return []
    series: dict[int, list[MetricSeries]] = defaultdict(list)
    for one in MetricSeries.objects.filter(run__in=[first.pk, *(other.pk for other in others)]):
        series[one.run_id].append(one)
    by_metric, common = tolerances_of(first.project), _common_tolerance(first)
    needs_seeds = any(one.kind is Kind.SEEDS for one in (*by_metric.values(), common))
    seeds = values_by_seed(viewer, first) if needs_seeds else {}
    then = series[first.pk]
    return [
        (other, compared(then, series[other.pk], tolerances=by_metric, tolerance=common, seeds=seeds))
        for other in others
    ]


def allowances_of(viewer: Actor, run: Run) -> list[tuple[MetricSeries, Allowed]]:
    """What each of the run's own metrics may come out as when it is done again."""
    by_metric, common = tolerances_of(run.project), _common_tolerance(run)
    needs_seeds = any(one.kind is Kind.SEEDS for one in (*by_metric.values(), common))
    seeds = values_by_seed(viewer, run) if needs_seeds else {}
    series = MetricSeries.objects.filter(run=run).exclude(key__startswith=SYSTEM_PREFIX).order_by("key", "context")
    return [
        (one, allowed(by_metric.get(one.key, common), last_value(one), seeds.get((one.key, one.context), ())))
        for one in series
    ]


def _common_tolerance(run: Run) -> Tolerance:
    """What the run, else its experiment, says in a tag about all its metrics; none where neither does."""
    said = {
        "experiment": ExperimentTag.objects.filter(experiment=run.experiment_id, key=TOLERANCE)
        .values_list("value", flat=True)
        .first()
        or "",
        "run": RunTag.objects.filter(run=run, key=TOLERANCE).values_list("value", flat=True).first() or "",
    }
    for text in (said["run"], said["experiment"]):
        try:
            return Tolerance.written(text)
        except ValueError:
            continue
    return Tolerance()
