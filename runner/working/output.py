"""What a job prints: read while it goes on, kept once it is over, and saved where its worker was lost."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final
from uuid import UUID

from django.db.models import Max
from django.db.models.functions import Length

from artifacts.blobs import receive
from experiments.actions.files import put_file
from experiments.console.colours import plain
from experiments.console.sources import Stream
from experiments.models import Run
from kernel.actor import Actor
from runner.models import Job, JobOutput
from runner.working.output_hiding import Hiding

PATHS: Final = {False: "console/stdout.log", True: "console/stderr.log"}
KEPT_MAX: Final = 100 * 1024 * 1024  # bytes of a stream: the first half of it, and the last
LIVE_MAX: Final = 20 * 1024 * 1024  # the same while it goes on
PIECE: Final = 64 * 1024
_FULL_ENOUGH: Final = 16 * 1024  # a row of this size is not written again
_AT_ONCE: Final = 1024 * 1024


class Tail:
    """Follows the two files that a job prints to: what is new becomes rows. hidden: words that nobody may read."""

    def __init__(self, job: Job, stdout: Path, stderr: Path, *, hidden: Sequence[str] = ()) -> None:
        self._streams = [_Followed(job.pk, False, stdout, hidden), _Followed(job.pk, True, stderr, hidden)]

    def forward(self) -> None:
        """Write down what was printed since the last time."""
        for stream in self._streams:
            stream.forward()


class _Followed:
    """One of the two. read: bytes of the file so far; end: of what the rows hold, secrets taken out."""

    def __init__(self, job_id: UUID, is_errors: bool, path: Path, hidden: Sequence[str]) -> None:
        self._job_id, self._is_errors, self._path = job_id, is_errors, path
        self._hiding = Hiding(hidden)
        self._read, self._end = 0, 0
        self._open, self._open_at = b"", 0
        self._trimmed = 0

    def forward(self) -> None:
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            if size - self._read > LIVE_MAX:
                self._leap(size - LIVE_MAX // 2)
            file.seek(self._read)
            while piece := file.read(min(_AT_ONCE, size - self._read)):
                self._read += len(piece)
                self._keep(self._hiding.pass_on(piece))

    def _leap(self, to: int) -> None:
        """It prints faster than it is read: go on near the end."""
        self._hiding.go_on_elsewhere()
        self._end += to - self._read
        self._read, self._open, self._open_at = to, b"", self._end

    def _keep(self, text: bytes) -> None:
        if not text:
            return
        self._end += len(text)
        whole = self._open + text
        for start in range(0, len(whole), PIECE):
            self._write(self._open_at + start, whole[start : start + PIECE])
        last = len(whole) - len(whole) % PIECE
        if len(whole) - last >= _FULL_ENOUGH or last == len(whole):
            self._open, self._open_at = b"", self._end
        else:
            self._open, self._open_at = whole[last:], self._open_at + last
        if self._end - self._trimmed > _AT_ONCE:
            self._trim()

    def _write(self, start: int, content: bytes) -> None:
        JobOutput.objects.update_or_create(
            job_id=self._job_id, is_errors=self._is_errors, start=start, defaults={"content": content}
        )

    def _trim(self) -> None:
        """Leave out the middle."""
        self._trimmed = self._end
        rows = JobOutput.objects.filter(job_id=self._job_id, is_errors=self._is_errors)
        rows.filter(start__gte=LIVE_MAX // 2, start__lt=self._end - LIVE_MAX // 2 - PIECE).delete()


def keep_console(actor: Actor, run: Run, stdout: Path, stderr: Path, *, hidden: Sequence[str] = ()) -> None:
    """Make what was printed files of the run, of each stream the first and the last part."""
    for is_errors, path in ((False, stdout), (True, stderr)):
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file:
                _put(actor, run, PATHS[is_errors], _hidden_from(file, hidden))


def last_lines(path: Path, *, hidden: Sequence[str] = ()) -> list[str]:
    """The end of what was printed to a file, as plain text without secrets; nothing where it printed nothing."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - PIECE))
        lines = b"".join(_hidden_from(file, hidden)).decode(errors="replace").splitlines()
        return [plain(line) for line in lines[1 if size > PIECE else 0 :]]
    return []


def forget(job: Job) -> None:
    """Take the rows away: the whole is among the files of the run."""
    JobOutput.objects.filter(job_id=job.pk).delete()


def salvage(actor: Actor, job: Job) -> None:
    """Make files of what reached the rows before a worker was lost."""
    for is_errors, path in PATHS.items():
        pieces = _pieces(job.pk, is_errors)
        first = next(pieces, None)
        if first is not None:
            _put(actor, job.run, path, _chained(first, pieces))
    forget(job)


def _put(actor: Actor, run: Run, path: str, pieces: Iterable[bytes]) -> None:
    with TemporaryFile() as file:
        _write_ends(file, pieces)
        file.seek(0)
        put_file(actor, run, path=path, stored=receive(file))


def _write_ends(file: BinaryIO, pieces: Iterable[bytes], *, at_most: int = KEPT_MAX) -> None:
    """The first half of at_most and the last; what is between is told in words."""
    half, first, size, last = at_most // 2, 0, 0, bytearray()
    for piece in pieces:
        size += len(piece)
        here = piece[: max(0, half - first)]
        file.write(here)
        first += len(here)
        last += piece[len(here) :]
        if len(last) > 2 * half:
            del last[: len(last) - half]
    del last[: max(0, len(last) - half)]
    if size > first + len(last):
        file.write(left_out(size - first - len(last)))
    file.write(last)


def left_out(size: int) -> bytes:
    """What stands where so many bytes are not."""
    return f"\n[{size:,} bytes left out here]\n".encode()


def _hidden_from(file: BinaryIO, hidden: Sequence[str]) -> Iterator[bytes]:
    hiding = Hiding(hidden)
    while piece := file.read(_AT_ONCE):
        yield hiding.pass_on(piece)
    yield hiding.rest()


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _pieces(job_id: UUID, is_errors: bool) -> Iterator[bytes]:
    """What the rows hold, in order; words stand where some is missing."""
    end = 0
    rows = JobOutput.objects.filter(job_id=job_id, is_errors=is_errors).order_by("start")
    for start, content in rows.values_list("start", "content").iterator(chunk_size=50):
        if start > end:
            yield left_out(start - end)
        yield bytes(content)
        end = start + len(content)


def printed_now(viewer: Actor, run: Run) -> list[Stream]:
    """What a job prints while it goes on, under the names that its files will have."""
    job = Job.objects.visible_to(viewer).filter(run=run, state__in=Job.HELD).first()
    if job is None:
        return []
    rows = JobOutput.objects.visible_to(viewer).filter(job=job)
    ends = dict(rows.values_list("is_errors").annotate(last=Max("start")).order_by("is_errors"))
    return [_stream(job, is_errors) for is_errors in PATHS if is_errors in ends or not is_errors]


def _stream(job: Job, is_errors: bool) -> Stream:
    """Its size is asked at once, its content only where somebody reads it."""
    size = _size(job.pk, is_errors)
    return Stream(
        key=PATHS[is_errors],
        label=PATHS[is_errors],
        size_bytes=size,
        version="",
        open=lambda: io.BytesIO(b"".join(_pieces(job.pk, is_errors))[:size]),
        is_errors=is_errors,
        is_live=True,
    )


def _size(job_id: UUID, is_errors: bool) -> int:
    """Bytes of what the rows hold, with the words for what is missing between them."""
    size = end = 0
    rows = JobOutput.objects.filter(job_id=job_id, is_errors=is_errors).order_by("start")
    for start, length in rows.values_list("start", Length("content")):
        size += length + (len(left_out(start - end)) if start > end else 0)
        end = start + length
    return size
