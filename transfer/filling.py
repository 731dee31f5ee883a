"""The second pass of an import: points stream from Parquet into runs; then each run and model gets the rest."""

from collections.abc import Iterator
from typing import Any

from artifacts.storage import StoredBlob, blobs
from experiments.models import Run
from kernel.errors import MledError, TooMany, Unavailable
from transfer.actions.archives import Bringing
from transfer.actions.archives_content import (
    POINTS,
    WHOLE,
    bring_in_model_points,
    bring_in_points,
    complete_model,
    complete_run,
)
from transfer.archive.checking import Found
from transfer.archive.layout import METRICS, MODEL_METRICS
from transfer.archive.points import ModelPoint, Piece, read_model_points, read_points
from transfer.archive.reading import Archive
from transfer.models import Transfer
from transfer.work import Progress, requester_of

POINTS_AT_ONCE = 100_000
MODEL_POINTS_AT_ONCE = 2_000
Refusal = tuple[str, str, str]


class Filling:
    """Fills what this import made; runs and models that were here before stay as they are."""

    def __init__(
        self, transfer: Transfer, archive: Archive, found: Found, bringing: Bringing, progress: Progress
    ) -> None:
        self.transfer, self.archive, self.found = transfer, archive, found
        self.bringing, self.ids, self.progress = bringing, bringing.ids, progress
        self.actor = requester_of(transfer)

    def run(self) -> Iterator[Refusal]:
        """Do it; gives kind, key and words of each refusal."""
        yield from self._points()
        yield from self._model_points()
        yield from self._models()
        yield from self._runs()

    def _is_to_fill(self, kind: str, key: str) -> bool:
        made = self.ids.is_mine(kind, key) and self.ids.was_made(kind, key)
        return made and self.ids.of(kind + WHOLE, key) is None

    def _points(self) -> Iterator[Refusal]:
        """Run after run, as they stand in the file; a run of many points in several acts."""
        total, done = self.archive.manifest.counts.get("points", 0), 0
        refused: set[str] = set()
        with self.archive.table(METRICS) as table:
            for uid, pieces, is_last in _portions(read_points(table)):
                self.progress.at("points", done, total)
                done += sum(len(one.points) for one in pieces)
                if uid in refused or not self._is_to_fill("runs", uid) or self.ids.of(POINTS, uid) is not None:
                    continue
                try:
                    run = self.bringing.run(uid)
                    bring_in_points(
                        self.actor,
                        self.transfer,
                        run=run,
                        pieces=pieces,
                        bringing=self.bringing,
                        all_of=uid if is_last else "",
                    )
                except (Unavailable, TooMany):
                    raise
                except MledError as refusal:
                    refused.add(uid)
                    yield "runs", uid, str(refusal)

    def _model_points(self) -> Iterator[Refusal]:
        with self.archive.table(MODEL_METRICS) as table:
            some: list[ModelPoint] = []
            for point in read_model_points(table):
                if some and (point.run != some[0].run or len(some) >= MODEL_POINTS_AT_ONCE):
                    yield from self._add(some)
                    some = []
                if self._is_to_fill("logged_models", point.model):
                    some.append(point)
            yield from self._add(some)

    def _add(self, points: list[ModelPoint]) -> Iterator[Refusal]:
        if not points:
            return
        try:
            run: Run = self.bringing.run(points[0].run)
            bring_in_model_points(self.actor, self.transfer, run=run, points=points, bringing=self.bringing)
        except (Unavailable, TooMany):
            raise
        except MledError as refusal:
            yield "logged_models", points[0].model, str(refusal)

    def _models(self) -> Iterator[Refusal]:
        for done, (_, record) in enumerate(self.archive.records("logged_models")):
            self.progress.at("files of models", done, self.found.counts["logged_models"])
            if self._is_to_fill("logged_models", record.id):
                yield from self._complete("logged_models", record)

    def _runs(self) -> Iterator[Refusal]:
        for done, (_, record) in enumerate(self.archive.records("runs")):
            self.progress.at("files of runs", done, self.found.counts["runs"])
            if self._is_to_fill("runs", record.id):
                yield from self._complete("runs", record)

    def _complete(self, kind: str, record: Any) -> Iterator[Refusal]:
        shared = {"record": record, "bringing": self.bringing}
        told: list[str] = []
        try:
            files = self._stored(record.files)
            if kind == "runs":
                run = self.bringing.run(record.id)
                told = complete_run(self.actor, self.transfer, run=run, files=files, **shared)
            else:
                model = self.bringing.model(record.id)
                complete_model(self.actor, self.transfer, model=model, files=files, **shared)
        except (Unavailable, TooMany):
            raise
        except MledError as refusal:
            yield kind, record.id, str(refusal)
            return
        self.ids.remember(kind + WHOLE, record.id, record.id)
        yield from ((kind, record.id, words) for words in told)
        if not self.archive.manifest.files.held and record.files:
            words = f"The archive was made without the content of files, so {len(record.files)} are missing here."
            yield kind, record.id, words

    def _stored(self, files: list[tuple[str, str, int]]) -> list[tuple[str, StoredBlob]]:
        """The content of files, taken into the store; it gets its names in the act that follows."""
        stored = []
        for path, digest, size_bytes in files if self.archive.manifest.files.held else ():
            with self.archive.content(digest) as member:
                stored.append((path, blobs().receive(member, limit=max(size_bytes, 1), digest=digest)))
        return stored


def _portions(pieces: Iterator[Piece]) -> Iterator[tuple[str, list[Piece], bool]]:
    """Pieces of one run, at most so many points; and whether those are its last ones."""
    some: list[Piece] = []
    count = 0
    for piece in pieces:
        if some and piece.run != some[0].run:
            yield some[0].run, some, True
            some, count = [], 0
        elif count >= POINTS_AT_ONCE:
            yield some[0].run, some, False
            some, count = [], 0
        some.append(piece)
        count += len(piece.points)
    if some:
        yield some[0].run, some, True
