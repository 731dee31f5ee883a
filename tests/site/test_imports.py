"""Imports go down only. Each contract of pyproject.toml is shown to catch an import that breaks it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.processes import ROOT

pytestmark = pytest.mark.once

ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
LINTER = str(Path(sys.executable).with_name("lint-imports"))

# Where SQL is written by hand, with its reason beside it.
RAW_CURSORS = (
    "experiments/metrics/",
    "experiments/search/",
    "audit/ledger/",
    "transfer/mlflow/databases.py",  # reads the database of an MLflow server
    "mled_site/diagnostics/checks/",  # asks the database about itself
    "mled_site/databases/",  # is what cursors come from
    "/migrations/",
)
STORAGE_CLIENTS = ("artifacts/storage/",)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree's own modules and contracts, where a test may spoil them."""
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "*.html"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> tuple[int, str]:
    done = subprocess.run([LINTER, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_tree_keeps_its_layers(copy):
    code, words = lint(copy)
    assert code == 0, words


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("kernel/climbs.py", "accounts.access"),
        ("audit/ledger/climbs.py", "accounts.access"),
        ("artifacts/climbs.py", "experiments.models"),
        ("experiments/climbs.py", "registry.models"),
        ("registry/climbs.py", "mlflow_api.door"),
        ("accounts/climbs.py", "mled_site.urls"),
        ("experiments/models/climbs.py", "experiments.queries"),
        ("experiments/search/climbs.py", "experiments.actions"),
        ("accounts/queries/climbs.py", "accounts.actions"),
        ("mlflow_api/climbs.py", "experiments.models"),
        ("kernel/climbs.py", "django"),
        ("experiments/climbs.py", "mled.client"),
    ],
)
def test_an_import_that_climbs_is_caught(copy, module, imported):
    (copy / module).write_text(f"import {imported}\n")
    code, words = lint(copy)
    assert code != 0
    climber = module.removesuffix(".py").replace("/", ".")
    assert climber in words, words
    assert "BROKEN" in words


def sources() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def raw_cursors(tree: ast.Module) -> list[int]:
    """Lines that open a cursor of their own."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "cursor"]


def imported_modules(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_sql_by_hand_stays_in_the_stores():
    strays = [
        f"{path}:{line}"
        for path, tree in sources()
        if not any(place in path for place in RAW_CURSORS)
        for line in raw_cursors(tree)
    ]
    assert strays == []


def test_a_stray_cursor_would_be_seen():
    assert raw_cursors(ast.parse("from django.db import connection\nwith connection.cursor() as c: pass")) == [2]


def test_only_the_storage_speaks_to_object_stores():
    clients = {"boto3", "botocore"}
    strays = [
        path
        for path, tree in sources()
        if not path.startswith(STORAGE_CLIENTS)
        and any(name.split(".")[0] in clients for name in imported_modules(tree))
    ]
    assert strays == []


def test_the_mlflow_door_writes_no_sql():
    strays = [
        path
        for path, tree in sources()
        if path.startswith("mlflow_api/") and any(name.startswith("django.db") for name in imported_modules(tree))
    ]
    assert strays == []
