"""Runs with their whole record: new ones, those that an earlier attempt left unfinished, those that went on there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from artifacts.models import Dataset
from experiments.actions.runs import PARENT
from experiments.metrics.batch import Points, SeriesPoints
from experiments.models import Run
from experiments.values import ReviewState
from kernel.errors import AlreadyExists, Conflict, Locked
from transfer.actions.mlflow import News, Part, bring_in_more, bring_in_run
from transfer.bringing.files import Taken, portions
from transfer.bringing.under_way import RUN, UnderWay
from transfer.mlflow.fitting import EARLIER_ID, FittedRun, as_uid, fit_datasets, fit_run, fits_as_metric
from transfer.mlflow.here import points_here, runs_here
from transfer.mlflow.points import as_series, digest, in_order, missing
from transfer.mlflow.records import SourceExperiment, SourceRun
from transfer.models import Moved

POINTS_AT_ONCE = 50_000


@dataclass(slots=True)
class Later:
    """What is left to do once every run is here: runs to delete, and models that went in or came out of runs."""

    deleted: list[str] = field(default_factory=list)
    linked: list[tuple[str, Sequence[str], Sequence[tuple[str, int]]]] = field(default_factory=list)

    def remember(self, run: SourceRun) -> None:
        """Keep what this run needs at the end."""
        if run.is_deleted:
            self.deleted.append(run.id)
        if run.model_inputs or run.model_outputs:
            self.linked.append((run.id, run.model_inputs, run.model_outputs))


def bring_runs(way: UnderWay, experiments: Sequence[SourceExperiment]) -> Later:
    """Every run of these experiments; parents before what is nested in them, as far as they are there at all."""
    counts = [way.source.count_runs(one.id) for one in experiments]
    total = None if None in counts else sum(count or 0 for count in counts)
    later, waiting, seen = Later(), list[str](), 0
    for experiment in experiments:
        for run in way.source.runs(experiment.id):
            way.progress.at("runs", seen, total)
            seen += 1
            way.tally.counts["runs_held"] += 1
            later.remember(run)
            if _waits(way, run):
                waiting.append(run.id)
            else:
                _bring(way, run)
    while waiting:
        way.progress.at("nested runs", seen - len(waiting), total)
        left = [uid for uid in waiting if not _bring_nested(way, uid, alone=False)]
        if len(left) == len(waiting):  # what they are nested in is not there, or in each other
            left = [uid for uid in waiting if not _bring_nested(way, uid, alone=True)]
        waiting = left
    return later


def _waits(way: UnderWay, run: SourceRun) -> bool:
    """Whether what the run is nested in has to come first."""
    above = run.tags.get(PARENT, "")
    return bool(above) and above != run.id and way.moved(RUN, above) is None


def _bring_nested(way: UnderWay, uid: str, *, alone: bool) -> bool:
    run = way.source.run(uid)
    if not alone and _waits(way, run):
        return False
    _bring(way, run)
    return True


def _bring(way: UnderWay, run: SourceRun) -> None:
    way.told(f"run {run.id}", lambda: _bring_one(way, run))


def _bring_one(way: UnderWay, run: SourceRun) -> None:
    above = way.moved(RUN, run.tags.get(PARENT, "")) if PARENT in run.tags else None
    known = {
        one.name: one for one in Dataset.objects.filter(project=way.project, name__in=[d.name for d in run.datasets])
    }
    datasets = fit_datasets(run, known, way.tally.tell) if run.datasets else []
    record = fit_run(run, above.target if above else "", datasets, way.tally.tell)
    moved = way.moved(RUN, run.id)
    if moved is None:
        _bring_new(way, run, record)
    else:
        _go_on(way, run, record, moved)


def _bring_new(way: UnderWay, run: SourceRun, record: FittedRun) -> None:
    made: Run | None = None
    for part in _parts(way, run, record, None):
        if made is None:
            made = _made(way, run, record, part)
        else:
            bring_in_more(
                way.actor, made, bringing=way.bringing, source_id=run.id, record=record, news=News(), part=part
            )
        _count(way, part)
    way.tally.counts["runs"] += 1


def _made(way: UnderWay, run: SourceRun, record: FittedRun, part: Part) -> Run:
    """The run under its own id, or under a new one where that is taken."""

    def make(*, keeps_id: bool) -> Run:
        return bring_in_run(
            way.actor,
            way.experiments[run.experiment_id],
            bringing=way.bringing,
            source_id=run.id,
            record=record,
            part=part,
            keeps_id=keeps_id,
        )

    if as_uid(run.id) is not None:
        try:
            return make(keeps_id=True)
        except AlreadyExists as taken:
            if taken.field != "run_id":
                raise
            if way.moved(RUN, run.id) is not None:
                raise Conflict("Another import brings it just now.", hint="Import again, and it goes on.") from None
    made = make(keeps_id=False)
    way.tally.tell(
        f"run {run.id}", f"Its id cannot be kept here: it is {made.uid.hex}, and the tag {EARLIER_ID} says the other."
    )
    return made


def _go_on(way: UnderWay, run: SourceRun, record: FittedRun, moved: Moved) -> None:
    """A run that was brought before, whole or in part: add what the source has beyond it."""
    row = way.run(run.id)
    if row is None:
        raise Conflict("It was brought here before, and is gone.", hint="What was purged stays so.")
    if moved.digest and _digest_there(way, run, record) == moved.digest:
        way.tally.counts["runs_there"] += 1
        _bring_files(way, run, record, row, moved)
        return
    here = runs_here([row])[row.pk]
    if moved.digest:
        _refuse_changed(row, here, moved)
    news = _news(record, here, whole=bool(moved.digest))
    for part in _parts(way, run, record, row):
        bring_in_more(way.actor, row, bringing=way.bringing, source_id=run.id, record=record, news=news, part=part)
        _count(way, part)
        news = News()
    way.tally.counts["runs_there"] += 1
    way.tally.counts["runs_added_to"] += 1


def _refuse_changed(row: Run, here: FittedRun, moved: Moved) -> None:
    """Raise Conflict where somebody worked on the run here, so that the two cannot be laid over one another."""
    why = ""
    if row.is_deleted:
        why = "it was deleted here"
    elif row.review_state != ReviewState.NOT_REVIEWED:
        why = "it was submitted for review here"
    elif row.is_locked:
        why = "it is locked here"
    elif here.digest() != moved.digest:
        why = "it was changed here"
    if why:
        raise Conflict(f"It went on in the source, but {why} since: what is new there is left out.")


def _news(record: FittedRun, here: FittedRun, *, whole: bool) -> News:
    """whole: an earlier import brought all of it, so that a tag that is gone there goes here too."""
    have = {(one.name, one.digest) for one in here.datasets}
    gone = [key for key in here.tags if key not in record.tags and key != EARLIER_ID] if whole else []
    return News(
        params={key: value for key, value in record.params.items() if here.params.get(key) != value},
        tags={key: value for key, value in record.tags.items() if here.tags.get(key) != value},
        tags_gone=gone,
        datasets=[one for one in record.datasets if (one.name, one.digest) not in have],
    )


def _bring_files(way: UnderWay, run: SourceRun, record: FittedRun, row: Run, moved: Moved) -> None:
    for files in portions(way, run, row.artifact_root):
        if row.is_locked or row.is_deleted:
            raise Locked("It has new files in the source, but takes no writes here: they are left out.")
        part = Part(files=files, digest=moved.digest)
        bring_in_more(way.actor, row, bringing=way.bringing, source_id=run.id, record=record, news=News(), part=part)
        _count(way, part)


def _digest_there(way: UnderWay, run: SourceRun, record: FittedRun) -> str:
    return replace(record, series={key: told for key, _, told in _series(way, run)}).digest()


def _series(way: UnderWay, run: SourceRun) -> Iterator[tuple[str, Points, tuple[int, str]]]:
    """Each metric that can be held, its points in order, with their number and digest."""
    where = f"run {run.id}"
    for key, found in way.source.history(run.id):
        if not fits_as_metric(key, where, way.tally.tell):
            continue
        points = in_order(found)
        early = points.times < 0
        if early.any():
            way.tally.tell(where, f"{int(early.sum()):,} points of '{key[:80]}' are left out: they are before 1970.")
            points = points.take(~early)
        if len(points):
            yield key, points, (len(points), digest(points))


def _parts(way: UnderWay, run: SourceRun, record: FittedRun, row: Run | None) -> Iterator[Part]:
    """What is to be written, in portions; the last one has the digest of the whole. row: the run, if it is here."""
    told: dict[str, tuple[int, str]] = {}
    series: list[SeriesPoints] = []
    held = 0
    for key, points, counted in _series(way, run):
        told[key] = counted
        for some in _cut(points if row is None else missing(points, points_here(row, key))):
            series.append(as_series(key, some))
            held += len(some)
            if held >= POINTS_AT_ONCE:
                yield Part(series=series)
                series, held = [], 0
    whole = replace(record, series=told).digest()
    files: list[Taken] = []
    for portion in portions(way, run, row.artifact_root if row else None):
        if files:
            yield Part(series=series, files=files)
            series = []
        files = portion
    yield Part(series=series, files=files, digest=whole)


def _cut(points: Points) -> Iterator[Points]:
    for start in range(0, len(points), POINTS_AT_ONCE):
        yield points.take(slice(start, start + POINTS_AT_ONCE))


def _count(way: UnderWay, part: Part) -> None:
    way.tally.counts["points"] += sum(len(one.steps) for one in part.series)
    way.tally.counts["files"] += len(part.files)
