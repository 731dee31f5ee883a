"""A run taken away: what is in its bundle, the same bytes each time, and that it runs with Python and uv alone."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client

from audit.compliance.actions.profiles import change_copy
from experiments.actions.batches import log_batch
from experiments.actions.runs import update_run
from experiments.models import Run
from experiments.values import RunStatus
from kernel.errors import Conflict, Invalid, TooLarge
from runner.bundles.contents import bundle_of, data_mb_in
from runner.bundles.zipping import zipped
from runner.checking import checked
from runner.models import Recipe
from runner.recipes import Input
from runner.recreating.likeness import like
from tests.factories import (
    a_batch,
    a_file,
    a_person,
    a_run,
    a_team,
    a_version,
    default_experiment,
    events,
    user_of,
)
from tests.factories_runner import a_draft, a_job
from tests.runner.test_likeness import a_recorded_run

pytestmark = pytest.mark.django_db

# Learns nothing: what it logs hangs on data, a parameter and the seed. It speaks MLflow's protocol by itself.
SCRIPT = b"""
import json, os, pathlib, random, urllib.request
rows = pathlib.Path(json.loads(os.environ["MLED_INPUTS"])["train"], "train.csv").read_text().splitlines()[1:]
lr = json.loads(pathlib.Path(os.environ["MLED_PARAMS"]).read_text())["lr"]
random.seed(int(os.environ["MLED_SEED"]))
points = [{"key": "score", "value": lr * sum(map(float, rows)) + random.random(), "timestamp": 1, "step": 0},
          {"key": "odd", "value": "NaN", "timestamp": 1, "step": 0}]
body = json.dumps({"run_id": os.environ["MLFLOW_RUN_ID"], "metrics": points}).encode()
address = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-batch"
urllib.request.urlopen(urllib.request.Request(address, body, {"Content-Type": "application/json"}))
pathlib.Path(os.environ["MLED_OUTPUT"], "done.txt").write_text("yes")
"""
WAYS_OUT = ("UV_", "PIP_", "HTTP", "SSL_", "NO_PROXY")  # how this machine reaches an index of packages
SCORE = 0.1 * 6 + 0.32383276483316237  # random.seed(7); random.random()


@pytest.fixture
def team():
    return a_team()


def a_finished_run(team, *, score: float = SCORE) -> Run:
    """A run of the script, launched here and over, as it would have measured."""
    code = a_file(team.scientist, a_run(team.scientist), "train.py", SCRIPT)
    version = a_version(team.scientist, files={"train.csv": b"x\n1\n2\n3\n", "deep/notes.txt": b"as they were"})
    draft = a_draft(
        kind=Recipe.Kind.FOLDER, repository="", commit="", code=code.blob_id, code_name="train.py",
        words=("python", "train.py", "--data=/inputs/train"), inputs=[Input("train", version.pk, "train")],
    )  # fmt: skip
    run = a_job(team.scientist, default_experiment(team.project), draft=draft, name="tiny").run
    log_batch(team.scientist, run, batch=a_batch(score=[0.1, score], odd=[float("nan")]))
    return update_run(team.scientist, run, status=RunStatus.FINISHED)


def bundled(team, run: Run, scratch: Path, **more) -> bytes:
    scratch.mkdir()
    return b"".join(zipped(bundle_of(team.scientist, run, scratch=scratch, **more)))


def unpacked(content: bytes, into: Path) -> Path:
    zipfile.ZipFile(io.BytesIO(content)).extractall(into)
    (top,) = into.iterdir()
    return top


def rerun(top: Path, *words: str, has_uv: bool = True) -> subprocess.CompletedProcess[str]:
    """Do it again with nothing around it but Python and uv."""
    tools = Path(sys.executable).parent
    uv = shutil.which("uv", path=os.fspath(tools)) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed")
    place = top.parent / "bin"
    place.mkdir(exist_ok=True)
    if not (place / "uv").exists():
        (place / "uv").symlink_to(uv)
    ways = {name: value for name, value in os.environ.items() if name.upper().startswith(WAYS_OUT)}
    around = {
        **ways,
        "PATH": os.pathsep.join([os.fspath(place), "/usr/bin", "/bin"] if has_uv else ["/nowhere"]),
        "HOME": os.fspath(top.parent),
    }
    return subprocess.run(
        [sys.executable, "-I", "rerun.py", *words], cwd=top, env=around, capture_output=True, text=True, check=False
    )


def test_it_runs_in_a_fresh_folder_and_gives_the_same_metrics_and_altered_data_are_refused(team, tmp_path):
    run = a_finished_run(team)
    top = unpacked(bundled(team, run, tmp_path / "scratch"), tmp_path / "elsewhere")
    lacking = rerun(top, has_uv=False)
    assert (lacking.returncode, "uv, which installs the packages, is not there" in lacking.stderr) == (2, True)
    done = rerun(top)  # nothing of the attempt before is in its way
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "Verdict: same"
    assert f"score: {SCORE!r} then, {SCORE!r} now: same" in done.stdout
    assert (top / "again" / "out" / "done.txt").read_text() == "yes"
    assert rerun(top).returncode == 2
    data = top / "data" / "train" / "train.csv"
    data.write_bytes(b"x\n1\n2\n4\n")
    refused = rerun(top, "--into", "other")
    assert (refused.returncode, "data/train/train.csv is not what it was" in refused.stderr) == (3, True)
    assert not (top / "other").exists()
    data.unlink()
    assert rerun(top, "--verify").returncode == 2
    data.write_bytes(b"x\n1\n2\n3\n")
    (top / "data" / "train" / "more.csv").write_text("x")
    assert "more.csv does not belong to" in rerun(top, "--verify").stderr


def test_what_comes_out_otherwise_is_within_tolerance_or_different(team, tmp_path):
    names = {"required_params": [], "required_tags": [], "required_metrics": []}
    change_copy(team.manager, team.project, version=0, tolerances={"score": {"relative": 0.01}}, **names)
    near = unpacked(bundled(team, a_finished_run(team, score=SCORE + 0.005), tmp_path / "a"), tmp_path / "near")
    done = rerun(near)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Verdict: within tolerance"), done.stderr
    far = unpacked(bundled(team, a_finished_run(team, score=1.5), tmp_path / "b"), tmp_path / "far")
    done = rerun(far)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "Verdict: different")


def test_code_that_is_too_large_to_be_unpacked_by_whoever_answers_is_told(team, tmp_path, monkeypatch):
    monkeypatch.setattr("runner.bundles.code.CODE_MAX", 100)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.py", b"0" * 10_000)
    kept = a_file(team.scientist, a_run(team.scientist), "code.zip", code.getvalue())
    draft = a_draft(kind=Recipe.Kind.FOLDER, repository="", commit="", code=kept.blob_id, code_name="code.zip")
    run = a_job(team.scientist, default_experiment(team.project), draft=draft).run
    with pytest.raises(TooLarge, match="too large for a bundle"):
        bundle_of(team.scientist, run, scratch=tmp_path)


def test_the_same_run_gives_the_same_bytes_and_data_beyond_the_limit_are_listed_with_their_digests(team, tmp_path):
    run = a_finished_run(team)
    whole = bundled(team, run, tmp_path / "a")
    assert bundled(team, run, tmp_path / "b") == whole
    top = unpacked(bundled(team, run, tmp_path / "c", data_mb=0), tmp_path / "without")
    names = {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()}
    more = {"README.md", "Dockerfile", ".dockerignore"}
    assert names == {*more, "bundle.json", "params.json", "rerun.py", "code/train.py"}
    (data,) = json.loads((top / "bundle.json").read_text())["data"]
    assert [one["path"] for one in data["files"]] == ["deep/notes.txt", "train.csv"]
    assert "put each file there" in (top / "README.md").read_text()
    assert "data/train/deep/notes.txt is not there. Put it there" in rerun(top, "--verify").stderr
    (top / "rerun.py").write_text((top / "rerun.py").read_text() + "\n")
    assert "rerun.py of the bundle is not what it was" in rerun(top, "--verify").stderr


def test_a_run_of_elsewhere_is_bundled_from_its_record_and_one_without_code_is_not(team, tmp_path):
    run = a_recorded_run(team)
    top = unpacked(bundled(team, run, tmp_path / "a"), tmp_path / "recorded")
    told = json.loads((top / "bundle.json").read_text())
    assert told["repository"] == {
        "url": "https://git.example.org/icu.git", "commit": "c" * 40, "bundle": "", "patch": "changes.patch",
        "secret": "",
    }  # fmt: skip
    assert (told["words"], told["folder"]) == (["python", "train.py", "--lr", "0.1"], "models")
    assert told["environment"] == {"kind": "requirements", "python": "3.11", "is_exact": True}
    assert (top / "changes.patch").read_bytes() == b"--- a\n+++ b\n"
    with pytest.raises(Conflict, match="does not say what was run"):
        bundled(team, a_run(team.scientist), tmp_path / "b")


def test_an_image_of_it_is_made_from_what_is_there_and_does_what_is_done_without_docker(team, tmp_path):
    """Read rather than built: each line is one that is known, each source is in the bundle, the command is the same."""
    top = unpacked(bundled(team, a_finished_run(team), tmp_path / "a"), tmp_path / "image")
    lines = (top / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["FROM", "RUN", "WORKDIR", "COPY", "RUN", "ENTRYPOINT"]
    source, installed, place, copied, looked, entered = (line.partition(" ")[2] for line in lines)
    about = json.loads((top / "bundle.json").read_text())
    assert source == f"python:{about['environment']['python'] or '3.11'}-slim"
    assert installed.endswith("pip install --no-cache-dir uv")
    assert (place, copied) == ("/bundle", ". ."), "all of the bundle"
    assert all((top / path).is_file() for path in about["files"])
    assert looked == "ln -s /bundle/data /inputs && python rerun.py --verify"
    assert f"    {' '.join(json.loads(entered))}\n" in (top / "README.md").read_text()
    assert (top / ".dockerignore").read_text().split() == ["again"], "a run of before is not in the way of that inside"


def test_it_is_downloaded_by_whoever_may_download_and_that_is_on_record(team):
    run = a_finished_run(team)
    address = f"/r/{run.uid.hex}/bundle.zip"
    for actor, status in ((team.scientist, 200), (team.auditor, 200), (a_person(), 404)):
        page = Client()
        page.force_login(user_of(actor))
        answer = page.get(address)
        assert answer.status_code == status
        if status == 200:
            content = answer.getvalue()
            assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    told = events(verb="runner.note_bundle_of", subject_id=run.ledger_id)
    assert [one.reason for one in told] == [f"Took the bundle of {run.readable_id}: 9 files, 2 of them data."] * 2
    page.force_login(user_of(team.scientist))
    assert page.get(f"/api/v1/runs/{run.readable_id}/bundle/").getvalue() == content
    assert page.get(f"{address}?data_mb=x").status_code == 400
    with pytest.raises(Invalid):
        data_mb_in("-1")


@pytest.mark.skipif("MLED_TEST_FULL" not in os.environ, reason="installs scikit-learn: MLED_TEST_FULL=1")
def test_a_run_of_the_built_in_trainer_gives_the_same_metrics_elsewhere(team, tmp_path):
    rows = "".join(f"{at % 17},{at * 7 % 11},{int(at % 17 > at * 7 % 11)}\n" for at in range(400))
    version = a_version(team.scientist, files={"train.csv": f"a,b,y\n{rows}".encode()})
    wanted = {"trainer": "tabular", "params": {"target": "y", "epochs": 10}, "seed": 7}
    draft = checked(team.scientist, team.project, {**wanted, "inputs": {"train": str(version.pk)}})
    run = a_job(team.scientist, default_experiment(team.project), draft=draft).run
    first = rerun(unpacked(bundled(team, run, tmp_path / "a"), tmp_path / "first"))
    assert first.returncode == 0, first.stdout + first.stderr
    measured = json.loads(next((tmp_path / "first").rglob("metrics.json")).read_text())
    log_batch(team.scientist, run, batch=a_batch(**{key: [value] for key, value in measured.items()}))
    second = rerun(unpacked(bundled(team, run, tmp_path / "b"), tmp_path / "second"))
    assert second.stdout.splitlines()[-1] == "Verdict: same", second.stdout + second.stderr
    assert len(measured) > 4


def test_a_trainer_that_was_changed_since_is_bundled_as_the_run_kept_it(team, tmp_path):
    version = a_version(team.scientist, files={"train.csv": b"x,y\n1,2\n2,3\n"})
    draft = checked(team.scientist, team.project, {
        "trainer": "tabular", "params": {"target": "y"}, "seed": 7, "inputs": {"train": str(version.pk)},
    })  # fmt: skip
    draft = replace(draft, trainer_digest="0" * 64)
    run = a_job(team.scientist, default_experiment(team.project), draft=draft).run
    with pytest.raises(Conflict, match="is another one than"):
        bundled(team, run, tmp_path / "a")
    before = io.BytesIO()
    with zipfile.ZipFile(before, "w") as archive:
        archive.writestr("train.py", "print('as it was')")
    a_file(team.scientist, run, "code/tabular.zip", before.getvalue())
    run.refresh_from_db()
    top = unpacked(bundled(team, run, tmp_path / "b"), tmp_path / "kept")
    assert (top / "code" / "train.py").read_text() == "print('as it was')"
    assert "take its bundle: it holds that of then" in like(team.scientist, run).cannot[0]
