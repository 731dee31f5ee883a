"""The package by itself: what it imports, that it builds and installs without the server, and that its programs run."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mled.commands import COMMANDS
from mled.version import __version__
from tests.cli.conftest import SLUG
from tests.services.processes import ROOT

pytestmark = pytest.mark.once

CLI = ROOT / "cli"
ALLOWED = {"httpx", "click", "rich", "keyring", "yaml", "mled"}
OPTIONAL_THERE = {"mlflow", "cryptography"}
"""What a command finds in the user's own environment, or does without."""
PROGRAMS = ("mled", "upload_experiment", "download_experiment", "get_submissions_from_user", "submit_test_entry")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 10))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_it_imports_its_three_packages_and_nothing_of_the_server():
    for path in sorted((CLI / "mled").rglob("*.py")):
        strangers = imports_of(path) - ALLOWED - OPTIONAL_THERE - sys.stdlib_module_names
        assert not strangers, f"{path}: {strangers}"


def test_it_says_the_version_of_the_server(settings):
    declared = tomllib.loads((CLI / "pyproject.toml").read_text())
    assert __version__ == settings.MLED_VERSION
    assert sorted(declared["project"]["scripts"]) == sorted(PROGRAMS)


def test_every_command_has_help_with_an_example_in_the_documentation(command):
    documentation = " ".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    for name in COMMANDS:
        said = command(name, "--help")
        assert said.code == 0, said.err
        assert "Usage: mled" in said.out
        assert f"mled {name}" in documentation, name


def test_an_unknown_command_and_option_name_the_nearest(command):
    assert "Did you mean download?" in command("dwnload").err
    assert command("dwnload").code == 2
    assert command("runs", "--stauts", "x").code == 2
    assert command("--version").out == f"mled, version {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_commands(command, shell, monkeypatch):
    said = command("completion", shell)
    assert (said.code, "_MLED_COMPLETE" in said.out) == (0, True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment into which only the wheel was installed."""
    here = tmp_path_factory.mktemp("package")
    shutil.copytree(CLI, here / "cli", ignore=shutil.ignore_patterns("__pycache__", "dist"))
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(here / "dist")]
    subprocess.run(build, cwd=here / "cli", check=True, capture_output=True, text=True)
    (wheel,) = (here / "dist").glob("mled-*.whl")
    uv, venv = str(Path(sys.executable).with_name("uv")), here / "venv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(venv / "bin" / "python"), str(wheel)]
    install += ["-c", str(ROOT / "constraints.txt")]
    if subprocess.run([*install, "--offline"], check=False, capture_output=True).returncode:
        online = subprocess.run(install, check=False, capture_output=True, text=True)
        if online.returncode:
            pytest.skip(f"httpx, click and rich are neither cached nor to be had: {online.stderr[-200:]}")
    return venv / "bin"


def test_a_fresh_environment_logs_in_submits_and_reads_with_the_old_names_too(installed, shell_team, tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}

    def run(program: str, *args: str, typed: str = "", code: int = 0) -> str:
        done = subprocess.run(
            [str(installed / program), *args], input=typed, env=environment, text=True, capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    assert run("mled", "--version") == f"mled, version {__version__}\n"
    without = subprocess.run([str(installed / "python"), "-c", "import django"], check=False, capture_output=True)
    assert b"ModuleNotFoundError" in without.stderr
    run("mled", "login", shell_team.live.url, "--token-stdin", "-p", SLUG, typed=shell_team.ada)
    assert (tmp_path / ".config" / "mled" / "config.json").stat().st_mode & 0o777 == 0o600

    record = '{"experiment": "old names", "architecture": "SVM", "started": "2026-03-02", "params": {"C": 1}, '
    record += '"new_dataset": {"name": "icu", "digest": "a1", "source": "s3://wards/icu"}}'
    (tmp_path / "entry.json").write_text(record)
    said = run("upload_experiment", "--email", "old@example.org", "--json", str(tmp_path / "entry.json"))
    name = said.split()[1]
    assert name in run("get_submissions_from_user", "--email", "old@example.org")
    run("download_experiment", "--output", str(tmp_path / "all.csv"))
    assert name in (tmp_path / "all.csv").read_text()
    assert "test entry" in run("submit_test_entry", "--email", "tester@example.org")
    assert "Removed" in run("submit_test_entry", "--remove", "--email", "tester@example.org")
    run("upload_experiment", "--email", "nobody", "--json", str(tmp_path / "entry.json"), code=1)
    run("mled", "logout")
    run("mled", "whoami", code=4)
