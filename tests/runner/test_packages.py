"""Requirements files and locks as people give them: what is taken, and what is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kernel.errors import InvalidFields
from runner.models import Environment
from runner.packages import is_pinned, read_packages
from runner.trainers import trainer

pytestmark = pytest.mark.once

LOCK = 'version = 1\n[[package]]\nname = "numpy"\nversion = "2.4.6"\n'
PROJECT = '[project]\nname = "mine"\nversion = "1"\n'


def problems_of(said: dict) -> dict[str, str]:
    with pytest.raises(InvalidFields) as told:
        read_packages(said)
    return {problem.field: problem.message for problem in told.value.problems}


@pytest.mark.parametrize(
    "line",
    [
        "a @ https://[::1",
        "a @ https://files.example.org:port/a.whl",
        "a @ https://ada:secret@files.example.org/a+b.whl",
        "a@https://ada:secret@files.example.org/a.whl",
        "--index-url=https://ada:secret@packages.example.org/simple",
    ],
)
def test_an_address_that_is_none_or_tells_a_password_is_not_taken(line):
    assert list(problems_of({"requirements": f"numpy==2.4.6\n{line}\n"})) == ["environment.requirements"]
    assert read_packages({"requirements": "git+ssh://git@example.org/team/code@0123#egg=a"})


def test_what_people_write_in_a_requirements_file_is_taken():
    text = """# mine
numpy==2.4.6 ; python_version >= "3.11"
scikit-learn[alldeps]>=1.7,<2 \\
    --hash=sha256:00
torch @ https://download.example.org/torch.whl
git+https://github.com/team/code@0123
--extra-index-url https://download.example.org/whl/cpu
"""
    found = read_packages({"requirements": text.replace("\n", "\r\n")})
    assert (found.kind, found.python, found.lock.decode()) == (Environment.Kind.REQUIREMENTS, "3.11", text)
    other = read_packages({"requirements": text, "python": "3.12"})
    assert found.digest == read_packages({"requirements": text}).digest != other.digest


def test_a_lock_comes_with_its_project():
    found = read_packages({"lock": LOCK, "project_file": PROJECT})
    assert (found.kind, found.lock, found.project_file) == (Environment.Kind.LOCK, LOCK.encode(), PROJECT.encode())
    assert list(problems_of({"lock": LOCK})) == ["environment.project_file"]
    told = problems_of({"lock": "numpy==1", "project_file": "[tool]\n"})
    assert "no TOML" in told["environment.lock"]
    assert "a [project]" in told["environment.project_file"]
    assert list(problems_of({"lock": LOCK, "project_file": PROJECT, "requirements": "a"})) == [
        "environment.requirements"
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-r other.txt", "reads another file"),
        ("-e .", "is not taken"),
        ("./mine", "a folder of another machine"),
        ("mine @ file:///home/ada/mine", "a folder of another machine"),
        ("numpy 2.4", "names no package"),
        ("https://ada:secret@index.example.org/x.whl", "a name or password"),
        ("--index-url=https://token@index.example.org/simple", "a name or password"),
        ("# nothing", "names no package"),
        ("", "Give the packages"),
        ("a\0b", "zero bytes"),
    ],
)
def test_what_cannot_be_built_elsewhere_is_told(line, words):
    assert words in problems_of({"requirements": line})["environment.requirements"]


def test_other_members_and_unheard_of_pythons_are_told():
    assert set(problems_of({"requirements": "numpy==2", "python": "2.7", "conda": 1})) == {
        "environment.python",
        "environment.conda",
    }
    assert "larger than 4 MB" in problems_of({"requirements": "numpy==2\n" * 500_000})["environment.requirements"]


def test_a_list_that_leaves_versions_open_is_told_apart():
    assert is_pinned("numpy==2.4.6 \\\n  --hash=sha256:0\n# that is all\n")
    assert not is_pinned("numpy==2.4.6\nscipy>=1\n")
    assert not is_pinned("numpy==2.*\n")


def test_the_built_in_trainer_says_every_package_with_its_digests(tmp_path: Path):
    built_in = trainer("tabular")
    found = read_packages({"requirements": built_in.requirements})
    assert is_pinned(built_in.requirements)
    lines = [line for line in built_in.requirements.splitlines() if line and not line.startswith((" ", "#"))]
    assert built_in.requirements.count("--hash=sha256:") >= len(lines)
    names = {line.split("==")[0] for line in lines}
    assert {"scikit-learn", "numpy", "pyarrow", "mlflow-skinny", "pillow"} <= names
    given = tmp_path / "requirements.txt"
    given.write_bytes(found.lock)
    uv = Path(sys.executable).with_name("uv")
    plan = [uv, "pip", "install", "--dry-run", "--require-hashes", "--target", tmp_path / "there", "-r", given]
    done = subprocess.run([*map(str, plan), "--python", sys.executable], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Would install {len(lines) - 1} packages" in done.stderr  # scipy stands there for two interpreters
