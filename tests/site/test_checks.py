"""The run of all checks: one summary, everything runs, and failure is failure."""

from __future__ import annotations

import sys

import pytest

from tests import run_checks
from tests.run_checks import Result, run_check, summarise

pytestmark = pytest.mark.once


def test_a_check_that_fails_is_shown_with_its_words(capsys):
    result = run_check("arithmetic", [sys.executable, "-c", "print('two and two'); raise SystemExit(1)"], {})
    assert result.state == "failed"
    assert "two and two" in capsys.readouterr().out


def test_one_failure_fails_the_run_and_the_rest_is_still_shown(capsys):
    results = [
        Result("first", "failed", 1.0),
        Result("second", "ok", 2.0, words="12 passed"),
        Result("third", "left out", words="Chromium is missing"),
    ]
    assert summarise(results, 3.0) == 1
    words = capsys.readouterr().out
    assert "FAILED: first" in words
    assert "12 passed" in words
    assert "Chromium is missing" in words


def test_tests_left_out_are_named_with_their_reason(capsys):
    left_out = ["SKIPPED [3] tests/pages/test_runs.py:12: Chromium is missing (apt install chromium)"]
    assert summarise([Result("tests on SQLite", "ok", words="9 passed, 3 skipped", left_out=left_out)], 1.0) == 0
    assert "tests/pages/test_runs.py:12: Chromium is missing" in capsys.readouterr().out


def test_a_test_that_held_at_its_second_try_is_named(capsys):
    twice = ["tests/browser/test_walk.py::test_keys"]
    assert summarise([Result("tests on SQLite", "ok", words="9 passed, 1 rerun", tried_twice=twice)], 1.0) == 0
    assert "held at the second try only in tests on SQLite: tests/browser/test_walk.py" in capsys.readouterr().out


@pytest.mark.parametrize(("again", "state"), [(1, "ok"), (5, "failed")])
def test_a_few_second_tries_are_chance_and_many_are_not(again: int, state: str, monkeypatch, tmp_path):
    pass_of_tests = tmp_path / "pytest"
    lines = [f"print('RERUN tests/browser/test_{number}.py::test_it')" for number in range(again)]
    pass_of_tests.write_text(f"#!{sys.executable}\n" + "\n".join([*lines, f"print('9 passed, {again} rerun in 1.0s')"]))
    pass_of_tests.chmod(0o755)
    monkeypatch.setattr(run_checks, "program", lambda name: str(pass_of_tests))
    result = run_checks.run_tests("SQLite", None)
    assert result.state == state
    assert len(result.tried_twice) == again


def test_without_chromium_the_run_says_what_it_leaves_out(monkeypatch):
    monkeypatch.setattr(run_checks, "chromium", lambda: None)
    monkeypatch.setattr(run_checks.os, "geteuid", lambda: 1000)
    result = run_checks.provide_chromium()
    assert result.state == "left out"
    assert "browser tests are left out" in result.words


def test_every_check_that_is_promised_is_run(tmp_path):
    commands = {name: " ".join(command) for name, command, _ in run_checks.checks(tmp_path)}
    for promised in (
        "ruff check",
        "format --check",
        "mypy",
        "tsc",
        "lint-imports",
        "djlint",
        "--deploy",
        "makemigrations",
    ):
        assert any(promised in command for command in commands.values()), promised
