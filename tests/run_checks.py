"""Everything that has to hold before a change lands: what `make test` and CI run.

    python -m tests.run_checks              checks, then the tests on SQLite and on PostgreSQL
    python -m tests.run_checks --no-tests   checks only (`make lint`)

Every check runs, whatever failed before it; the end is one summary, and the exit code says whether all of it held.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from prepare import find_node
from tests.services.browser import chromium
from tests.services.postgres import running_postgres

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
# More than these are no chance any more.
SECOND_TRIES = 4
WORKERS = os.environ.get("MLED_TEST_WORKERS") or str(min(os.cpu_count() or 2, 4))
SHELL = "chromium-headless-shell"
# Without its bytecode each worker, server and command would compile everything anew: a second and more for each.
LEFT_TO_PYTEST = {"DATABASE_URL", "PYTHONDONTWRITEBYTECODE"}


@dataclass
class Result:
    name: str
    state: str  # "ok", "failed" or "left out"
    seconds: float = 0.0
    words: str = ""  # what to show beside it in the summary
    output: str = ""
    left_out: list[str] = field(default_factory=list)  # tests that did not run, with the reason
    tried_twice: list[str] = field(default_factory=list)  # tests that failed at first, then held


def program(name: str) -> str:
    return str(PROGRAMS / name)


def checks(scratch: Path) -> list[tuple[str, list[str], dict[str, str]]]:
    """Name, command and extra environment of each check."""
    manage = [sys.executable, "manage.py"]
    empty = {"MLED_DATA": str(scratch / "data"), "DATABASE_URL": f"sqlite:///{scratch / 'none.sqlite3'}"}
    production = {
        **empty,
        "MLED_URL": "https://mled.example.org",
        "MLED_ALLOWED_HOSTS": "mled.example.org",
        "MLED_SECRET_KEY": "a-key-for-this-check-only-" + "0123456789abcdefghijklmnopqrstuvwxyz",
        "REDIS_URL": "redis://redis.example.org:6379/0",
    }
    return [
        ("mypy", [program("mypy")], empty),
        ("ruff check", [program("ruff"), "check", "--quiet", "."], {}),
        ("ruff format", [program("ruff"), "format", "--check", "--quiet", "."], {}),
        ("layers (import-linter)", [program("lint-imports"), "--no-cache"], {}),
        ("TypeScript", [find_node()[0], str(ROOT / "node_modules/typescript/bin/tsc"), "--noEmit"], {}),
        ("templates (djlint)", [program("djlint"), "--lint", "--quiet", "templates"], {}),
        ("manage.py check --deploy", [*manage, "check", "--deploy", "--fail-level", "WARNING"], production),
        ("missing migrations", [*manage, "makemigrations", "--check", "--dry-run"], empty),
    ]


def run_check(name: str, command: list[str], environment: dict[str, str]) -> Result:
    begun = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    state = "ok" if done.returncode == 0 else "failed"
    result = Result(name, state, time.monotonic() - begun, output=done.stdout)
    report(result)
    return result


def run_all_checks() -> list[Result]:
    scratch = Path(tempfile.mkdtemp(prefix="mled-checks-"))
    try:
        with ThreadPoolExecutor(2) as lanes:
            return list(lanes.map(lambda check: run_check(*check), checks(scratch)))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def provide_chromium() -> Result:
    """Browser tests need Debian's Chromium; as root on Debian the run installs it, else it says what it leaves out.

    Its headless shell takes a fifth of the time to open a page; without it they run in Chromium itself.
    """
    begun, said = time.monotonic(), ""
    if not shutil.which(SHELL) and os.geteuid() == 0 and shutil.which("apt-get"):
        said = install(SHELL)
        if not chromium():
            said += install("chromium")
    seconds = time.monotonic() - begun
    if chromium():
        return Result("Chromium", "ok", seconds, words=str(chromium()))
    why = "browser tests are left out: Chromium is missing, and "
    why += "apt could not install it" if said else "this is not root on Debian, who could install it"
    return Result("Chromium", "left out", seconds, words=why, output=said)


def install(package: str) -> str:
    """What apt said of it. A machine without a network is soon done."""
    say(f"Installing {package} (apt)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    patience = ["-qq", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=10"]
    told = ""
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        done = subprocess.run(
            ["apt-get", *patience, *command], env=environment, capture_output=True, text=True, check=False
        )
        told += done.stdout + done.stderr
    return told


def run_tests(name: str, database_url: str | None) -> Result:
    """One pass of pytest, shown as it goes."""
    say(f"Tests on {name}")
    begun, before = time.monotonic(), psutil.cpu_times()
    environment = {key: value for key, value in os.environ.items() if key not in LEFT_TO_PYTEST}
    if database_url:
        environment["DATABASE_URL"] = database_url
    command = [
        program("pytest"),
        "-q",
        "-rfEsR",
        f"-n{WORKERS}",
        "--color=no",
        *(["-m", "not once"] if database_url else []),
    ]
    running = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line)
        sys.stdout.write(line)
        sys.stdout.flush()
    state = "ok" if running.wait() == 0 else "failed"
    closing = next(
        (line.strip(" =\n") for line in reversed(lines) if re.search(r"\d+ (passed|failed|error)", line)), ""
    )
    left_out = [line.strip() for line in lines if line.startswith("SKIPPED")]
    words = closing or f"pytest ended with {running.returncode}"
    if not_here := re.search(r"(\d+) deselected", closing):
        left_out.append(f"[{not_here[1]}] take no database, or are marked once: they run on SQLite")
    words += f"; processors {busy_since(before):.0%} busy"
    tried_twice = [line.strip().removeprefix("RERUN ") for line in lines if line.startswith("RERUN ")]
    if len(tried_twice) > SECOND_TRIES:
        state, words = "failed", f"{words}; {len(tried_twice)} second tries, {SECOND_TRIES} are allowed"
    seconds = time.monotonic() - begun
    return Result(f"tests on {name}", state, seconds, words=words, left_out=left_out, tried_twice=tried_twice)


def busy_since(before: tuple[float, ...]) -> float:
    """The share of this machine's processor time that somebody used: what is left, one more worker could use."""
    now = psutil.cpu_times()
    spent = dict(zip(now._fields, map(float.__sub__, now, before), strict=True))
    # A guest's time is within the others'.
    whole = sum(seconds for kind, seconds in spent.items() if not kind.startswith("guest"))
    return 1 - (spent["idle"] + spent.get("iowait", 0)) / whole if whole else 0.0


def run_tests_on_postgres() -> Result:
    try:
        with running_postgres() as url:
            return run_tests("PostgreSQL", url)
    except Exception as error:
        return Result("tests on PostgreSQL", "failed", words=f"PostgreSQL did not start: {error}")


def report(result: Result) -> None:
    print(line_of(result), flush=True)
    if result.state == "failed" and result.output:
        print(result.output.rstrip(), flush=True)


def line_of(result: Result) -> str:
    return f"  {result.state:<9} {result.seconds:6.1f} s  {result.name:<26} {result.words}".rstrip()


def say(line: str) -> None:
    print(f"\n--- {line}", flush=True)


def summarise(results: list[Result], seconds: float) -> int:
    say("Summary")
    for result in results:
        print(line_of(result))
    for result in results:
        for reason in result.left_out:
            print(f"  left out in {result.name}: {reason.removeprefix('SKIPPED ')}")
        for test in result.tried_twice:
            print(f"  held at the second try only in {result.name}: {test}")
    failed = [result.name for result in results if result.state == "failed"]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "All of it holds."
    print(f"\n{verdict} ({seconds / 60:.1f} minutes)", flush=True)
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-tests", action="store_true", help="checks only")
    options = parser.parse_args()
    begun = time.monotonic()
    say("Checks")
    results = run_all_checks()
    if not options.no_tests:
        steps: list[Callable[[], Result]] = [provide_chromium, lambda: run_tests("SQLite", None), run_tests_on_postgres]
        results += [step() for step in steps]
    return summarise(results, time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main())
