"""How long it takes to import 1,000 runs with 1,000,000 points from a store of MLflow.

    python -m bench.import_mlflow [--runs 1000] [--points 1000] [--keep FOLDER]

Makes a store as MLflow 3.17 has it (the tables that an import reads), a database of MLED of its own, imports, compares,
and imports again. Prints seconds. DATABASE_URL names a PostgreSQL to use; else it is SQLite.
"""

import argparse
import json
import math
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERIES = 10
SPECIMEN = Path(__file__).parent.parent / "tests" / "transfer" / "specimen" / "store.sql"
AT_MS = 1_700_000_000_000


def main() -> None:
    """Make the store, import it twice, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=1000)
    asked.add_argument("--points", type=int, default=1000, help="of each run, in ten metrics")
    asked.add_argument("--keep", type=Path, help="a folder for the store and MLED's data; else they are removed")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="mled-bench-") as place:
        folder = given.keep or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        store = folder / "mlflow.db"
        make_store(store, given.runs, given.points)
        print(f"{given.runs:,} runs with {given.runs * given.points:,} points, {store.stat().st_size / 1e6:.0f} MB")
        print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the beginning")
        prepare(folder)
        for name in ("import", "import again"):
            begun = time.perf_counter()
            told = manage(
                folder,
                "import_mlflow",
                f"sqlite:///{store}",
                "--project",
                "bench",
                "--as",
                "a@example.org",
                "--without-files",
            )
            print(f"{name}: {time.perf_counter() - begun:.1f} s  {json.loads(told)}")


def make_store(path: Path, runs: int, points: int) -> None:
    """The tables of the specimen, and runs as a sweep leaves them: params, tags, ten metrics each."""
    path.unlink(missing_ok=True)
    base = sqlite3.connect(path)
    base.executescript(SPECIMEN.read_text())
    for table in ("metrics", "latest_metrics", "params", "tags", "inputs", "input_tags", "runs", "model_version_tags"):
        base.execute(f"DELETE FROM {table}")  # noqa: S608  # the names above
    for table in ("registered_model_aliases", "model_versions", "registered_model_tags", "registered_models"):
        base.execute(f"DELETE FROM {table}")  # noqa: S608  # the names above
    for table in ("logged_model_metrics", "logged_model_params", "logged_model_tags", "logged_models"):
        base.execute(f"DELETE FROM {table}")  # noqa: S608  # the names above
    for number in range(runs):
        _add_run(base, number, points // SERIES)
    base.commit()
    base.close()


def _add_run(base: sqlite3.Connection, number: int, steps: int) -> None:
    uid, start = f"{number:032x}", AT_MS + number * 1000
    base.execute(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, user_id, status, start_time, end_time, "
        "lifecycle_stage, artifact_uri, experiment_id) VALUES (?, ?, 'LOCAL', '', 'grace', 'FINISHED', ?, ?, 'active', "
        "?, 1)",
        [uid, f"run {number}", start, start + 900, f"mlflow-artifacts:/1/{uid}/artifacts"],
    )
    params = [(f"param_{index}", str(number * index), uid) for index in range(10)]
    base.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", params)
    tags = [("mlflow.runName", f"run {number}", uid), ("mlflow.user", "grace", uid), ("seed", str(number), uid)]
    base.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", tags)
    metrics = [
        (f"metric_{series}", math.sin(number + step * series), start + step, uid, step)
        for series in range(SERIES)
        for step in range(steps)
    ]
    base.executemany(
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)", metrics
    )


def prepare(folder: Path) -> None:
    """A database of MLED with somebody who may import."""
    manage(folder, "migrate", "-v0")
    manage(folder, "create_user", "a@example.org")
    manage(folder, "create_project", "bench")
    manage(folder, "add_member", "bench", "a@example.org", "data_scientist")


def manage(folder: Path, *command: str) -> str:
    """What a command of the operator says."""
    environment = {**os.environ, "MLED_DATA": str(folder / "mled")}
    done = subprocess.run(
        [sys.executable, "manage.py", *command], env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr[-4000:])
    return done.stdout


if __name__ == "__main__":
    main()
