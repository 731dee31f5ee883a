"""mled recreate --there: a run is done again on the server's workers, and the verdict is the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runner.engine import Engine
from tests.services.sandbox import executor_here

QUEUE = "shell-again"
# Speaks MLflow's protocol by itself; with --noise it measures something else each time.
TRAIN = """
import json, os, random, sys, urllib.request
random.seed(None if "--noise" in sys.argv else int(os.environ["MLED_SEED"]))
point = {"key": "loss", "value": random.random(), "timestamp": 1, "step": 0}
body = json.dumps({"run_id": os.environ["MLFLOW_RUN_ID"], "metrics": [point]}).encode()
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}
address = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-batch"
urllib.request.urlopen(urllib.request.Request(address, body, headers))
print("measured")
"""


@pytest.fixture(scope="module")
def worker(shell_team):
    """A worker of the shared server, for a queue of these tests alone."""
    engine = Engine(shell_team.live, executor=executor_here().name)
    engine.worker("shell-again", slots=2, queues=[QUEUE])
    yield engine
    engine.stop()


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.py").write_text(TRAIN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_is_followed_to_its_verdict_and_what_differs_ends_with_another_exit_code(mled, worker, code):
    for words, verdict, exit_code in (((), "same", 0), (("--noise",), "different", 1)):
        first = mled(
            "launch", "--queue", QUEUE, "--seed", "3", "--follow", "--json", "--", "python", "train.py", *words
        )
        assert first.code == 0, first.err
        (run, *_) = mled("runs", "--json", "--limit", "1").json
        said = mled("recreate", run["readable_id"], "--there", "--json")
        assert said.code == exit_code, said.err
        assert (said.json["verdict"], said.json["reproduces"]) == (verdict, run["readable_id"])
        assert said.json["metrics"][0]["verdict"] == verdict
        assert "measured" in said.err
        again = mled("show", "--json", said.json["run_id"]).json
        assert again["tags"]["mled.reproduces"] == run["id"]


def test_it_is_said_beforehand_what_cannot_be_met_and_nothing_is_launched(mled, code):
    made = mled("launch", "--queue", "nobody-here", "--json", "--", "python", "train.py").json
    waiting = mled("recreate", made["readable_id"], "--there")
    assert (waiting.code, "is not over yet" in waiting.err) == (1, True)
    dry = mled("recreate", made["readable_id"], "--there", "--dry-run", "--json")
    assert (dry.code, dry.json["cannot"], dry.json["queue"]) == (0, [], "nobody-here")
    assert "Workers: none serves the queue" in dry.err
    assert "  command     python train.py\n" in dry.err
    assert "  code        as it was uploaded then\n" in dry.err
    assert "  limits      cpus " in dry.err
    assert mled("recreate", made["readable_id"], "--there", "--as-is").code == 2
    assert mled("recreate", "0" * 32, "--there").code == 3


def test_what_only_the_server_has_is_done_again_there_and_that_is_said(mled, code):
    made = mled("launch", "--queue", "nobody-here", "--json", "--", "python", "train.py").json
    here = mled("recreate", made["readable_id"], "--dry-run")
    assert here.code == 1
    assert f"sent to the server, whose workers do this again: mled recreate {made['readable_id']} --there" in here.err
    (code / "stays.csv").write_text("age,died\n70,yes\n41,no\n")
    assert mled("datasets", "push", "stays there", "stays.csv").code == 0
    said = mled("launch", "--trainer", "tabular", "--param", "target=died", "--data", "train=stays there v1", "--json")
    assert said.code == 0, said.err
    run = said.json["readable_id"]
    here = mled("recreate", run, "--yes")
    assert here.code == 1
    assert f"the trainer 'tabular' is the server's own, so its workers do this again: mled recreate {run} --there" in (
        " ".join(here.err.split())
    )
    assert mled("jobs", "stop", said.json["id"]).code == 0
