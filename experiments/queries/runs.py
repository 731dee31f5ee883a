"""Reading single runs and their metrics."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.access import can_see, not_found, require
from accounts.models import Project
from experiments.gone import Gone, is_gone, without_gone
from experiments.metrics.batch import Points
from experiments.metrics.downsample import Curve, sample
from experiments.metrics.evenly import evenly
from experiments.metrics.parts import Bounds
from experiments.metrics.store import Position, history, history_of_many, history_page, pieces
from experiments.models import MetricSeries, Param, Run, RunInput, RunTag
from experiments.queries.prepared import Prepared
from experiments.refs import readable_id_in, uid_in
from experiments.search.errors import nearest
from experiments.search.texts import stored_texts
from experiments.values import checked_int64
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound
from kernel.paging import decode_token, encode_token, question_digest


def _runs_with_their_place() -> QuerySet[Run]:
    return Run.objects.select_related("project", "experiment", "created_by")


_WITH_ITS_PLACE = Prepared(lambda uid: _runs_with_their_place().filter(uid=uid), uuid.UUID)
_IN_ITS_EXPERIMENT = Prepared(lambda uid: Run.objects.select_related("experiment").filter(uid=uid), uuid.UUID)
_ALONE = Prepared(lambda uid: Run.objects.filter(uid=uid), uuid.UUID)


def get_run(viewer: Actor, run_id: str, *, project: Project | None = None) -> Run:
    """The run by its 32 hex digits or its readable id (VIS-123), deleted ones too.

    Raises NotFound, the same for absent, invisible and one of another project; Gone for one that was purged.
    """
    found = _by_uid(_WITH_ITS_PLACE, run_id) or _by_readable_id(run_id)
    return _seen(viewer, found, run_id, project)


def get_run_to_log(viewer: Actor, run_id: str, *, project: Project) -> Run:
    """The same run read alone, for calls about its metrics and states, which come by the thousand: its experiment
    follows only when asked for."""
    found = _by_uid(_ALONE, run_id) or _by_readable_id(run_id)
    if found is not None and found.project_id == project.pk:
        found.project = project
    return _seen(viewer, found, run_id, project)


def get_run_with_its_experiment(viewer: Actor, run_id: str, *, project: Project) -> Run:
    """The same run for calls about one of its files, which come by the thousand: its experiment says where they lie."""
    found = _by_uid(_IN_ITS_EXPERIMENT, run_id) or _by_readable_id(run_id)
    if found is not None and found.project_id == project.pk:
        found.project = project
    return _seen(viewer, found, run_id, project)


def _seen(viewer: Actor, found: Run | None, run_id: str, project: Project | None) -> Run:
    elsewhere = found is not None and project is not None and found.project_id != project.pk
    if found is None or elsewhere or not can_see(viewer, found):
        raise not_found(Run, run_id[:80])
    if is_gone(found):
        raise Gone(found)
    return found


def _by_uid(runs: Prepared[Run], run_id: str) -> Run | None:
    uid = uid_in(run_id)
    return next(iter(runs(uid)), None) if uid else None


def _by_readable_id(run_id: str) -> Run | None:
    said = readable_id_in(run_id)
    return _runs_with_their_place().filter(project__key=said[0], number=said[1]).first() if said else None


def runs_in_order(viewer: Actor, ids: Sequence[int]) -> list[Run]:
    """The runs of these primary keys in this order; those that the viewer may not see are left out."""
    seen = without_gone(Run.objects.visible_to(viewer))
    rows = seen.select_related("project", "experiment", "created_by").in_bulk(list(ids))
    return [rows[pk] for pk in ids if pk in rows]


def parent_of(viewer: Actor, run: Run) -> Run | None:
    """The run that this one is part of, where the viewer may see it."""
    parent = run.parent
    return parent if parent is not None and can_see(viewer, parent) else None


def params_of(viewer: Actor, run: Run) -> dict[str, str]:
    """The run's params by key."""
    return dict(Param.objects.visible_to(viewer).filter(run=run).order_by("key").values_list("key", "value"))


def tags_of(viewer: Actor, run: Run) -> dict[str, str]:
    """The run's tags by key."""
    return dict(RunTag.objects.visible_to(viewer).filter(run=run).order_by("key").values_list("key", "value"))


def tag_of(viewer: Actor, run: Run, key: str) -> str:
    """One tag of the run, "" where it has none."""
    require(viewer, "experiments.see", run)
    return stored_texts(RunTag, run, [key]).get(key, "")


def series_of(viewer: Actor, run: Run, keys: Sequence[str] | None = None) -> list[MetricSeries]:
    """The run's metric series with their summaries, by key."""
    rows = MetricSeries.objects.visible_to(viewer).filter(run=run, context="").order_by("key")
    return list(rows if keys is None else rows.filter(key__in=keys))


def inputs_of(viewer: Actor, run: Run) -> list[RunInput]:
    """The dataset versions that went into the run."""
    rows = RunInput.objects.visible_to(viewer).filter(run=run)
    rows = rows.select_related("dataset_version__dataset__project", "dataset_version__record__state_by")
    return list(rows.order_by("dataset_version__dataset__name", "dataset_version__number"))


_TOLD = 8  # names of metrics


def require_metric(viewer: Actor, run: Run, key: str) -> None:
    """Raise NotFound, with the name that was probably meant, for a metric of which the run has no point."""
    known = [series.key for series in series_of(viewer, run)]
    if key in known:
        return
    near, some = nearest(key, known), ", ".join(known[:_TOLD]) + (", …" if len(known) > _TOLD else "")
    hint = f"Did you mean '{near}'?" if near else f"It has {some}." if some else "It has no metric yet."
    raise NotFound(f"The run {run.readable_id} has no metric '{key[:80]}'.", hint=hint, field="key")


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Points of one metric, ordered by time, step, value; a token where more follow."""

    points: Points
    next_token: str = ""


def metric_history(
    viewer: Actor, run: Run, key: str, *, limit: int | None = None, after: str | None = None
) -> HistoryPage:
    """The history of a metric; an unknown key has none. Without a limit the whole of it. Raises Invalid."""
    if limit is not None and limit <= 0:
        raise Invalid("max_results must be at least 1.", field="max_results")
    question = question_digest("history", run.uid.hex, key)
    position = _position(decode_token(question, after))
    series = next(iter(series_of(viewer, run, [key])), None)
    if series is None:
        return HistoryPage(Points.none())
    if limit is None and position is None:
        return HistoryPage(history(series))
    points, end = history_page(series, limit or 2**62, position)
    token = encode_token(question, [str(end.at_ms), str(end.step), str(end.bits)]) if end else ""
    return HistoryPage(points, token)


def metric_pieces(viewer: Actor, run: Run, key: str) -> Iterator[Points]:
    """The whole history of a metric in pieces, in the same order; an unknown key has none."""
    series = next(iter(series_of(viewer, run, [key])), None)
    return pieces(series) if series is not None else iter(())


def metric_samples(
    viewer: Actor, runs: Sequence[Run], key: str, *, most: int, steps: tuple[int, int] | None = None
) -> list[Points]:
    """At most `most` points of a metric in each of these runs, at even distances by step; see `evenly`.

    The same number of statements for any number of runs. Raises Refused, NotFound.
    """
    for run in runs:
        require(viewer, "experiments.see", run)
    found = evenly([run.pk for run in runs], key, most, steps)
    return [found[run.pk] for run in runs]


def _position(given: list[str] | None) -> Position | None:
    if given is None:
        return None
    try:
        at_ms, step, bits = (checked_int64(int(part), "page_token") for part in given)
        return Position(at_ms, step, bits)
    except (ValueError, TypeError, OverflowError, Invalid):
        raise Invalid("The page token is not one that this server gave out.", field="page_token") from None


def metric_curves(
    viewer: Actor,
    run: Run,
    keys: Sequence[str],
    *,
    buckets: int = 320,
    by_time: bool = False,
    window: tuple[float, float] | None = None,
) -> dict[str, Curve]:
    """Curves thinned for a screen, by key; keys without points are left out."""
    found = series_of(viewer, run, keys)
    histories = history_of_many(found, Bounds.around(window, by_time=by_time))
    return {one.key: sample(histories[one.pk], buckets, by_time=by_time, window=window) for one in found}
