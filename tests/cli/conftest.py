"""The command line against a real server: one project with people of its own for all of these tests."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mled import main
from tests.services.live import LiveMled

SLUG = "shell"
ADA, EVE = "ada@shell.example.org", "eve@shell.example.org"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as JSON."""
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """stdout as it goes into a pipe: tab-separated lines."""
        return [line.split("\t") for line in self.out.splitlines()]


@dataclass(frozen=True)
class Team:
    """A server with a project: Ada works in it, Eve only in another one."""

    live: LiveMled
    ada: str
    eve: str
    reader: str


@pytest.fixture(scope="session")
def shell_team(live_mled) -> Team:
    for slug, email in ((SLUG, ADA), ("elsewhere", EVE)):
        live_mled.create_user(email, name=email.split("@")[0].capitalize())
        live_mled.create_project(slug)
        live_mled.add_member(slug, email, "ml_engineer")
    return Team(
        live_mled,
        ada=live_mled.issue_token(ADA, project=SLUG, scopes=("read", "log", "manage"), name="shell"),
        eve=live_mled.issue_token(EVE),
        reader=live_mled.issue_token(ADA, project=SLUG, scopes=("read",), name="reader"),
    )


@pytest.fixture
def settings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody is signed in on this machine, and nothing is said by the environment."""
    for name in [name for name in os.environ if name.startswith("MLED_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "settings"
    monkeypatch.setenv("MLED_CONFIG_DIR", str(folder))
    monkeypatch.setenv("MLED_KEYRING", "0")
    return folder


Run = Callable[..., Said]


@pytest.fixture
def command(settings_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`command("runs", "--json", typed="…")`: a command line in this process, without a terminal."""

    def run(*args: str, typed: str = "", program: Any = None) -> Said:
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            patched.setattr(sys, "stdin", io.StringIO(typed))
            code = main.answer(args) if program is None else main.answer(args, command=program)
        out.seek(0)
        return Said(code, out.read(), err.getvalue())

    return run


@pytest.fixture
def mled(command: Run, shell_team: Team, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same as Ada, as in CI: by the environment."""
    monkeypatch.setenv("MLED_URL", shell_team.live.url)
    monkeypatch.setenv("MLED_TOKEN", shell_team.ada)
    monkeypatch.setenv("MLED_PROJECT", SLUG)
    return command


RECORD: dict[str, Any] = {
    "experiment": "by hand",
    "name": "svm",
    "architecture": "SVM, RBF kernel",
    "new_dataset": {"name": "icu", "digest": "a1" * 32, "source": "s3://wards/icu"},
    "started": "2026-03-02T14:00+01:00",
    "duration": "1h 20m",
    "params": {"kernel": "rbf", "C": 10},
    "results": {"val/auroc": 0.8127},
}


@pytest.fixture
def record() -> dict[str, Any]:
    """One that is right."""
    return json.loads(json.dumps(RECORD))
