"""What the length of a series costs: histories, pages, samples and further batches, from 1,000 points to a million.

python bench/curves.py                            SQLite, a server started here
python bench/curves.py --postgres                 PostgreSQL as well
python bench/curves.py --postgres --save bench/results/curve-growth.json
python bench/curves.py --archived                 and from the file that a run's points become, in the data directory
python bench/curves.py --s3                       and in S3, started here

One run for each size, logged in batches of 1,000 points. Histories and samples are asked for twice: of the segments as
they were logged (as far as the worker left them so), and after `manage.py compact_metrics`; and again of runs that have
ended and are archived. Milliseconds until the last byte is there, medians of rounds that visit all sizes; the client
does not read the JSON. `bench/chart.py` draws what is saved.
"""

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import reading, report, started  # noqa: E402
from bench.connection import Connection, Server  # noqa: E402
from bench.load import timed  # noqa: E402
from bench.writing import batch_body  # noqa: E402
from tests.services.s3 import S3Server, running_s3  # noqa: E402

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MERGED = ("whole history", "sample of 320")
ROUNDS = 9
ARCHIVE_WITHIN_SECONDS = 300  # a run has to be sealed first, by the worker
SAMPLED = "ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"
WHOLE = "api/2.0/mlflow/metrics/get-history"
Call = Callable[[], object]
Measured = dict[str, dict[int, float]]


def asked(connection: Connection, path: str, points: int, **params: object) -> Call:
    """A read that has to give so many points."""
    address = f"{path}?{urllib.parse.urlencode({**params, 'metric_key': 'loss'})}"

    def call() -> None:
        found = connection.request("GET", address).count(b'"value":')
        if found != points:
            raise RuntimeError(f"{address} gave {found:,} points, not {points:,}")

    return call


def reads(connection: Connection, run: str, size: int) -> Iterator[tuple[str, Call]]:
    """What is asked of a run with so many points, at steps 0, 1, 2, …"""
    part = max(size // 100, 100)
    first = size // 2
    window = {"start_step": first, "end_step": first + part - 1, "max_results": 320}
    yield "whole history", asked(connection, WHOLE, size, run_id=run)
    yield "page of 1,000", asked(connection, WHOLE, min(size, 1_000), run_id=run, max_results=1_000)
    yield "sample of 320", asked(connection, SAMPLED, 320, run_ids=run, max_results=320)
    yield "sample of a hundredth", asked(connection, SAMPLED, min(320, part), run_ids=run, **window)


def batches(connection: Connection, run: str, size: int) -> Call:
    """The next thousand points behind those that are there, each time."""
    behind = iter(range(size, 2**62, 1_000))
    return lambda: connection.post_raw("runs/log-batch", batch_body(run, next(behind), 1_000, ["loss"]))


def measure(works: dict[int, list[tuple[str, Call]]], ending: str = "") -> Measured:
    """Medians of rounds through all sizes; long answers are asked for three times only."""
    times: dict[tuple[str, int], list[float]] = {}
    for number in range(ROUNDS):
        for size, some in works.items():
            for name, call in some:
                if name != "whole history" or size < SIZES[-1] or number < 3:
                    times.setdefault((name + ending, size), []).append(1000 * timed(call))
    found: Measured = {}
    for (name, size), each in times.items():
        found.setdefault(name, {})[size] = round(median(each), 2)
    return found


def grown(server: Server, manage: Callable[..., str]) -> Measured:
    """All works at all sizes on one server."""
    connection = server.connect()
    experiment = connection.post("experiments/create", name="curves")["experiment_id"]
    runs = {size: reading.fill_curve(server, experiment, size, curves=1) for size in SIZES}
    asking = {size: list(reads(connection, run, size)) for size, run in runs.items()}
    measured = measure(asking)
    manage("compact_metrics")
    again = {size: [one for one in some if one[0] in MERGED] for size, some in asking.items()}
    measured |= measure(again, ", merged")
    further = {size: [("log-batch of 1,000", batches(connection, run, size))] for size, run in runs.items()}
    return measured | measure(further)


def archived(server: Server, manage: Callable[..., str], where: str) -> Measured:
    """Reads of runs whose points are a file each."""
    connection = server.connect()
    experiment = connection.post("experiments/create", name="archived")["experiment_id"]
    runs = {size: reading.fill_curve(server, experiment, size, curves=1) for size in SIZES}
    for run in runs.values():
        connection.post("runs/update", run_id=run, status="FINISHED", end_time=1_700_000_000_000)
    until = time.monotonic() + ARCHIVE_WITHIN_SECONDS
    while len(runs) > len(re.findall(r"unchanged since", manage("archive_runs", "--older-than=0", "--dry-run"))):
        if time.monotonic() > until:
            raise RuntimeError("The runs that ended were not sealed, so they cannot be archived.")
        time.sleep(2)
    print(manage("archive_runs", "--older-than=0"), flush=True)
    return measure({size: list(reads(connection, run, size)) for size, run in runs.items()}, f", {where}")


def on(database: str, url: str, *, with_archive: bool = False, s3: S3Server | None = None) -> Measured:
    """The same on a server of its own."""
    with tempfile.TemporaryDirectory() as place:
        mled = started.mled(Path(place) / "mled", url)
        if s3 is not None:
            bucket = f"s3://{s3.bucket()}/{database.lower()}?endpoint={s3.endpoint}&addressing=path"
            mled.environment |= {**s3.environment, "MLED_BLOBS": bucket}

        def manage(*command: str) -> str:
            done = subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=ROOT, env=mled.environment, check=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            return done.stdout

        mled.start("start")
        try:
            server = mled.server(started.make_member(mled, "bench"))
            measured = grown(server, manage)
            if with_archive:
                measured |= archived(server, manage, "in S3" if s3 else "archived")
        finally:
            mled.stop()
    print(table(database, measured), flush=True)
    return measured


def table(database: str, measured: Measured) -> str:
    """Markdown: a line for each work."""
    lines = [f"| {database}, ms | " + " | ".join(f"{size:,}" for size in SIZES) + " |", "|---" * (1 + len(SIZES)) + "|"]
    lines += [f"| {work} | " + " | ".join(f"{at[size]:,.1f}" for size in SIZES) + " |" for work, at in measured.items()]
    return "\n".join(lines)


def postgres() -> contextlib.AbstractContextManager[str]:
    import tests.services.postgres as own

    own.SETTINGS |= {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    return own.running_postgres()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--archived", action="store_true", help="and of runs whose points are a file")
    parser.add_argument("--s3", action="store_true", help="that file in S3, by a server started here")
    parser.add_argument("--save", type=Path, help="where to keep the figures, for bench/chart.py")
    options = parser.parse_args()
    measured = {}
    with contextlib.ExitStack() as stack:
        s3 = stack.enter_context(running_s3()) if options.s3 else None
        asked_for = {"with_archive": options.archived or options.s3, "s3": s3}
        measured["SQLite"] = on("SQLite", "", **asked_for)
        if options.postgres:
            measured["PostgreSQL"] = on("PostgreSQL", stack.enter_context(postgres()), **asked_for)
    if options.save:
        machine = report.machine()
        words = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}"
        kept = {"title": "One series", "unit": "points a series", "machine": words, "measured": measured}
        options.save.write_text(json.dumps(kept, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
