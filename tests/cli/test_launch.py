"""launch, jobs, sweep: a folder is sent, done by a real worker, followed to its exit code."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from mled import Client
from mled.following import clean_lines, parted
from mled.packing import names_below, pack
from mled.problems import Usage
from mled.wanted import scalar
from tests.cli.conftest import SLUG
from tests.runner.engine import Engine
from tests.services.sandbox import executor_here

QUEUE = "shell-launch"
TRAIN = """
import json, os, pathlib, sys
lr = float(sys.argv[sys.argv.index("--lr") + 1])
print("rate", lr, "ärgerlich", flush=True)
print("to stderr", file=sys.stderr, flush=True)
print(sorted(path.name for path in pathlib.Path(".").iterdir()))
if lr < 0:
    raise SystemExit(7)
"""


@pytest.fixture(scope="module")
def worker(shell_team):
    """A worker of the shared server, for a queue of these tests alone."""
    engine = Engine(shell_team.live, executor=executor_here().name)
    engine.worker("shell-worker", slots=2, queues=[QUEUE])
    yield engine
    engine.stop()


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "code"
    (folder / "data").mkdir(parents=True)
    (folder / "train.py").write_text(TRAIN)
    (folder / ".gitignore").write_text("data/\n*.ckpt\n")
    (folder / "data" / "large.bin").write_bytes(b"x" * 1000)
    (folder / "last.ckpt").write_bytes(b"x")
    (folder / ".env").write_text("TOKEN=geheim")
    monkeypatch.chdir(folder)
    return folder


def launch(mled, *more, lr="0.1"):
    return mled("launch", "--queue", QUEUE, "--param", f"lr={lr}", *more, "--", "python", "train.py", "--lr", "{lr}")


def test_a_folder_is_sent_run_and_followed_to_its_exit_code(mled, worker, code):
    done = launch(mled, "--follow", "--experiment", "by launch", "--name", "first", "--seed", "3")
    assert done.code == 0, done.err
    assert done.out == "rate 0.1 ärgerlich\n['.gitignore', 'train.py']\n"
    assert "to stderr" in done.err
    assert "Left out: .env, which by its name holds secrets." in done.err
    assert "is finished, exit code 0." in done.err
    (run,) = mled("runs", "--name", "first", "--experiment", "by launch", "--json").json
    assert (run["status"], run["experiment_name"]) == ("FINISHED", "by launch")
    assert f"/r/{run['readable_id']}/" in done.err
    shown = mled("jobs", "show", run["readable_id"], "--json").json
    assert (shown["params"], shown["seed"], shown["exit_code"]) == ({"lr": 0.1}, 3, 0)
    assert mled("jobs", "log", shown["id"]).out == done.out
    failed = launch(mled, "--follow", lr="-1")
    assert (failed.code, "is failed, exit code 7." in failed.err) == (7, True)


def test_what_waits_is_listed_stopped_and_tried_again(mled, shell_team, code):
    what = ("--param", "lr=0.5", "--", "python", "train.py", "--lr", "{lr}")
    made = mled("launch", "--queue", "nobody-serves-this", "--json", *what).json
    assert (
        mled("jobs", "list", "--queue", "nobody-serves-this", "--state", "open", "--json").json[0]["id"] == made["id"]
    )
    rows = mled("jobs", "list", "--mine", "--queue", "nobody-serves-this").rows
    assert rows[0][:4] == ["id", "name", "state", "queue"]
    assert rows[1][0] == made["readable_id"]
    assert "not over yet" in mled("jobs", "retry", made["id"]).err
    assert (
        mled("jobs", "stop", made["readable_id"], "--reason", "Wrong data.").out
        == f"{made['readable_id']} is stopped.\n"
    )
    assert "over already" in mled("jobs", "stop", made["id"]).err
    shown = dict(row[:2] for row in mled("jobs", "show", made["id"]).rows)
    assert {"stands", "worker", "started", "exit code", "seed"} & set(shown) == set(), "no fact is empty"
    assert (shown["stopped by"], shown["why"]) == (shown["by"], "Wrong data.")
    assert shown["stop asked"]
    assert shown["command"] == "python train.py --lr 0.5"
    again = mled("jobs", "retry", made["id"], "--json").json
    assert again["retry_of"] == made["id"]
    assert mled("jobs", "show", made["id"], "--json").json["retried_as"] == again["id"]
    assert mled("jobs", "stop", again["id"]).code == 0
    assert mled("jobs", "show", "QXZ-1").code == 3


def test_a_sweep_runs_each_point_and_tells_the_best(mled, worker, code):
    (code / "train.py").write_text(
        "import os, sys\nfrom mlflow_free import log\nlog('score', float(sys.argv[1]) * 2)\n"
    )
    (code / "mlflow_free.py").write_text(
        "import json, os, time, urllib.request\n"
        "def log(key, value):\n"
        "    body = {'run_id': os.environ['MLFLOW_RUN_ID'], 'key': key, 'value': value,\n"
        "            'timestamp': int(time.time() * 1000), 'step': 0}\n"
        "    address = os.environ['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/log-metric'\n"
        "    token = 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN']\n"
        "    request = urllib.request.Request(address, json.dumps(body).encode(),\n"
        "                                     {'Content-Type': 'application/json', 'Authorization': token})\n"
        "    urllib.request.urlopen(request).read()\n"
    )
    goal = ("--metric", "score", "--goal", "max")
    what = ("--queue", QUEUE, "--wait", "--json", "--", "python", "train.py", "{lr}")
    done = mled("sweep", "--over", "lr=1, 3, 2", "--at-once", "2", *goal, *what)
    assert done.code == 0, done.err
    assert "3 finished" in done.err
    (told,) = [one for one in mled("sweeps", "--json").json if one["id"] in done.out]
    found = mled("sweeps", told["id"], "--json").json
    assert (found["state"], found["counts"], found["best"]["value"]) == ("done", {"finished": 3}, 6.0)
    assert found["best"]["point"] == {"lr": 3}
    assert f"score={found['best']['value']}" in mled("sweeps", told["id"]).out
    assert told["readable_id"] in [row[0] for row in mled("sweeps").rows]


def test_what_cannot_be_meant_is_told_by_the_option(mled, code):
    assert launch(mled, "--memory", "much").code == 2
    assert "--memory" in launch(mled, "--memory", "much").err
    told = launch(mled, "--memory", "much", "--time", "long", "--param", "x", "--data", "y", "--template", "none such")
    places = [line.strip().partition(":")[0] for line in told.err.splitlines() if line.startswith("  --")]
    assert places == ["--template", "--param", "--data", "--memory", "--time"], "all at once, and nothing was sent"
    told = mled(
        "launch", "--queue", QUEUE, "--data", "train=nothing v9", "--seed", "-1", "--", "python", "x.py", "{lr}"
    )
    places = [line.strip().partition(":")[0] for line in told.err.splitlines() if line.startswith("  --")]
    assert places == ["--param lr", "--seed", "--data train"]
    told = launch(mled, "--param", "x", "--param", "lr=2", "--tag", "y", "--tag", "z", "--time", "long")
    lines = [line.strip() for line in told.err.splitlines() if line.startswith("  --")]
    assert [line.partition(":")[0] for line in lines] == ["--param", "--param", "--time", "--tag", "--tag"]
    assert "'x' names no value" in lines[0]
    assert "'lr' is given twice" in lines[1]
    told = mled("sweep", "--over", "a", "--over", "b", "--budget", "long", "--tag", "z", "--", "true")
    assert [line.strip()[:6] for line in told.err.splitlines() if line.startswith("  --")] == [
        "--over", "--over", "--budg", "--tag:"
    ]  # fmt: skip
    told = mled("launch", "--repository-secret", "X", "--", "true")
    assert (told.code, "A secret opens a repository" in told.err) == (2, True)
    address = "https://ada:geheim@git.example.org/x.git"
    told = mled("launch", "--repository", address, "--commit", "1" * 40, "--repository-secret", "NONE", "--", "true")
    assert "--repository: The address holds a password or token" in told.err
    assert "--repository-secret: This project keeps no secret 'NONE'" in told.err
    assert "geheim" not in told.err
    told = mled("launch", "--trainer", "none-such")
    assert (told.code, "--trainer" in told.err) == (1, True)
    told = launch(mled, "--memory", "999999GB", "--data", "train=nothing v1")
    assert "--memory" in told.err
    assert "--data" in told.err
    assert mled("launch").code == 2
    assert "Say one thing to run" in mled("launch", "--trainer", "a", "--template", "b").err
    assert mled("launch", "--template", "none such", "--").code == 2
    told = mled("sweep", "--over", "lr=1..9 9 steps", "--runs", "3", "--", "python", "train.py", "{lr}")
    assert "This is 9 runs; the budget is 3." in told.err
    assert "--runs" in told.err
    assert "--over lr" in mled("sweep", "--over", "lr=9..1", "--", "python", "train.py", "{lr}").err
    assert mled("sweep", "--", "python", "train.py").code == 2


def test_a_new_experiment_stays_only_where_something_was_launched(mled, worker, code, shell_team):
    new = ("--experiment", "launched into it")
    assert launch(mled, *new, "--data", "train=nothing v9").code == 1
    with Client() as client:
        place = f"projects/{SLUG}/experiments/"
        assert not list(client.connection.pages(place, {"name": "launched into it"}))
        made = launch(mled, *new, "--json").json
        (experiment,) = client.connection.pages(place, {"name": "launched into it"})
    assert made["experiment"] == experiment["id"]
    assert mled("jobs", "stop", made["id"]).code == 0


def test_who_is_elsewhere_sees_none_of_it(mled, shell_team, code, monkeypatch):
    made = mled("launch", "--queue", "nobody-serves-this", "--json", "--", "python", "train.py").json
    monkeypatch.setenv("MLED_TOKEN", shell_team.eve)
    for words in (("show", made["id"]), ("log", made["id"]), ("stop", made["readable_id"]), ("retry", made["id"])):
        assert mled("jobs", *words).code == 3
    assert mled("launch", "-p", SLUG, "--", "python", "train.py").code == 3
    monkeypatch.setenv("MLED_TOKEN", shell_team.reader)
    assert mled("jobs", "stop", made["id"]).code == 4
    monkeypatch.setenv("MLED_TOKEN", shell_team.ada)
    assert mled("jobs", "stop", made["id"]).code == 0


@pytest.mark.once
def test_the_same_folder_gives_the_same_archive_without_secrets_and_rubbish(code, tmp_path):
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "train.cpython-311.pyc").write_bytes(b"x")
    (code / "outside").symlink_to("/etc/passwd")
    assert names_below(code) == [".env", ".gitignore", "train.py"]
    one, two = tmp_path / "one.tar.gz", tmp_path / "two.tar.gz"
    assert pack(code, one).secret == (".env",)
    (code / "train.py").touch()
    pack(code, two)
    assert one.read_bytes() == two.read_bytes()
    with tarfile.open(one) as tar:
        assert [(entry.name, entry.uid, entry.mtime) for entry in tar] == [(".gitignore", 0, 0), ("train.py", 0, 0)]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(Usage, match="nothing to send"):
        pack(empty, one)


@pytest.mark.once
def test_without_git_the_simple_lines_of_gitignore_count(code, monkeypatch):
    monkeypatch.setattr("mled.packing.said", lambda *words, **more: None)
    assert names_below(code) == [".env", ".gitignore", "train.py"]
    (code / ".gitignore").write_text("*.ckpt\n!last.ckpt\n")
    with pytest.raises(Usage, match="only git can read"):
        names_below(code)


@pytest.mark.once
@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("1e-3", 0.001), ("true", True), ("svm", "svm"), ('"3"', "3"), ("[1]", "[1]")]
)
def test_parameters_are_numbers_where_they_look_so(text, value):
    assert scalar(text) == value


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("10 %\r\x1b[1;32mgood\x1b[0m\n", "10 %\r\x1b[1;32mgood\x1b[0m\n"),
        ("\x1b]0;title\x07a\x1b]52;c;c2VjcmV0\x1b\\b", "ab"),
        ("a\x1b[2J\x1b[1;1H\x1b[6n\x1b[?25l\x1b[>4;1mb", "ab"),
        ("\x1bc\x1b]52;c;unended\x9b31m\x00", "c]52;c;unended31m"),
        ("\x1b\x1b[2K]0;title\x07\x1b[3\x1b[6n1m", "]0;title\x1b[31m"),
    ],
)
def test_what_a_job_prints_colours_its_lines_and_steers_no_terminal(printed, shown):
    assert clean_lines(printed) == shown
    begun, whole = "", ""
    for sign in "a\x1b[31mred\x1b[0m":
        now, begun = parted(begun + sign)
        whole += clean_lines(now)
    assert whole == "a\x1b[31mred\x1b[0m"


def test_a_secret_is_set_from_stdin_and_only_its_name_is_ever_told(mled, shell_team):
    value = "hf-0123456789-geheim"
    done = mled("secret", "set", "SHELL_TOKEN", typed=f"{value}\n")
    assert (done.code, value in done.out + done.err) == (0, False)
    rows = mled("secret", "list").rows
    assert rows[0] == ["name", "set", "by"]
    assert "SHELL_TOKEN" in [row[0] for row in rows]
    assert value not in mled("secret", "list", "--json").out
    assert mled("secret", "set", "SHELL_TOKEN", typed="").code == 2
    assert mled("secret", "set", "not a name", typed="x").code == 1
    assert mled("secret", "remove", "SHELL_TOKEN").code == 0
    assert mled("secret", "remove", "SHELL_TOKEN").code == 3
    assert "SHELL_TOKEN" not in mled("secret", "list").out


def test_workers_and_queues_are_listed_for_engineers(mled, worker):
    rows = mled("workers").rows
    assert rows[0][:4] == ["name", "state", "busy", "slots"]
    assert "shell-worker" in [row[0] for row in rows]
    assert QUEUE in [row[0] for row in mled("workers", "--queues").rows]
    assert any(one["worker"]["name"] == "shell-worker" for one in mled("workers", "--json").json)
