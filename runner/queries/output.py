"""What a job printed, from any byte on: while it goes on from its pieces, afterwards from the run's files."""

from dataclasses import dataclass
from typing import Final

from accounts.access import require
from experiments.queries.console import streams_of
from kernel.actor import Actor
from runner.models import Job, JobOutput

PIECE_MAX: Final = 256 * 1024
FILES: Final = {False: "console/stdout.log", True: "console/stderr.log"}  # as `mled run` names them too
_WIDEST: Final = 4  # bytes of a character in UTF-8


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a stream. start, following: places in bytes, of its first byte and of the byte after its last one;
    is_end: there is nothing after it, and nothing will come."""

    text: str
    start: int
    following: int
    is_end: bool


def output_of(viewer: Actor, job: Job, *, is_errors: bool = False, start: int = 0, limit: int = PIECE_MAX) -> Piece:
    """What was printed from that byte on, in whole characters. Raises Refused for who may not download, NotFound."""
    require(viewer, "experiments.download", job.run)
    was_open = job.is_open
    content, found = _live(viewer, job, is_errors, start, limit)
    if not content and not was_open:
        content, found = _kept(viewer, job, is_errors, start, limit), start
    is_last = not was_open and len(content) < limit
    if not is_last:
        content = _whole_characters(content)
    return Piece(content.decode(errors="replace"), found, found + len(content), is_last)


def _live(viewer: Actor, job: Job, is_errors: bool, start: int, limit: int) -> tuple[bytes, int]:
    """Bytes of the pieces and the place of their first; later than asked where what was before is not there."""
    rows = JobOutput.objects.visible_to(viewer).filter(job=job, is_errors=is_errors).order_by("start")
    first = rows.filter(start__lte=start).values_list("start", flat=True).last()
    found, content = start, bytearray()
    for at, piece in rows.filter(start__gte=first or 0).values_list("start", "content").iterator(chunk_size=20):
        part = bytes(piece)[max(0, start - at) :]
        if not part:
            continue
        if not content:
            found = max(start, at)
        elif found + len(content) != at:
            break
        content += part
        if len(content) >= limit:
            break
    return bytes(content[:limit]), found


def _kept(viewer: Actor, job: Job, is_errors: bool, start: int, limit: int) -> bytes:
    for stream in streams_of(viewer, job.run):
        if stream.key == FILES[is_errors]:
            with stream.open() as reader:
                reader.seek(start)
                return reader.read(limit)
    return b""


def _whole_characters(content: bytes) -> bytes:
    """Without a character at its end of which not all bytes are there."""
    for back in range(1, min(_WIDEST, len(content)) + 1):
        byte = content[-back]
        if byte < 0x80:
            return content
        if byte >= 0xC0:
            width = 2 if byte < 0xE0 else 3 if byte < 0xF0 else _WIDEST
            return content if width <= back else content[:-back]
    return content
