"""What the database and the disk can do with the same data and nothing around them, as durable as the servers are."""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.writing import Size

TABLE = """CREATE TABLE points (
    run_id {uuid} NOT NULL, key text NOT NULL, value {double} NOT NULL, time bigint NOT NULL, step bigint NOT NULL,
    PRIMARY KEY (run_id, key, step, time, value))"""
INSERT = "INSERT INTO points VALUES ({0}, {0}, {0}, {0}, {0})"
Row = tuple[str, str, float, int, int]


def rows(first: int, count: int, run_id: str) -> list[Row]:
    return [
        (run_id, key, 1 / (step + 1.5), 1_700_000_000_000 + step, step)
        for step in range(first, first + count // 4)
        for key in ("loss", "accuracy", "learning_rate", "gradient_norm")
    ]


def per_second(act: Callable[[int], object], seconds: float) -> float:
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        act(count)
        count += 1
    return count / (time.perf_counter() - begun)


def sqlite_limits(directory: Path, size: Size) -> dict[str, float]:
    """SQLite in WAL mode with synchronous=FULL: one row or a thousand per commit, and reading a curve's rows."""
    with tempfile.TemporaryDirectory(dir=directory) as place:
        database = sqlite3.connect(Path(place) / "limit.sqlite3", isolation_level=None)
        for setting in ("journal_mode=WAL", "synchronous=FULL"):
            database.execute(f"PRAGMA {setting}")
        database.execute(TABLE.format(uuid="text", double="real"))
        insert = INSERT.format("?")

        def batch(number: int) -> None:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(insert, rows(number * 250, 1000, "b" * 32))
            database.execute("COMMIT")

        limits = {
            "log_metric.c1": per_second(lambda n: database.execute(insert, rows(n, 4, "a" * 32)[0]), size.seconds),
            "log_batch.1000.c1": per_second(batch, size.seconds) * 1000,
        }
        limits["bytes.point"] = _sqlite_bytes(database)
        database.close()
    return limits | disk_limits(directory, size)


def _sqlite_bytes(database: sqlite3.Connection) -> float:
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = database.execute("PRAGMA page_count").fetchone()[0] * database.execute("PRAGMA page_size").fetchone()[0]
    return float(pages / database.execute("SELECT count(*) FROM points").fetchone()[0])


def postgres_limits(url: str, directory: Path, size: Size) -> dict[str, float]:
    """PostgreSQL with synchronous_commit=on: one INSERT or a COPY of a thousand rows per commit."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SET synchronous_commit=on")
        database.execute("DROP TABLE IF EXISTS points")
        database.execute(TABLE.format(uuid="uuid", double="double precision"))
        insert = INSERT.format("%s")

        def batch(number: int) -> None:
            with database.transaction(), database.cursor() as cursor, cursor.copy("COPY points FROM STDIN") as copy:
                for row in rows(number * 250, 1000, "b" * 32):
                    copy.write_row(row)

        limits = {
            "log_metric.c1": per_second(lambda n: database.execute(insert, rows(n, 4, "a" * 32)[0]), size.seconds),
            "log_batch.1000.c1": per_second(batch, size.seconds) * 1000,
        }
        [total, count] = database.execute(
            "SELECT pg_total_relation_size('points'), (SELECT count(*) FROM points)"
        ).fetchone() or (0, 1)
        limits["bytes.point"] = total / count
        database.execute("DROP TABLE points")
    return limits | disk_limits(directory, size)


def disk_limits(directory: Path, size: Size) -> dict[str, float]:
    """Writing and reading one large file, with fsync."""
    content = os.urandom(1 << 20) * size.mebibytes
    with tempfile.TemporaryDirectory(dir=directory) as place:
        path = Path(place) / "large.bin"
        begun = time.perf_counter()
        with path.open("wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        written = time.perf_counter()
        path.read_bytes()
        return {
            "artifact.up": size.mebibytes / (written - begun),
            "artifact.down": size.mebibytes / (time.perf_counter() - written),
        }
