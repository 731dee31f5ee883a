"""Reading a project at one moment into the members of an archive. Memory holds some hundred runs at a time."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from audit.ledger.models import Pending
from audit.ledger.queries.proofs import newest_checkpoint
from audit.ledger.snapshot import snapshot
from experiments.metrics.seal import in_portions
from experiments.metrics.store import history_of_many
from experiments.models import MetricSeries
from registry.models import ModelMetric
from transfer.archive.layout import KINDS, METRICS, MODEL_METRICS, PEOPLE
from transfer.archive.points import ModelPoint, ModelPointsWriter, Piece, PointsWriter, series_digest
from transfer.archive.records import LoggedModelRecord, Record, RunRecord, fact_line, line_of, points_digest
from transfer.archive.rows import AT_ONCE, Rows

GATHERED = "gathered.json"  # is there once everything else is
Tell = Callable[[str, int, int | None], None]


class Gathering:
    """One reading. tell: stage, done, total; may raise to stop it."""

    def __init__(self, rows: Rows, folder: Path, tell: Tell) -> None:
        self.rows, self.folder, self.tell = rows, folder, tell
        self.counts: dict[str, int] = {}
        self.kinds: dict[str, str] = {}
        self.contents: dict[str, int] = {}

    def run(self) -> dict[str, Any]:
        """Write all members but the files and the ledger; what the manifest says of them."""
        with snapshot():
            head, waiting = newest_checkpoint(), Pending.objects.count()
            self._simple("experiments", self.rows.of_experiments())
            self._simple("datasets", self.rows.of_datasets())
            self._simple("dataset_versions", self.rows.of_dataset_versions())
            self._runs_and_comments()
            self._models()
            self._simple("registered_models", self.rows.of_registered_models())
            self._simple("model_versions", self.rows.of_model_versions())
            self._simple("views", self.rows.of_views())
            self._simple("directions", self.rows.of_directions())
            with (self.folder / PEOPLE).open("wb") as out:
                out.writelines(line_of(one) for one in self.rows.people.records())
        told = {
            "log": {
                "size": head.size if head else 0,
                "root": head.root if head else "",
                "at": head.at.isoformat() if head else None,
                "waiting": waiting,
            },
            "counts": self.counts | {"files": len(self.contents)},
            "content": self.kinds,
            "contents": self.contents,
        }
        (self.folder / GATHERED).write_bytes(orjson.dumps(told, option=orjson.OPT_SORT_KEYS))
        return told

    def _simple(self, kind: str, records: Iterable[Record]) -> None:
        with _Lines(self, kind) as lines:
            for record in records:
                lines.add(record)
                self.tell(kind.replace("_", " "), lines.count, None)

    def _runs_and_comments(self) -> None:
        keys = self.rows.run_keys()
        writer = PointsWriter(self.folder / METRICS)
        with _Lines(self, "runs") as runs, _Lines(self, "comments") as comments:
            for some in _portions(keys):
                records = self.rows.of_runs(some)
                _add_series(writer, some, records)
                for record in records:
                    runs.add(record)
                for comment in self.rows.of_comments(some):
                    comments.add(comment)
                self.tell("runs", runs.count, len(keys))
        writer.close()
        self.counts["points"] = writer.rows

    def _models(self) -> None:
        keys = self.rows.model_keys()
        writer = ModelPointsWriter(self.folder / MODEL_METRICS)
        with _Lines(self, "logged_models") as lines:
            for some in _portions(keys):
                records = self.rows.of_logged_models(some)
                _add_points(writer, some, records)
                for record in records:
                    lines.add(record)
                self.tell("logged models", lines.count, len(keys))
        writer.close()
        self.counts["model_points"] = writer.rows


class _Lines:
    """One member of lines, while it is written."""

    def __init__(self, gathering: Gathering, kind: str) -> None:
        self._gathering, self._kind, self.count = gathering, kind, 0
        self._out = (gathering.folder / KINDS[kind]).open("wb")
        self._facts = hashlib.sha256()

    def __enter__(self) -> "_Lines":
        return self

    def add(self, record: Any) -> None:
        self._out.write(line_of(record))
        self._facts.update(fact_line(record))
        self.count += 1
        for _, digest, size_bytes in getattr(record, "files", None) or ():
            self._gathering.contents[digest] = size_bytes

    def __exit__(self, *_: object) -> None:
        self._out.close()
        self._gathering.counts[self._kind] = self.count
        self._gathering.kinds[self._kind] = self._facts.hexdigest()


def _portions(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


def _add_series(writer: PointsWriter | None, keys: Sequence[int], records: Sequence[RunRecord]) -> None:
    """Give each run the digests of its series, and write their points where there is a writer."""
    by_key = dict(zip(keys, records, strict=True))
    place = {key: number for number, key in enumerate(keys)}
    rows = list(MetricSeries.objects.filter(run__in=keys))
    rows.sort(key=lambda one: (place[one.run_id], one.key, one.context))
    for some in in_portions(rows):
        points, pieces = history_of_many(some), []
        for one in some:
            of_one, record = points[one.pk], by_key[one.run_id]
            if len(of_one):
                record.series.append((one.key, one.context, len(of_one), series_digest(of_one)))
                pieces.append(Piece(record.id, one.key, one.context, of_one))
        if writer is not None:
            writer.write(pieces)


def _add_points(writer: ModelPointsWriter | None, keys: Sequence[int], records: Sequence[LoggedModelRecord]) -> None:
    found: dict[int, list[ModelPoint]] = defaultdict(list)
    names = {key: record.id for key, record in zip(keys, records, strict=True)}
    for one in ModelMetric.objects.filter(model__in=keys).select_related("run").iterator(chunk_size=2000):
        value = float("nan") if one.is_nan else float(one.value)
        where = (one.key, one.step, one.at_ms, value, one.dataset_name, one.dataset_digest)
        found[one.model_id].append(ModelPoint(one.run.uid.hex, names[one.model_id], *where))
    for key, record in zip(keys, records, strict=True):
        points = sorted(found[key], key=ModelPoint.line)
        if points:
            record.metrics = points_digest(one.line() for one in points)
        if writer is not None:
            writer.write(points)


def whole_runs(rows: Rows, keys: Sequence[int]) -> list[RunRecord]:
    """Runs as they are here now, with the digests of their series."""
    records = rows.of_runs(keys)
    _add_series(None, keys, records)
    return records


def whole_models(rows: Rows, keys: Sequence[int]) -> list[LoggedModelRecord]:
    """Logged models as they are here now, with the digest of their points."""
    records = rows.of_logged_models(keys)
    _add_points(None, keys, records)
    return records
