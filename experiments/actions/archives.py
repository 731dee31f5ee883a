"""Archiving: some time after a run ended, its points become one file, and the file's digest stands in the ledger."""

from typing import Any, Final

from accounts.decorators import action
from artifacts.blobs import know
from audit.ledger.acting import current_act
from experiments.metrics.archive_making import Drawn, Piece, draw_up
from experiments.metrics.holding import hold_run
from experiments.models import MetricArchive, MetricSegment, Run
from kernel.actor import Actor
from kernel.errors import Conflict, NotFound

RECORDED_AS: Final = "experiments.metricarchive"
_AT_ONCE: Final = 1_000  # rows


def archive_run(actor: Actor, run: Run) -> MetricArchive | None:
    """Move the points of a sealed run into a file; None where it has none.

    A process that dies on the way leaves either everything as it was, and at most a file without a name, or all done.
    Raises Conflict where the run is not sealed, or was written to meanwhile, BlobDamaged, StorageFull, Unavailable.
    """
    if run.sealed_at is None:
        raise Conflict(f"The run {run.readable_id} is not sealed.", hint="It is some minutes after its end.")
    drawn = draw_up(run)
    return None if drawn is None else keep_archive(actor, run=run, drawn=drawn)


@action("content.keep")
def keep_archive(actor: Actor, *, run: Run, drawn: Drawn) -> MetricArchive:
    """Have a stored archive stand in for the segments that it was drawn up from. The run itself stays as it is, so that
    locked and deleted ones are archived too.

    Raises Conflict where anything in the run is not as it was drawn up, Unavailable where the content is gone.
    """
    act = current_act()
    act.project_id = run.project_id
    _hold_unchanged(run, drawn)
    know(drawn.stored)
    before = MetricArchive.objects.filter(run=run).first()
    _forget_segments(drawn)
    if before is not None:
        before.delete()
    archive = MetricArchive(
        run=run,
        blob_id=drawn.stored.digest,
        size_bytes=drawn.stored.size_bytes,
        points=drawn.points,
        series=drawn.series,
    )
    archive.save()
    MetricSegment.objects.bulk_create([_stand_in(archive, piece) for piece in drawn.pieces], batch_size=_AT_ONCE)
    was, now = recorded(before), recorded(archive)
    act.record(RECORDED_AS, run.ledger_id, "set", {name: (was.get(name), now[name]) for name in now})
    return archive


def forget_archive(run: Run) -> None:
    """Part of an act that removes the points of a run it holds: its file has no name from now on and is collected."""
    archive = MetricArchive.objects.filter(run=run).first()
    if archive is not None:
        MetricSegment.objects.filter(archive=archive).delete()
        archive.delete()
        gone = {name: (value, None) for name, value in recorded(archive).items()}
        current_act().record(RECORDED_AS, run.ledger_id, "set", gone)


def recorded(archive: MetricArchive | None) -> dict[str, Any]:
    """What the ledger holds of an archive."""
    if archive is None:
        return {}
    told = {"digest": archive.blob_id, "size_bytes": archive.size_bytes}
    return {**told, "points": archive.points, "series": archive.series}


def _hold_unchanged(run: Run, drawn: Drawn) -> None:
    state = hold_run(run.pk, alone=True)
    if state is None:
        raise NotFound("No such run was found.")
    seal = Run.objects.filter(pk=run.pk).values_list("seal", flat=True).get()
    segments = set(MetricSegment.objects.filter(series__run=run).values_list("pk", flat=True))
    if not state.is_sealed or seal != drawn.seal or segments != drawn.segments:
        raise Conflict("The run was written to while its archive was made.", hint="Archive it later.")


def _forget_segments(drawn: Drawn) -> None:
    ids, gone = sorted(drawn.segments), 0
    for start in range(0, len(ids), _AT_ONCE):
        gone += MetricSegment.objects.filter(pk__in=ids[start : start + _AT_ONCE]).delete()[0]
    if gone != len(ids):
        raise RuntimeError(f"{gone} of {len(ids)} segments were there to be archived.")


def _stand_in(archive: MetricArchive, piece: Piece) -> MetricSegment:
    """The row that tells readers of a series where its points lie."""
    return MetricSegment(
        series_id=piece.series_id,
        count=piece.span.size,
        min_step=piece.min_step,
        max_step=piece.max_step,
        min_ms=piece.min_ms,
        max_ms=piece.max_ms,
        steps=b"",
        times=b"",
        values=b"",
        archive=archive,
        archive_row=piece.span.row,
    )
