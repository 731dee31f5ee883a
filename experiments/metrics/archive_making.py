"""Drawing up the archive of a run: its points as they are now, written to the artifact store and read back.

Nothing in the database speaks of it yet. What was drawn up counts only if the run is still the same when it is kept
(`experiments.actions.archives`); else its content has no name and is collected.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from artifacts.storage import StoredBlob, blobs
from artifacts.storage.base import BlobDamaged, StorageFull
from experiments.metrics import archive_file
from experiments.metrics.archive_file import GROUP, ArchiveWriter, Span
from experiments.metrics.batch import Points
from experiments.metrics.seal import in_portions
from experiments.metrics.store import history_of_many
from experiments.models import MetricSegment, MetricSeries, Run

READ_BACK: Final = 16 * GROUP  # points at once


class Piece(NamedTuple):
    """Points of one series that lie together in the file, as its segment will tell of them."""

    series_id: int
    span: Span
    min_step: int
    max_step: int
    min_ms: int
    max_ms: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Drawn:
    """An archive that is stored. seal: of the run as it was read; segments: the ids of all that stands in it."""

    stored: StoredBlob
    seal: str
    segments: frozenset[int]
    pieces: Sequence[Piece]
    series: int
    points: int


def draw_up(run: Run) -> Drawn | None:
    """Write all points of a sealed run into one file and store it; None where it has none.

    Raises StorageFull, and BlobDamaged where an archive that it has cannot be read, or the new one is not what was
    written.
    """
    with _room_for_it() as path:
        # Before the points are read: what comes or is merged meanwhile shows when the archive is kept.
        segments = frozenset(MetricSegment.objects.filter(series__run=run).values_list("pk", flat=True))
        pieces: list[Piece] = []
        writer: ArchiveWriter | None = None
        for portion in _all_points(run):
            writer = writer or ArchiveWriter(path, run.uid.hex, [points.values for _, points in portion])
            for series, points in portion:
                placed = writer.add(series.key, series.context, points)
                pieces += [_piece(series, span, part) for span, part in placed]
        if writer is None:
            return None
        writer.close()
        stored = _stored(path)
    _check(stored, pieces)
    return Drawn(stored, run.seal, segments, pieces, writer.series, writer.rows)


@contextmanager
def _room_for_it() -> Iterator[Path]:
    """Where the file is written before it is stored."""
    try:
        with tempfile.TemporaryDirectory(prefix="mled-archive-") as folder:
            yield Path(folder) / "metrics.parquet"
    except OSError as error:
        words = f"An archive cannot be written to {tempfile.gettempdir()}: {error.strerror or error}."
        raise StorageFull(words, hint="Make room there.") from error


def _all_points(run: Run) -> Iterator[list[tuple[MetricSeries, Points]]]:
    """Every series with its points, by key and context, in portions that fit in memory."""
    for some in in_portions(list(MetricSeries.objects.filter(run=run).order_by("key", "context"))):
        found = history_of_many(some)
        if portion := [(one, found[one.pk]) for one in some if len(found[one.pk])]:
            yield portion


def _piece(series: MetricSeries, span: Span, points: Points) -> Piece:
    steps, times = points.steps, points.times
    ends = int(np.min(steps)), int(np.max(steps)), int(np.min(times)), int(np.max(times))
    return Piece(series.pk, span, *ends, _digest(points))


def _digest(points: Points) -> bytes:
    digest = hashlib.sha256()
    for column in (points.steps, points.times, points.values):
        digest.update(np.ascontiguousarray(column).data)
    return digest.digest()


def _stored(path: Path) -> StoredBlob:
    size = path.stat().st_size
    with path.open("rb") as file:
        return blobs().receive(file, limit=size, expected=size)


def _check(stored: StoredBlob, pieces: Sequence[Piece]) -> None:
    """Read what was stored: the segments are about to go, and these bytes stand in for them."""
    with closing(blobs().open(stored)) as file:
        for some in _by_points(pieces):
            try:
                found = archive_file.read(file, [piece.span for piece in some])
            except archive_file.Unreadable as error:
                raise _not_kept() from error
            if any(_digest(points) != piece.digest for piece, points in zip(some, found, strict=True)):
                raise _not_kept()


def _by_points(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """The pieces in their order, so many points at a time."""
    some: list[Piece] = []
    for piece in pieces:
        some.append(piece)
        if piece.span.row + piece.span.size - some[0].span.row >= READ_BACK:
            yield some
            some = []
    if some:
        yield some


def _not_kept() -> BlobDamaged:
    words = "The store did not keep the archive of this run as it was written."
    return BlobDamaged(words, hint="Its points stay where they are. Tell an administrator.")
