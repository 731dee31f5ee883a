"""A store that is read by a process apart, as a source like any other."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from django.conf import settings

from artifacts.storage import Incoming
from experiments.metrics.batch import Points
from transfer.mlflow.folders import Files
from transfer.mlflow.reader.wire import ANSWERS, ERRORS, receive, send
from transfer.mlflow.records import (
    NotReadable,
    SourceExperiment,
    SourceFile,
    SourceModel,
    SourceRegistered,
    SourceRun,
)

MEMORY: Final = 1536 * 1024**2
PROCESSOR_SECONDS: Final = 3600
ANSWER_SECONDS: Final = 900.0
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "TZ")


class StoreApart:
    """Asks the reading process one thing after another."""

    def __init__(self, path: Path, files: Files, *, fallback: str) -> None:
        self._files = files
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        limits = [str(MEMORY), str(PROCESSOR_SECONDS)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "transfer.mlflow.reader", str(path), *limits, fallback],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=settings.BASE_DIR,
            env={**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"},
        )
        try:
            kind, body = self._next()
            if kind != b"r":
                raise _told(body)
        except BaseException:
            self.close()
            raise

    def _ask(self, call: str, *given: str) -> Iterator[Any]:
        """The answers of one call, each as it comes. A call that is left before its end reads the rest away."""
        assert self._process.stdin is not None  # noqa: S101  # opened above
        try:
            send(self._process.stdin, b"q", [call, *given])  # type: ignore[arg-type]
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        at_end = False
        try:
            while True:
                kind, body = self._next()
                at_end = kind in (b"z", b"e")
                if kind == b"z":
                    return
                if kind == b"e":
                    raise _told(body)
                yield msgspec.msgpack.decode(body, type=ANSWERS[call])
        finally:
            while not at_end and self._process.poll() is None:
                at_end = self._next()[0] in (b"z", b"e")

    def _next(self) -> tuple[bytes, bytes]:
        assert self._process.stdout is not None  # noqa: S101  # opened above
        watch = threading.Timer(ANSWER_SECONDS, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            kind, body = receive(self._process.stdout)  # type: ignore[arg-type]
        finally:
            watch.cancel()
        if not kind:
            raise self._ended()
        return kind, body

    def _ended(self) -> NotReadable:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        return NotReadable(
            "The process that read the store broke off: the file is damaged, or asks for too much.",
            hint="Send another copy of it, or let the operator import it by the command.",
        )

    def origin(self) -> str:
        return self._one("origin")  # type: ignore[no-any-return]

    def told(self) -> str:
        return self._one("told")  # type: ignore[no-any-return]

    def _one(self, call: str, *given: str) -> Any:
        (answer,) = list(self._ask(call, *given))
        return answer

    def notes(self) -> Iterable[str]:
        return list(self._ask("notes"))

    def experiments(self) -> Iterator[SourceExperiment]:
        return iter(list(self._ask("experiments")))

    def count_runs(self, experiment_id: str) -> int | None:
        return self._one("count_runs", experiment_id)  # type: ignore[no-any-return]

    def runs(self, experiment_id: str) -> Iterator[SourceRun]:
        """Some at a time, since other things are asked between two of them."""
        after = ""
        while some := list(self._ask("runs_behind", experiment_id, after)):
            yield from some
            after = some[-1].id

    def run(self, run_id: str) -> SourceRun:
        return self._one("run", run_id)  # type: ignore[no-any-return]

    def history(self, run_id: str) -> Iterator[tuple[str, Points]]:
        for series in self._ask("history", run_id):
            yield series.key, series.points()

    def models(self, experiment_id: str) -> Iterator[SourceModel]:
        return iter(list(self._ask("models", experiment_id)))

    def registered(self) -> Iterator[SourceRegistered]:
        return iter(list(self._ask("registered")))

    def files(self, owner: SourceRun | SourceModel) -> Iterator[SourceFile]:
        return self._files.below(owner)

    def open(self, owner: SourceRun | SourceModel, file: SourceFile) -> AbstractContextManager[Incoming]:
        return self._files.open(owner, file)

    def close(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()
        self._files.close()


def _told(body: bytes) -> Exception:
    kind, message, hint = msgspec.msgpack.decode(body, type=list[str])
    return ERRORS.get(kind, NotReadable)(message, hint=hint)
