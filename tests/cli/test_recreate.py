"""mled recreate: a recorded run is done again from its record alone, and metric by metric compared."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from mled import Client
from tests.cli.test_run import git

SCRIPT = f"""
import json, os, pathlib, random, sys
sys.path.insert(0, {str(Path(__file__).parents[2] / "cli")!r})
from mled import Client
points = [{{"key": "loss", "value": json.loads(pathlib.Path("settings.json").read_text())["loss"]}},
          {{"key": "odd", "value": "NaN"}}]
if "--noise" in sys.argv:
    points.append({{"key": "noise", "value": random.random()}})
Client().connection.post(f"runs/{{os.environ['MLED_RUN']}}/batch/", {{"metrics": points}})
"""


@pytest.fixture
def recorded(mled, tmp_path: Path, monkeypatch):
    """Does the script in a repository whose settings are changed and not committed; gives `done(*words) -> run id`."""
    folder = tmp_path / "origin"
    (folder / "deep").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "deep" / "train.py").write_text(SCRIPT)
    (folder / "deep" / "settings.json").write_text('{"loss": 9.0}')
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "remote", "add", "origin", str(folder))
    (folder / "deep" / "settings.json").write_text('{"loss": 0.25}')
    monkeypatch.chdir(folder / "deep")

    def done(*words: str) -> str:
        name = f"first {tmp_path.name} {len(words)}"
        said = mled("run", "--experiment", "again", "--name", name, "--", sys.executable, "train.py", *words)
        assert said.code == 0, said.err
        (found,) = mled("runs", "--json", f"name = '{name}'").json
        git(folder, "checkout", "-q", ".")
        monkeypatch.chdir(tmp_path)
        return str(found["id"])

    return done


def test_a_run_is_done_again_with_what_was_not_committed_and_comes_out_the_same(mled, recorded) -> None:
    first = recorded()
    said = mled("recreate", first, "--as-is", "--yes", "--json")
    assert said.code == 0, said.err
    told = said.json
    assert (told["verdict"], told["exit_code"]) == ("same", 0)
    assert {row["key"]: row["verdict"] for row in told["metrics"]} == {"loss": "same", "odd": "same"}
    again = mled("show", "--json", told["run_id"]).json
    assert again["tags"]["mled.reproduces"] == first
    assert again["experiment_name"] == "again"


def test_what_comes_out_different_ends_with_another_exit_code(mled, recorded) -> None:
    said = mled("recreate", recorded("--noise"), "--as-is", "--yes")
    assert said.code == 1, said.err
    assert said.out.splitlines()[-1].endswith(": different.")


@pytest.mark.skipif(shutil.which("uv", path=str(Path(sys.executable).parent)) is None, reason="uv is not installed")
def test_the_environment_is_made_anew_from_the_lock(mled, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "locked"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "pyproject.toml").write_text('[project]\nname = "w"\nversion = "1"\nrequires-python = ">=3.11"\n')
    lock = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n[[package]]\nname = "w"\nversion = "1"\n'
    (folder / "uv.lock").write_text(f'{lock}source = {{ virtual = "." }}\n')
    (folder / "where.py").write_text("import sys; print(sys.prefix)\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "remote", "add", "origin", str(folder))
    monkeypatch.chdir(folder)
    first = mled("run", "--name", "locked", "--", sys.executable, "where.py")
    assert first.code == 0, first.err
    (found,) = mled("runs", "--json", "name = 'locked'").json
    into = tmp_path / "again"
    said = mled("recreate", found["id"], "--into", str(into), "--yes")
    assert said.code == 1  # it measures nothing
    assert str(into / "environment") in said.err
    assert "Installing packages from uv.lock." in said.err
    assert mled("recreate", found["id"], "--into", str(into), "--yes").code == 2


def test_it_says_beforehand_what_cannot_be_met_and_does_nothing(mled, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert mled("run", "--name", "nowhere", "--", sys.executable, "-c", "print(1)").code == 0
    (found,) = mled("runs", "--json", "name = 'nowhere'").json
    dry = mled("recreate", found["id"], "--dry-run", "--json")
    assert dry.code == 1
    assert dry.json["missing"] == ["Code: no full commit is recorded."]
    said = mled("recreate", found["id"])
    assert said.code == 1
    assert "no full commit is recorded" in said.err
    assert mled("recreate", "0" * 32).code == 3


def test_a_command_that_a_client_noted_with_a_lonely_quote_is_shown_as_it_is(mled, recorded) -> None:
    first = recorded()
    with Client() as client:
        client.connection.post(f"runs/{first}/batch/", {"tags": {"mlflow.source.name": "/home/o'brien/train.py"}})
    said = mled("recreate", first, "--dry-run")
    assert said.code == 0
    assert "o'" in said.err
    assert "brien/train.py" in said.err


def test_nobody_runs_a_strangers_command_unasked_and_it_is_told_what_was_changed_since(mled, recorded) -> None:
    first = recorded()
    said = mled("recreate", first, "--as-is")
    assert said.code == 2
    assert "with your rights" in said.err
    with Client() as client:
        client.connection.post(f"runs/{first}/batch/", {"tags": {"mlflow.source.name": "sh -c 'echo evil'"}})
    said = mled("recreate", first, "--dry-run")
    assert "Ada changed mlflow.source.name" in said.err
    assert "echo evil" in said.err


@pytest.mark.parametrize("folder", ["../../..", "/tmp", "link"])
def test_a_record_cannot_lead_out_of_its_code(mled, recorded, folder, tmp_path) -> None:
    first = recorded()
    origin = tmp_path / "origin"
    (origin / "link").symlink_to("/")
    git(origin, "add", ".")
    git(origin, "commit", "-q", "-m", "link")
    commit = git(origin, "rev-parse", "HEAD").strip()
    with Client() as client:
        tags = {"mled.folder": folder, "mlflow.source.git.commit": commit, "mlflow.source.git.dirty": "false"}
        client.connection.post(f"runs/{first}/batch/", {"tags": tags})
        client.connection.delete(f"runs/{first}/files/code/changes.patch")
    said = mled("recreate", first, "--as-is", "--yes")
    assert said.code == 1
    assert "leads" in said.err or "outside of its code" in said.err, said.err


@pytest.mark.parametrize("address", ["--upload-pack=touch x", "ext::sh -c touch% x"])
def test_an_address_of_code_that_is_a_command_is_not_followed(mled, recorded, address, tmp_path) -> None:
    said = mled("recreate", recorded(), "--as-is", "--yes", f"--repository={address}")
    assert said.code == 1
    assert not (tmp_path / "x").exists()
