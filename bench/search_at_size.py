"""What searches, counts and pages cost as a database grows, and how many times more than with 10,000 runs.

python bench/search_at_size.py                                      SQLite: 1,000 to 200,000 runs, filled here
python bench/search_at_size.py --postgres                           PostgreSQL, started here: and a million
python bench/search_at_size.py --at 10000=/tmp/ten --at 200000=/tmp/many --at 1000000=postgres://…
                                                                    what `bench/fill.py` filled, of either database
python bench/search_at_size.py --only metric,OR                     shapes with one of these words

The sizes take turns, shape by shape, so that other work on the machine slows all of them alike; each is the median of
some rounds, and ± what half of the times lie closer than. `--processor` compares the processors'
time (this side's and PostgreSQL's), which other work moves less.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import report, started  # noqa: E402
from bench.pages import named, postgres, say  # noqa: E402
from bench.shapes import FLAT, SHAPES  # noqa: E402

SIZES = {"SQLite": (1_000, 10_000, 200_000), "PostgreSQL": (1_000, 10_000, 100_000, 1_000_000)}
GROWS_FROM = 10_000  # in fewer runs most shapes find less than a page
GROWS_AT_MOST = 1.5
SHOWN = (
    "newest first, all projects", "by a metric, descending", "by a metric and a filter", "metric that nothing fulfils",
    "tag that one has, all projects", "page of the table", "count with two conditions", "by a param of few values",
)  # fmt: skip


@dataclass
class Asked:
    """One filled database, and the process that asks it."""

    database: str
    runs: int
    environment: dict[str, str]
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.shapes"], cwd=ROOT, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def times(self, shape: str, repeats: int) -> list[tuple[float, float]]:
        """Milliseconds by the clock and of the processors. Raises RuntimeError."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the process that asks has no pipes")
        self.process.stdin.write(json.dumps({"shape": shape, "repeats": repeats}) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline() or '{"error": "the process ended"}')
        if "error" in told:
            raise RuntimeError(told["error"])
        return [(wall, used) for wall, used in told["times"]]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@dataclass
class Cost:
    """One shape in one database at one size."""

    times: list[float] = field(default_factory=list)
    error: str = ""

    @property
    def shown(self) -> str:
        if self.error:
            return "stopped" if "TakesTooLong" in self.error else "failed"
        middle = median(self.times)
        return f"{middle:,.1f} ±{median(abs(one - middle) for one in self.times):,.1f}"


Costs = dict[str, dict[str, dict[int, Cost]]]  # by shape, database and size


def measure(databases: list[Asked], shapes: list[str], asked: argparse.Namespace) -> Costs:
    costs: Costs = {}
    for shape in shapes:
        here = costs[shape] = {one.database: {} for one in databases}
        for _ in range(asked.rounds):
            for one in databases:
                cost = here[one.database].setdefault(one.runs, Cost())
                try:
                    cost.times += [used if asked.processor else wall for wall, used in one.times(shape, asked.repeats)]
                except RuntimeError as failure:
                    cost.error = str(failure)
                    say(f"    {shape}, {one.runs:,} runs: {failure}")
        say(f"    {shape}: " + ", ".join(f"{runs:,} {c.shown}" for sizes in here.values() for runs, c in sizes.items()))
    return costs


def table(costs: Costs, database: str) -> str:
    """Markdown: a line for each shape, a column for each size, and how much it grew."""
    sizes = sorted({runs for of in costs.values() for runs in of[database]})
    lines = [["search", *(f"{runs:,} runs" for runs in sizes), "grows", "asked"]]
    lines.append(["---"] * len(lines[0]))
    for shape, of in costs.items():
        cells = [of[database][runs] for runs in sizes]
        first = of[database][next((runs for runs in sizes if runs >= GROWS_FROM), sizes[0])]
        whole = all(cell.times and not cell.error for cell in cells)
        times = f"{median(cells[-1].times) / median(first.times):.1f}x" if whole else ""
        wanted = f"{GROWS_AT_MOST}x" if shape in FLAT else ""
        lines.append([shape, *(cell.shown for cell in cells), times, wanted])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def kept(costs: Costs, shapes: list[str]) -> dict[str, Any]:
    """What bench/chart.py draws."""
    measured: dict[str, dict[str, dict[str, float]]] = {}
    for shape in shapes:
        for database, sizes in costs.get(shape, {}).items():
            line = {str(runs): median(cost.times) for runs, cost in sizes.items() if cost.times and not cost.error}
            measured.setdefault(database, {})[shape] = line
    machine = report.machine()
    words = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}"
    return {"title": "Search", "unit": "runs", "machine": words, "measured": measured}


@contextlib.contextmanager
def databases_of(asked: argparse.Namespace) -> Iterator[list[Asked]]:
    """Those that were named, or new ones, filled here."""
    with contextlib.ExitStack() as stack:
        places = [tuple(one.partition("=")[::2]) for one in asked.at or ()]
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mled-sizes-")))
        shared = started.clean_environment() | {"MLED_STATIC_ROOT": str(home / "static")}
        subprocess.run([sys.executable, "manage.py", "collectstatic", "-v0"], cwd=ROOT, env=shared, check=True)
        if not places:
            url = stack.enter_context(postgres(asked))
            sizes = asked.runs or SIZES["PostgreSQL" if url else "SQLite"]
            places = [(str(runs), named(url, runs) or str(home / str(runs))) for runs in sizes]
        found = []
        for runs, place in places:
            environment = shared | ({"DATABASE_URL": place} if "://" in place else {"MLED_DATA": place})
            if not asked.at:
                fill = [sys.executable, "bench/fill.py", "--runs", runs]
                subprocess.run(fill, cwd=ROOT, env=environment, check=True)
            found.append(Asked("PostgreSQL" if "://" in place else "SQLite", int(runs), environment))
            stack.callback(found[-1].stop)
        yield found


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at", action="append", metavar="RUNS=PLACE", help="a data directory or a database's URL")
    parser.add_argument("--runs", type=int, action="append", help="a size to fill; more than once for several")
    parser.add_argument("--postgres", nargs="?", const="", help="use PostgreSQL: at this URL, or started here")
    parser.add_argument("--only", default="", help="words of the shapes to measure, by comma")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5, help="in each round")
    parser.add_argument("--processor", action="store_true", help="compare the processors' time")
    parser.add_argument("--save", type=Path, metavar="FILE", nargs="?", const=ROOT / "bench/results/search-growth.json")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    asked = parse(arguments)
    words = [word for word in asked.only.split(",") if word]
    shapes = [name for name in SHAPES if not words or any(word in name for word in words)]
    begun = time.monotonic()
    with databases_of(asked) as databases:
        say(f"filled ({time.monotonic() - begun:.0f} s); asking …")
        costs = measure(databases, shapes, asked)
        names = list(dict.fromkeys(one.database for one in databases))
    for name in names:
        print(f"\n## {name}\n\n{table(costs, name)}")
    if asked.save:
        asked.save.parent.mkdir(parents=True, exist_ok=True)
        asked.save.write_text(json.dumps(kept(costs, list(SHOWN)), indent=2) + "\n")
        every = asked.save.with_name(f"{asked.save.stem}-all.json")
        every.write_text(json.dumps(kept(costs, shapes), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
