"""Six runs that differ in everything a filter can ask, and how tests ask for them."""

import math

from experiments.queries.search import Dialect, search_runs
from tests.search.conftest import Team
from tests.search.reference import PlainRun

INF, NAN = math.inf, math.nan


def plain(name: str, started_ms: int | None, **more) -> PlainRun:
    return PlainRun(uid=f"{ord(name[0]):032x}", name=name, started_ms=started_ms, **more)


ANIMALS = [
    plain(
        "ant", 100, ended_ms=500, user="ada", status="FINISHED",
        metrics={"acc": [0.9, 0.5], "val/loss": [1.0]},
        params={"lr": "0.1", "opt": "Adam", "note": "it's"},
        tags={"mlflow.runName": "ant", "team": "vision"},
        datasets=[("mnist", "d1", "train"), ("mnist", "d2", "eval")],
    ),
    plain("bee", 200, ended_ms=300, status="FAILED", metrics={"acc": [0.9]}, params={"lr": "10", "opt": "adam"}),
    plain("cat", 300, ended_ms=400, metrics={"acc": [0.1, NAN]}, params={"lr": "9", "opt": "100%"}),
    plain("dog", 400, metrics={"acc": [INF]}, params={"lr": "auto", "opt": "a\\b"}, datasets=[("cifar", "d9", "")]),
    plain("elk", 500, metrics={"acc": [-INF]}),
    plain("fox", None, metrics={"acc": [NAN, NAN]}, params={"lr": "x" * 300}),
]  # fmt: skip


def names(team: Team, text: str = "", dialect: Dialect = Dialect.FULL, **more) -> list[str]:
    return [run.name for run in search_runs(team.viewer, text=text, dialect=dialect, **more).rows]


def found(team: Team, text: str, dialect: Dialect = Dialect.FULL) -> str:
    """The first letters of the runs found, sorted."""
    return "".join(sorted(name[0] for name in names(team, text, dialect)))
