"""Archives: the points of ended runs in one Parquet file, the same to the last bit for everybody who reads them."""

from __future__ import annotations

import math
import pickle
import random
import struct
import subprocess
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts.actions.content import collect_blobs, mark_unnamed_blobs
from artifacts.models import Blob
from artifacts.queries.content import places_of
from artifacts.storage import StoredBlob, blobs
from artifacts.storage.base import BlobDamaged
from audit.compliance.actions.holds import place_hold
from audit.ledger.acting import acting
from audit.ledger.verify import verify_ledger
from experiments.actions.archives import archive_run, keep_archive
from experiments.actions.purging import empty_run, facts_digest
from experiments.actions.runs import delete_run, lock_run, update_run
from experiments.actions.seals import seal_run
from experiments.metrics import archive_file
from experiments.metrics.archive_making import draw_up
from experiments.metrics.batch import Batch, MetricPoint
from experiments.metrics.compaction import compact
from experiments.metrics.seal import seal_of
from experiments.metrics.store import Points, counts_of_many, history, history_of_many, history_page
from experiments.models import MetricArchive, MetricSegment, MetricSeries, Run
from experiments.queries.record import small_curves
from experiments.queries.runs import metric_curves, series_of
from experiments.values import RunStatus
from kernel import clock
from kernel.actor import operator, system
from kernel.errors import Conflict
from tests.artifacts.stores import Bucket, Files
from tests.factories import STARTED_MS, a_run, a_team, events_since, log_batch, user_of
from tests.services.processes import ROOT

pytestmark = pytest.mark.django_db
ODD = [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]


@pytest.fixture(params=["files", "s3"])
def store(request, monkeypatch, tmp_path, settings):
    """Blobs on disk, and in a bucket of a real S3 server."""
    if request.param == "files":
        made = Files(tmp_path / "blobs")
        settings.MLED_BLOBS = str(tmp_path / "blobs")
    else:
        server = request.getfixturevalue("s3_server")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        made = Bucket(server)
        settings.MLED_BLOBS = f"s3://{made.bucket}/{made.prefix}?endpoint={server.endpoint}"
    return made


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def small(monkeypatch):
    """Row groups that a test can fill."""
    monkeypatch.setattr(archive_file, "GROUP", 50)


def fresh(run: Run) -> Run:
    return Run.objects.get(pk=run.pk)


def ended(team, *batches: list[MetricPoint]) -> Run:
    """A sealed run with these batches."""
    run = a_run(team.scientist)
    for batch in batches:
        log_batch(team.scientist, fresh(run), batch=Batch(metrics=batch))
    update_run(team.scientist, fresh(run), status=RunStatus.FINISHED, ended_ms=STARTED_MS)
    return seal_run(system(), fresh(run))


def wave(count: int, key: str = "loss", *, first: int = 0) -> list[MetricPoint]:
    steps = range(first, first + count)
    noise = [random.Random(step).gauss(1 / (1 + step), 0.1) for step in steps]
    return [MetricPoint(key, value, STARTED_MS + 40 * step, step) for step, value in zip(steps, noise, strict=True)]


def odd(key: str = "odd") -> list[MetricPoint]:
    return [MetricPoint(key, value, STARTED_MS + place // 2, -place) for place, value in enumerate(ODD)]


def many(count: int) -> list[MetricPoint]:
    return [MetricPoint(f"weights/{n:04}", n / 7, STARTED_MS, 3) for n in range(count)]


def bits(points: Points) -> tuple[bytes, bytes, bytes]:
    return points.steps.tobytes(), points.times.tobytes(), points.values.tobytes()


def everything(viewer, run: Run) -> dict[str, object]:
    """What readers of all kinds see of the points of a run."""
    series = series_of(viewer, run)
    seen: dict[str, object] = {"seal": seal_of(fresh(run))}
    seen["counts"] = counts_of_many([one.pk for one in series])
    seen["sparks"] = small_curves(series)
    for one in series:
        seen[one.key] = bits(history(one))
        pages, after = [], None
        while True:
            page, after = history_page(one, 7, after)
            pages.append(bits(page))
            if after is None:
                break
        seen[f"{one.key} in pages"] = pages
        (curve,) = metric_curves(viewer, run, [one.key], buckets=8, window=(2.0, 60.0)).values()
        seen[f"{one.key} sampled"] = (curve.x.tobytes(), curve.y.tobytes(), curve.total)
    return seen


def segments(run: Run) -> list[tuple[int, bool]]:
    rows = MetricSegment.objects.filter(series__run=run).order_by("series__key", "min_ms", "pk")
    return [(one.count, one.archive_id is not None) for one in rows]


def content(archive: MetricArchive) -> bytes:
    with blobs().open(StoredBlob(archive.blob_id, archive.size_bytes)) as file:
        return file.read()


def test_readers_see_the_same_to_the_last_bit_wherever_the_points_lie(team, store, small):
    run = ended(team, wave(130), odd(), wave(20, first=60), many(30), [*wave(9, "val/loss"), *wave(9, "val/loss")])
    before = everything(team.scientist, run)
    (event,) = events_since(lambda: archive_run(system(), fresh(run)))
    assert everything(team.scientist, run) == before
    archive = MetricArchive.objects.get(run=run)
    assert (event.verb, event.subject) == ("experiments.keep_archive", f"experiments.run {run.uid.hex}")
    said = {"digest": archive.blob_id, "size_bytes": archive.size_bytes, "points": 177, "series": 33}
    assert event.changed("experiments.metricarchive") == {name: [None, value] for name, value in said.items()}
    assert [count for count, archived in segments(run) if not archived] == []
    assert not any(MetricSegment.objects.filter(series__run=run).exclude(values=b""))
    assert verify_ledger(limit=1000).problems == []


def test_other_tools_read_the_file_and_find_every_bit(team, tmp_path):
    run = ended(team, wave(1_000), wave(1_000, first=1_000), odd(), many(5))
    archive = archive_run(system(), fresh(run))
    path = tmp_path / "metrics.parquet"
    path.write_bytes(content(archive))
    table = pq.read_table(path)
    assert {f.name: str(f.type) for f in table.schema}["value"] == "double"
    in_duckdb = duckdb(f"SELECT key, context, step, timestamp, value FROM '{path}' WHERE run = '{run.uid.hex}'")
    in_arrow = list(
        zip(*(table[name].to_pylist() for name in ("key", "context", "step", "timestamp", "value")), strict=True)
    )
    told = [
        (one.key, one.context, step, at, value)
        for one in MetricSeries.objects.filter(run=run).order_by("key")
        for step, at, value in zip(*(column.tolist() for column in columns(history(one))), strict=True)
    ]
    assert [exact(row) for row in in_arrow] == [exact(row) for row in told]
    assert sorted(exact(row) for row in in_duckdb) == sorted(exact(row) for row in told)
    assert duckdb(f"SELECT count(DISTINCT key) FROM '{path}'") == [(7,)]


def duckdb(query: str) -> list[tuple]:
    """The rows that DuckDB finds, in a process of its own: its module complains of itself when it ends."""
    program = "import duckdb, pickle, sys; sys.stdout.buffer.write(pickle.dumps(duckdb.sql(sys.argv[1]).fetchall()))"
    told = subprocess.run([sys.executable, "-c", program, query], check=True, capture_output=True, timeout=120)
    return pickle.loads(told.stdout)  # noqa: S301 - of our own child


def columns(points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return points.steps, points.times, points.values


def exact(row) -> tuple:
    return (*row[:-1], struct.pack("<d", row[-1]))


def test_one_series_is_read_without_the_others(team, monkeypatch):
    run = ended(team, wave(900, "a"), wave(900, "b"), many(100))
    monkeypatch.setattr(archive_file, "GROUP", 1_000)
    archive = archive_run(system(), fresh(run))
    opened = pq.ParquetFile(blobs().open(StoredBlob(archive.blob_id, archive.size_bytes)))
    rows = [opened.metadata.row_group(n).num_rows for n in range(opened.num_row_groups)]
    assert rows == [900, 1000], "short series share a row group"
    read = []
    real = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda self, n, **more: read.append(n) or real(self, n, **more)
    )
    history(MetricSeries.objects.get(run=run, key="a"))
    assert read == [0]


@pytest.mark.once
def test_who_reads_an_archive_loads_no_more_than_it_takes(team, tmp_path):
    path = tmp_path / "metrics.parquet"
    path.write_bytes(content(archive_run(system(), ended(team, wave(30)))))
    program = (
        "import sys; from experiments.metrics.archive_file import Span, read; before = 'pyarrow' in sys.modules;"
        "print(before, len(read(open(sys.argv[1], 'rb'), [Span(0, 30)])[0]), 'pandas' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program, path], check=True, capture_output=True, text=True, cwd=ROOT)
    assert told.stdout.split() == ["False", "30", "False"]


def test_a_thousand_series_of_one_point_make_a_small_file(team):
    run = ended(team, many(1_000))
    assert archive_run(system(), fresh(run)).size_bytes < 40_000


def test_curves_of_many_runs_come_from_many_files(team, store):
    runs = [ended(team, wave(30, first=100 * place)) for place in range(4)]
    series = [series_of(team.scientist, run)[0] for run in runs]
    before = {pk: bits(points) for pk, points in history_of_many(series).items()}
    for run in runs[1:]:
        archive_run(system(), fresh(run))
    assert {pk: bits(points) for pk, points in history_of_many(series).items()} == before


def test_values_that_come_again_and_again_are_packed_otherwise_than_noise(team):
    repeated = [MetricPoint("accuracy", (n * n % 50) / 50, STARTED_MS + n, n) for n in range(1_000)]
    kinds = {}
    for name, batch in (("repeated", repeated), ("noise", wave(1_000))):
        archive = archive_run(system(), ended(team, batch))
        metadata = pq.ParquetFile(blobs().open(StoredBlob(archive.blob_id, archive.size_bytes))).metadata
        kinds[name] = metadata.row_group(0).column(5).encodings, archive.size_bytes
    assert "PLAIN" in kinds["repeated"][0]
    assert "BYTE_STREAM_SPLIT" in kinds["noise"][0]
    assert kinds["repeated"][1] < kinds["noise"][1] / 2


def test_a_resumed_run_goes_on_and_is_archived_again(team, small):
    run = ended(team, wave(60))
    first = archive_run(system(), fresh(run))
    update_run(team.scientist, fresh(run), status=RunStatus.RUNNING)
    log_batch(team.scientist, fresh(run), batch=Batch(metrics=[*wave(30, first=50), *wave(60), *wave(3, "late")]))
    assert counts_of_many([one.pk for one in series_of(team.scientist, run)]).keys()
    for one in series_of(team.scientist, run):
        compact(one.pk)
    before = everything(team.scientist, run)
    (loss,) = series_of(team.scientist, run, ["loss"])
    assert len(history(loss)) == 80, "what came twice is there once"
    with pytest.raises(Conflict, match="not sealed"):
        archive_run(system(), fresh(run))
    update_run(team.scientist, fresh(run), status=RunStatus.FINISHED, ended_ms=STARTED_MS)
    seal_run(system(), fresh(run))
    before["seal"] = fresh(run).seal
    (event,) = events_since(lambda: archive_run(system(), fresh(run)))
    assert everything(team.scientist, run) == before
    second = MetricArchive.objects.get(run=run)
    assert event.changed("experiments.metricarchive")["digest"] == [first.blob_id, second.blob_id]
    assert verify_ledger(limit=1000).problems == []
    assert not Blob.objects.get(pk=first.blob_id).metric_archives.exists()


@pytest.mark.parametrize("meanwhile", ["points", "merged", "renamed"])
def test_what_happens_while_the_file_is_made_is_not_lost(team, meanwhile):
    batches = [wave(1, first=n) for n in range(70)]
    run = ended(team, *batches)
    drawn = draw_up(fresh(run))
    if meanwhile == "points":
        log_batch(team.scientist, fresh(run), batch=Batch(metrics=wave(5, first=500)))
        seal_run(system(), fresh(run))
    elif meanwhile == "merged":
        (series,) = series_of(team.scientist, run)
        assert compact(series.pk) > 0
    else:
        update_run(team.scientist, fresh(run), name="other")
        seal_run(system(), fresh(run))
    before = everything(team.scientist, run)
    with pytest.raises(Conflict, match="while its archive was made"):
        keep_archive(system(), run=fresh(run), drawn=drawn)
    assert everything(team.scientist, run) == before
    archive_run(system(), fresh(run))
    assert everything(team.scientist, run) == before


def test_archiving_again_and_again_changes_nothing(team):
    run = ended(team, wave(50))
    first = archive_run(system(), fresh(run))
    second = archive_run(system(), fresh(run))
    assert (first.blob_id, first.points) == (second.blob_id, second.points), "the same points make the same file"
    assert archive_run(system(), ended(team)) is None, "no points, no file"


def test_locked_deleted_and_held_runs_are_archived_too(team):
    locked, deleted, held = (ended(team, wave(20, first=place)) for place in (0, 5, 9))
    place_hold(operator(), team.project, reason="A law suit.", run=held)
    lock_run(team.scientist, fresh(locked))
    delete_run(team.scientist, fresh(deleted))
    for run in (locked, deleted, held):
        now = fresh(run)
        seal_run(system(), now)
        archive_run(system(), fresh(run))
        assert seal_of(fresh(run)) == fresh(run).seal


def test_a_purged_run_gives_up_its_file(team, monkeypatch, settings):
    def purge(run):
        with acting(system(), "experiments.purge_of_a_test", project_id=run.project_id) as act:
            act.speaks_of(run.ledger_subject)
            empty_run(run)

    run = ended(team, wave(30))
    digest = archive_run(system(), fresh(run)).blob_id
    mark_unnamed_blobs(system())
    later = clock._now() + 30 * 86400
    (event,) = events_since(lambda: purge(fresh(run)))
    assert event.changed("experiments.metricarchive")["digest"] == [digest, None]
    assert not MetricArchive.objects.filter(run=run).exists()
    mark_unnamed_blobs(system())
    monkeypatch.setattr(clock, "_now", lambda: later)
    assert digest in {blob.digest for blob in collect_blobs(system())}


def test_the_collector_leaves_archives_alone(team, monkeypatch):
    archive = archive_run(system(), ended(team, wave(30)))
    mark_unnamed_blobs(system())
    later = clock._now() + 30 * 86400
    monkeypatch.setattr(clock, "_now", lambda: later)
    while collect_blobs(system()):
        continue
    assert len(content(archive)) == archive.size_bytes
    assert places_of(system(), archive.blob_id) == [f"run {archive.run.uid.hex}: archived points"]


@pytest.mark.parametrize("harm", ["lost", "spoilt", "cut"])
def test_a_damaged_archive_is_told_and_named(team, store, harm, client):
    run, other = ended(team, wave(300), odd()), ended(team, wave(40))
    archive, _ = archive_run(system(), fresh(run)), archive_run(system(), fresh(other))
    raw = bytearray(content(archive))
    raw[len(raw) // 2] ^= 0x10
    harms = {
        "lost": lambda: store.lose(archive.blob_id),
        "spoilt": lambda: store.spoil(archive.blob_id, bytes(raw)),
        "cut": lambda: store.spoil(archive.blob_id, bytes(raw[:-9])),
    }
    harms[harm]()
    (loss,) = series_of(team.scientist, run, ["loss"])
    (fine,) = series_of(team.scientist, other, ["loss"])
    assert list(small_curves([loss, fine])) == [fine.pk], "a small curve is no reason for an error"
    with pytest.raises(BlobDamaged, match="cannot be given out"):
        history(loss)
    assert len(history_of_many([fine])[fine.pk]) == 40
    (problem, *rest) = verify_ledger(limit=1000).problems
    assert rest == []
    assert run.uid.hex in problem.id
    assert "archived points" in problem.what
    client.force_login(user_of(team.scientist))
    answer = client.get(f"/r/{run.uid.hex}/curves.bin?key=loss")
    assert answer.status_code == 503
    assert b"cannot be given out" in answer.content
    assert facts_digest(fresh(run)) != facts_digest(fresh(other)), "what is lost can be purged"


def test_a_run_that_logs_on_costs_no_statement_more(team):
    run = a_run(team.scientist)
    log_batch(team.scientist, run, batch=Batch(metrics=wave(10)))
    (series,) = series_of(team.scientist, run)
    with CaptureQueriesContext(connection) as asked:
        history(series)
    assert len(asked) <= 1
