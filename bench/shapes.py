"""What is asked of a database with many runs: each shape of a search, a count, a page. `bench/fill.py` made the runs.

One process for each database: `python -m bench.shapes` reads the name of a shape and how often, a line each, and
writes the milliseconds of every time.
"""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench.fill import ALONE, EMAIL, PROJECT, begin

PAGE = 100
MANY_CONDITIONS = (
    "metrics.`val/auroc` > 0.5", "metrics.`val/loss` < 0.9", "params.arch = 'tcn'", "params.optimizer != 'lion'",
    "params.batch_size = '64'", "params.window LIKE '%h'", "tags.team = 'team-1'", "tags.`mlflow.user` LIKE 'user%'",
    "attributes.status = 'FINISHED'", "attributes.start_time > 1700000000000",
)  # fmt: skip


@dataclass(frozen=True)
class Search:
    """A search for a page of runs and all that is in them. where: an experiment, "project" or "all"."""

    text: str = ""
    order: tuple[str, ...] = ()
    where: str = "sweep"
    viewer: str = EMAIL
    deep: int = 0  # pages before the one that is measured
    limit: int = PAGE


@dataclass(frozen=True)
class Count:
    """How many runs satisfy a filter."""

    text: str = ""
    where: str = "project"


@dataclass(frozen=True)
class Visit:
    """An HTML page."""

    path: str


Shape = Search | Count | Visit

# Those of which it is asked that they hardly grow: an index gives their order, or the list that they start from.
FLAT: dict[str, Shape] = {
    "newest first": Search(),
    "newest first, whole project": Search(where="project"),
    "newest first, all projects": Search(where="all"),
    "newest first, all projects, member of one": Search(where="all", viewer=ALONE),
    "by start, oldest first": Search(order=("attributes.start_time ASC",)),
    "by a metric, descending": Search(order=("metrics.`val/auroc` DESC",)),
    "by a metric, ascending": Search(order=("metrics.`val/loss` ASC",)),
    "by a metric, whole project": Search(order=("metrics.`val/auroc` DESC",), where="project"),
    "by a param of many values": Search(order=("params.lr ASC",)),
    "by a tag": Search(order=("tags.ticket DESC",)),
    "by a metric and a filter": Search(
        "metrics.`val/auroc` > 0.3 AND params.arch = 'tcn'", ("metrics.`val/auroc` DESC",)
    ),
    "metric that few reach": Search("metrics.`val/loss` < 0.0001", ("metrics.`val/loss` ASC",)),
    "metric that nothing fulfils": Search("metrics.`val/auroc` > 77"),
    "param": Search("params.arch = 'tcn'"),
    "param as a number": Search("params.lr < 0.0001"),
    "tag that one has": Search("tags.ticket = 'ICU-77'"),
    "tag that one has, all projects": Search("tags.ticket = 'ICU-77'", where="all"),
    "rare key": Search("params.distilled_from LIKE '%'"),
    "key that every run has": Search("tags.team LIKE 'team-%'"),
    "status": Search("attributes.status = 'FAILED'"),
    "times": Search("attributes.start_time > 1720000000000 AND attributes.start_time < 1721000000000"),
    "dataset": Search("dataset.name = 'icu-1'"),
    "ILIKE with a wildcard in front": Search("params.arch ILIKE '%FORMER%'"),
    "page 10 by a metric": Search(order=("metrics.`val/auroc` DESC",), deep=9),
    "page 100, newest first": Search(deep=99),
    "page of the table": Visit(f"/p/{PROJECT}/runs/?tree=0"),
    "page of the table, by a metric": Visit(f"/p/{PROJECT}/runs/?tree=0&sort=-metrics.val/auroc"),
    "page of all runs": Visit("/runs/?tree=0"),
}
# Those that read what grows.
OTHER: dict[str, Shape] = {
    "ten conditions": Search(" AND ".join(MANY_CONDITIONS)),
    "by a param of few values": Search(order=("params.batch_size ASC",)),
    "by a key that half of them have": Search(order=("params.warmup DESC",)),
    "by name": Search(order=("attributes.run_name ASC",)),
    "by status": Search(order=("attributes.status ASC",)),
    "OR over two kinds": Search("metrics.`val/auroc` > 0.99 OR params.arch = 'tcn'"),
    "OR over two rare": Search("tags.ticket = 'ICU-77' OR params.distilled_from LIKE '%'"),
    "NOT": Search("NOT params.arch = 'tcn'"),
    "ILIKE that nothing fulfils": Search("tags.ticket ILIKE '%zzz%'"),
    "name that nothing has": Search("attributes.run_name LIKE '%zzz%'"),
    "ten conditions that nothing fulfils": Search(
        " AND ".join(MANY_CONDITIONS[:9]) + " AND metrics.`val/f1` > 0.97 AND params.lr < 0.00002"
    ),
    "page of 1,000": Search(limit=1_000),
    "page of 1,000 in the middle": Search(limit=1_000, deep=5),
    "count of all": Count(),
    "count with two conditions": Count("metrics.`val/auroc` > 0.3 AND params.arch = 'tcn'"),
    "count of few": Count("metrics.`val/loss` < 0.0001"),
    "home": Visit("/"),
    "project": Visit(f"/p/{PROJECT}/"),
    "experiments": Visit(f"/p/{PROJECT}/experiments/"),
    "jump box: a name": Visit("/jump/?q=gru"),
    "jump box: nothing": Visit("/jump/?q=zzzz"),
    "charts": Visit(f"/p/{PROJECT}/runs/?view=charts"),
    "table as a tree": Visit(f"/p/{PROJECT}/runs/?tree=1"),
    "table by a group": Visit(f"/p/{PROJECT}/runs/?group=params.arch"),
    "table of nothing": Visit(f"/p/{PROJECT}/runs/?tree=0&q=params.arch%20%3D%20%27none%27"),
    "suggested values": Visit(f"/p/{PROJECT}/query/suggest/?q=params.arch+%3D+%27&at=15"),
}
SHAPES = FLAT | OTHER


@cache
def viewer_of(email: str) -> Any:
    from accounts.models import User
    from kernel.actor import Actor, ActorKind, Door

    user = User.objects.get(email=email)
    return Actor(ActorKind.USER, Door.MLFLOW, user_id=user.pk, user_name=user.name)


@cache
def scope_of(where: str) -> dict[str, Any]:
    from accounts.models import Project
    from experiments.models import Experiment

    if where == "all":
        return {}
    project = Project.objects.get(slug=PROJECT)
    if where == "project":
        return {"project": project}
    return {"project": project, "experiments": [Experiment.objects.get(project=project, name=where).pk]}


def asking(shape: Shape) -> Callable[[], object]:
    """What is timed, with everything ready that the asker would have."""
    from experiments.queries.search import count_runs, load_run_data, search_runs

    match shape:
        case Visit(path):
            return _visiting(path)
        case Count(text, where):
            return lambda: count_runs(viewer_of(EMAIL), **scope_of(where), text=text)
    said: dict[str, Any] = {"text": shape.text, "order": shape.order, "limit": shape.limit, **scope_of(shape.where)}
    viewer, after = viewer_of(shape.viewer), None
    for _ in range(shape.deep):
        page = search_runs(viewer, **said, after=after)
        after = page.next_token or after

    def ask() -> object:
        found = search_runs(viewer_of(shape.viewer), **said, after=after)
        return load_run_data([run.id for run in found.rows])

    return ask


def _visiting(path: str) -> Callable[[], object]:
    from django.test import Client

    from accounts.models import User

    visitor = Client(HTTP_HOST="localhost", headers={"accept": "text/html"})
    visitor.force_login(User.objects.get(email=EMAIL), "accounts.backends.EmailBackend")

    def ask() -> object:
        answer = visitor.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        return answer

    return ask


def times_of(name: str, repeats: int) -> Iterator[tuple[float, float]]:
    """Milliseconds by the wall's clock, and of the processors: this process's and PostgreSQL's for it. The first time
    is not counted."""
    ask = asking(SHAPES[name])
    for at in range(repeats + 1):
        begun, used = time.perf_counter(), processor_ms()
        ask()
        if at:
            yield 1000 * (time.perf_counter() - begun), processor_ms() - used


def processor_ms() -> float:
    """What this process and its connection to PostgreSQL have cost so far; the latter on Linux alone."""
    return 1000 * time.process_time() + sum(_run_ms(pid) for pid in _backends())


def _run_ms(pid: int) -> float:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6
    return 0.0


def _backends() -> list[int]:
    from django.db import connection

    raw = connection.connection
    return [raw.info.backend_pid] if raw is not None and connection.vendor == "postgresql" else []


def serve() -> None:
    begin()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            told: dict[str, Any] = {"times": list(times_of(asked["shape"], asked["repeats"]))}
        except Exception as error:  # whatever it is, it is this shape's result
            told = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    serve()
