"""A small experiment whose runs differ in everything that a search can ask about."""

from dataclasses import dataclass
from typing import Any

from tests.client.wire import Wire

# Each run: when it started, its metrics, params, tags, and how it ended (status and time, if it did).
RUNS: dict[str, dict[str, Any]] = {
    "ant": {
        "start_time": 100,
        "metrics": {"acc": 0.5, "val loss": 1.5, "sum": 10},
        "params": {"lr": "0.1", "opt": "Adam", "note": "it's"},
        "tags": {"team": "Vision", "a.b.c": "dotted", "odd-key/1": "odd"},
        "end": ("FINISHED", 500),
    },
    "bee": {
        "start_time": 200,
        "metrics": {"acc": 0.9, "val loss": -2.5, "sum": 2},
        "params": {"lr": "10", "opt": "adam", "note": 'say "hi"'},
        "tags": {"team": "vision_a"},
        "end": ("FAILED", 300),
    },
    "cat": {
        "start_time": 300,
        "metrics": {"acc": "NaN", "sum": 7},
        "params": {"lr": "9", "opt": "SGD 100%"},
        "tags": {"team": "visionXa"},
        "end": ("KILLED", 400),
    },
    "dog": {
        "start_time": 400,
        "metrics": {"acc": "Infinity"},
        "params": {"lr": "", "opt": "a\\b"},
        "tags": {"team": "sound; OR x = 'y'"},
        "end": None,
    },
    "elk": {"start_time": 500, "metrics": {}, "params": {}, "tags": {}, "user_id": "zoë", "end": None},
    "fox": {"start_time": 600, "metrics": {"acc": "-Infinity"}, "params": {}, "tags": {}, "end": None},
}
EVERYONE = set(RUNS)


@dataclass(frozen=True)
class Zoo:
    """The experiment with its runs by name."""

    wire: Wire
    experiment_id: str
    ids: dict[str, str]

    def ask(self, filter: str = "", **more: Any) -> Any:
        asked = {"experiment_ids": [self.experiment_id], "filter": filter, **more}
        return self.wire.post("runs/search", **asked)

    def names(self, filter: str = "", **more: Any) -> list[str]:
        return [run["info"]["run_name"] for run in self.ask(filter, **more).get("runs", [])]

    def found(self, filter: str) -> set[str]:
        """The names of the runs that a filter finds, each only once."""
        names = self.names(filter)
        assert len(names) == len(set(names))
        return set(names)


def fill_zoo(wire: Wire) -> Zoo:
    experiment = wire.new_experiment()
    ids = {}
    for name, run in RUNS.items():
        created = wire.new_run(
            experiment, run_name=name, start_time=run["start_time"], user_id=run.get("user_id", "keeper")
        )
        wire.post(
            "runs/log-batch",
            run_id=created,
            metrics=[{"key": k, "value": v, "timestamp": 1, "step": 1} for k, v in run["metrics"].items()],
            params=[{"key": k, "value": v} for k, v in run["params"].items()],
            tags=[{"key": k, "value": v} for k, v in run["tags"].items()],
        )
        if run["end"]:
            wire.post("runs/update", run_id=created, status=run["end"][0], end_time=run["end"][1])
        ids[name] = created
    return Zoo(wire, experiment, ids)
