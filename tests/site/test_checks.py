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
