"""A job's workplace: what is made ready for it, and what of it ends up in its run."""

import io
import os
from pathlib import Path

import pytest

from artifacts.actions.recall import withdraw_version
from artifacts.actions.versions import add_external_version
from experiments.actions.runs import lock_run
from experiments.conditions import conditions_of
from experiments.models import MetricSeries, Param, RunInput
from kernel.errors import Conflict, Unavailable
from runner.executors.contract import Ended, Usage
from runner.models import Job, Recipe
from runner.recipes import Draft, Input
from runner.working import collecting, inputs
from runner.working.curves import Curves
from tests.artifacts.stores import Bucket, Files
from tests.factories import a_dataset, a_team, a_version, default_experiment, unique
from tests.factories_runner import a_job
from tests.runner.workplaces import (
    an_uploaded_job,
    content,
    executed,
    file_of,
    paths_of,
    prepared,
    shared_packages,
    tags_of,
)

TOKEN = "mled_a-token-of-this-run-only"
TABLE = b"a,b\n1,2\n"
EXITED = Ended(Job.Cause.EXIT, 0)
SCRIPT = """
import json, os, pathlib, sys
given = json.load(open(os.environ["MLED_PARAMS"]))
train = pathlib.Path(json.loads(os.environ["MLED_INPUTS"])["train"])
print("lr", sys.argv[1], given, os.environ["PYTHONHASHSEED"], train)
print((train / "data" / "train.csv").read_text(), os.environ["MLFLOW_TRACKING_TOKEN"], os.environ["DB_PASSWORD"])
try:
    (train / "data" / "train.csv").write_text("changed")
except OSError:
    print("careful", file=sys.stderr)
out = pathlib.Path(os.environ["MLED_OUTPUT"])
(out / "plots").mkdir()
(out / "plots" / "curve.txt").write_text("up")
import tests_of_mine
sys.exit(tests_of_mine.CODE)
"""


@pytest.fixture
def home(tmp_path: Path, settings, monkeypatch) -> Path:
    """The folder of one job; its worker keeps things beside it."""
    settings.MLED_RUNNER_DATA = str(tmp_path / "worker")
    shared_packages(monkeypatch)
    return tmp_path / "job"


@pytest.fixture
def team(db):
    return a_team()


def a_job_with(team, version, **more) -> Job:
    given = {"inputs": (Input("train", version.pk),), "params": {"lr": 0.1}, "seed": 7, **more}
    files = {"proj/sub/train.py": SCRIPT, "proj/sub/tests_of_mine.py": "CODE = 3"}
    words = ("python", "train.py", "{lr}")
    return an_uploaded_job(team.scientist, team.project, files, *words, folder="proj/sub", **given)


def test_an_uploaded_folder_runs_with_its_data_and_all_it_leaves_is_in_its_run(sandbox, team, home):
    version = a_version(team.scientist, files={"data/train.csv": TABLE})
    job = a_job_with(team, version)
    place = prepared(job, home)
    order = place.order(door=None, secrets={"DB_PASSWORD": "hunter2!"}, address="http://127.0.0.1:5000", token=TOKEN)
    place.record(team.scientist)
    curves = Curves(team.scientist, job)
    ended = executed(order)
    assert ended.code == 3, order.stderr.read_text()
    curves.close()
    place.collect(team.scientist, ended)

    printed = file_of(job, "console/stdout.log").decode()
    assert printed == "lr 0.1 {'seed': 7, 'lr': 0.1} 7 /inputs/train\na,b\n1,2\n *** ***\n"
    assert file_of(job, "console/stderr.log") == b"careful\n"
    assert file_of(job, "outputs/plots/curve.txt") == b"up"
    tags = tags_of(job)
    assert tags["mlflow.source.name"] == "python train.py 0.1"
    assert tags["mled.exit_code"] == "3"
    assert tags["mled.code"] == f"sha256:{job.recipe.code_id}"
    assert tags["mled.host"]
    assert tags["mled.os"]
    assert "core" in tags["mled.hardware"]
    assert {"code/code.zip", "environment/installed/requirements.txt"} <= paths_of(job)
    assert tags["mled.role"] == "data_scientist"
    assert "mled.not_kept" not in tags
    assert order.variables["MLFLOW_TRACKING_URI"] == f"http://127.0.0.1:5000/mlflow/{team.project.slug}"
    place.clear()
    assert not home.exists()
    assert missing_conditions(job) == ["Determinism"]


def test_without_a_sandbox_a_job_has_inputs_of_its_own(team, home, settings):
    settings.MLED_EXECUTOR = "plain"
    job = a_job_with(team, a_version(team.scientist, files={"data/train.csv": TABLE}))
    place = prepared(job, home)
    (given,) = home.glob("inputs/train/data/train.csv")
    assert given.stat().st_nlink == 1
    holds = place.environment.holds
    assert os.fstat(holds)
    place.clear()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(holds)


def missing_conditions(job: Job) -> list[str]:
    job.run.refresh_from_db()
    found = conditions_of(
        job.run,
        params=dict(Param.objects.filter(run=job.run).values_list("key", "value")),
        tags=tags_of(job),
        series=list(MetricSeries.objects.filter(run=job.run)),
        inputs=list(RunInput.objects.filter(run=job.run)),
        paths=paths_of(job),
    )
    return [one.name for one in found.missing]


def test_the_built_in_trainer_leaves_nothing_of_the_nine_conditions_open(team, home, monkeypatch):
    monkeypatch.setattr("runner.working.environments.build", lambda packages, interpreter, venv, **more: venv.mkdir())
    draft = Draft(
        Recipe.Kind.TRAINER, trainer="tabular", params={"target": "died"}, seed=1,
        inputs=(Input("train", a_version(team.scientist).pk),),
    )  # fmt: skip
    job = a_job(team.scientist, default_experiment(team.project), draft=draft)
    place = prepared(job, home)
    assert place.code.words == ["python", "train.py"]
    assert (place.code.folder / "train.py").is_file()
    Curves(team.scientist, job).close()
    place.collect(team.scientist, EXITED)
    assert missing_conditions(job) == []
    assert "environment/requirements.txt" in paths_of(job)
    place.clear()


def test_a_trainer_that_is_another_by_now_is_refused(team, home):
    draft = Draft(Recipe.Kind.TRAINER, trainer="tabular", trainer_digest="0" * 64)
    job = a_job(team.scientist, default_experiment(team.project), draft=draft)
    with pytest.raises(Conflict, match="is another one than the recipe names"):
        prepared(job, home)


def test_data_that_were_recalled_or_lie_elsewhere_are_refused_with_words(team, home, tmp_path):
    version = a_version(team.scientist)
    job = a_job_with(team, version)
    withdraw_version(team.scientist, version, reason="labels are wrong")
    with pytest.raises(Conflict, match="labels are wrong"):
        prepared(job, home)
    elsewhere = add_external_version(team.scientist, a_dataset(team.scientist), digest="d", source="s3://lake/churn")
    with pytest.raises(Conflict, match=r"are not in MLED.*Upload them"):
        prepared(a_job_with(team, elsewhere), tmp_path / "other")


def test_an_input_is_fetched_once_and_only_if_it_is_what_its_digest_says(team, home, tmp_path):
    version = a_version(team.scientist, files={"train.csv": b"%s\n" % unique("x").encode()})
    files = {"read.py": "print(1)"}
    jobs = [
        an_uploaded_job(
            team.scientist, team.project, files, "python", "read.py", inputs=(Input("d", version.pk),), seed=n
        )
        for n in (1, 2)
    ]  # fmt: skip
    first, second = (prepared(job, tmp_path / str(job.pk)) for job in jobs)
    one, other = (place.place / "inputs" / "d" / "train.csv" for place in (first, second))
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_mode & 0o222 == 0
    assert one.stat().st_ino == other.stat().st_ino
    first.clear()
    assert inputs.collect(at_most=10**9, unused_seconds=3600) == 0
    assert inputs.collect(at_most=0, unused_seconds=3600) == other.stat().st_size
    assert other.read_bytes()
    second.clear()


@pytest.mark.once
@pytest.mark.parametrize("kind", ["files", "s3"])
def test_inputs_come_from_every_store_and_damaged_ones_are_not_given(kind, tmp_path, request, monkeypatch):
    store = Files(tmp_path / "blobs")
    if kind == "s3":
        server = request.getfixturevalue("s3_server")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        store = Bucket(server)
    monkeypatch.setattr(inputs, "blobs", lambda: store.storage)
    data = os.urandom(3_000_000)
    stored = store.storage.receive(io.BytesIO(data), limit=10_000_000)
    cache = tmp_path / "cache"
    assert inputs.fetched(stored, cache).read_bytes() == data
    store.spoil(stored.digest, b"x" * len(data))
    assert inputs.fetched(stored, cache).read_bytes() == data
    with pytest.raises(Unavailable, match="other bytes"):
        inputs.fetched(stored, tmp_path / "another")
    assert not [place for place in (tmp_path / "another").rglob("*") if place.is_file()]


def test_a_run_that_was_locked_meanwhile_keeps_nothing_and_fails_nobody(team, home):
    job = an_uploaded_job(team.scientist, team.project, {"a.py": "print(1)"}, "python", "a.py")
    place = prepared(job, home)
    ended = executed(place.order(door=None, secrets={}, address="http://x", token=TOKEN))
    lock_run(team.manager, job.run, reason="done")
    curves = Curves(team.scientist, job)
    curves.sample(Usage(1.0, 1, 1, 1))
    curves.close()
    place.collect(team.scientist, ended)
    assert paths_of(job) == set()
    assert any("locked" in line for line in place.lost)
    place.clear()


def test_what_code_leaves_is_taken_only_where_it_is_its_own(team, home, tmp_path):
    job = an_uploaded_job(team.scientist, team.project, {"a.py": "print(1)"}, "python", "a.py")
    place = prepared(job, home)
    out, secret = place.home / "out", tmp_path / "secret"
    secret.write_text("of the server")
    (out / "deep" / "er").mkdir(parents=True)
    (out / "deep" / "er" / "good.txt").write_text("good")
    (out / "link").symlink_to(secret)
    (out / "folder-link").symlink_to(tmp_path)
    os.link(secret, out / "hard")
    os.mkfifo(out / "pipe")
    (out / "bad\nname").write_text("x")
    (out / "%2e%2e").mkdir()
    (out / "%2e%2e" / "x").write_text("x")
    with open(os.fsencode(out) + b"/bytes-\xff", "w") as file:
        file.write("x")
    place.collect(team.scientist, EXITED)
    assert {path for path in paths_of(job) if path.startswith("outputs/")} == {"outputs/deep/er/good.txt"}
    lost = tags_of(job)["mled.not_kept"]
    for word in (
        "outputs/link: a link is not kept",
        "outputs/folder-link: a link",
        "outputs/hard: a file that also has",
        "outputs/pipe: a pipe",
        "control characters",
        "leads out",
    ):
        assert word in lost
    assert "of the server" not in "".join(file_of(job, path).decode() for path in paths_of(job) if "code" not in path)
    place.clear()
    assert secret.read_text() == "of the server"


def test_an_output_folder_that_became_a_link_gives_nothing_and_too_many_files_are_told(
    team, home, tmp_path, monkeypatch
):
    monkeypatch.setattr("runner.working.collecting.FILES_MAX", 2)
    job = an_uploaded_job(team.scientist, team.project, {"a.py": "print(1)"}, "python", "a.py")
    place = prepared(job, home)
    out = place.home / "out"
    for number in range(4):
        (out / f"{number}.txt").write_text("x")
    place.collect(team.scientist, EXITED)
    assert {path for path in paths_of(job) if path.startswith("outputs/")} == {"outputs/0.txt", "outputs/1.txt"}
    assert "at most 2 files. Pack them." in tags_of(job)["mled.not_kept"]
    for path in out.iterdir():
        path.unlink()
    out.rmdir()
    out.symlink_to(tmp_path)
    place.collect(team.scientist, EXITED)
    assert len([path for path in paths_of(job) if path.startswith("outputs/")]) == 2
    place.clear()
    assert tmp_path.exists()


def test_a_store_that_is_away_for_a_moment_costs_nothing(team, home, monkeypatch):
    job = an_uploaded_job(team.scientist, team.project, {"a.py": "print(1)"}, "python", "a.py")
    place = prepared(job, home)
    (place.home / "out" / "1.txt").write_text("one")
    (place.home / "out" / "2.txt").write_text("two")
    (place.home / "out" / "link").symlink_to("1.txt")
    place.stdout.write_bytes(b"printed\n")
    receive, sent = collecting.receive, []

    def at_times(file, **more):
        sent.append(file.read())
        file.seek(0)
        if sent == [b"one"]:
            raise Unavailable("The file store cannot be reached.")
        return receive(file, **more)

    monkeypatch.setattr(collecting, "receive", at_times)
    with pytest.raises(Unavailable):
        place.collect(team.scientist, EXITED)
    assert file_of(job, "console/stdout.log") == b"printed\n"
    assert file_of(job, "outputs/2.txt") == b"two"
    place.collect(team.scientist, EXITED)
    assert file_of(job, "outputs/1.txt") == b"one"
    assert sent == [b"one", b"two", b"one"]
    assert tags_of(job)["mled.not_kept"] == "outputs/link: a link is not kept."
    place.clear()


def test_a_repository_by_bundle_with_a_patch_is_on_record_as_mled_run_does_it(team, home, tmp_path, settings):
    from tests.runner.test_workplace_git import commit, git

    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet", "--initial-branch=main")
    first = commit(repository, train__py="print('as committed')\n")
    git(repository, "bundle", "create", "--quiet", str(tmp_path / "b"), "HEAD")
    (repository / "train.py").write_text("print('as changed')\n")
    patch = git(repository, "diff", "HEAD") + "\n"
    draft = Draft(
        Recipe.Kind.REPOSITORY, repository="https://git.example.org/team/code.git", commit=first,
        code=content((tmp_path / "b").read_bytes()).digest, code_name="code.bundle",
        patch=content(patch.encode()).digest, words=("python", "train.py"),
    )  # fmt: skip
    job = a_job(team.scientist, default_experiment(team.project), draft=draft)
    place = prepared(job, home)
    place.collect(team.scientist, executed(place.order(door=None, secrets={}, address="http://x", token=TOKEN)))
    assert file_of(job, "console/stdout.log") == b"as changed\n"
    tags = tags_of(job)
    assert tags["mlflow.source.git.commit"] == first
    assert tags["mlflow.source.git.dirty"] == "true"
    assert tags["mlflow.source.git.repoURL"] == "https://git.example.org/team/code.git"
    assert file_of(job, "code/changes.patch") == patch.encode()
    assert "code/code.bundle" in paths_of(job)
    place.clear()


def test_stopping_while_it_is_made_ready_ends_it(team, home):
    class Stopped(Exception):
        pass

    def told(stage: str) -> None:
        if "environment" in stage:
            raise Stopped

    job = an_uploaded_job(team.scientist, team.project, {"a.py": "print(1)"}, "python", "a.py")
    with pytest.raises(Stopped):
        prepared(job, home, told=told)
