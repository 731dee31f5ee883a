"""Doors parse, call one action or query, and answer. They read no rows themselves, and every act has its door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.decorators import ACTIONS
from tests.services.processes import ROOT

ROOMS = (
    "accounts",
    "artifacts",
    "experiments",
    "registry",
    "runner",
    "audit",
    "mlflow_api",
    "transfer",
    "boards",
    "mled_site",
)
DOORS = ("/pages/", "/rest/", "/tasks.py", "/management/", "/admin.py", "/adapter.py", "mlflow_api/")
# What tasks hand the work to, and functions of an actions module that check what a door gives and call the act.
BEHIND_DOORS = (
    "compliance/reports/build.py",
    "compliance/giving.py",
    "compliance/taking_out.py",
    "experiments/archiving.py",
    "experiments/sheets/work.py",
    "runner/actions/jobs.py",
    "runner/bundles/giving.py",
    "runner/working/",
    "transfer/bringing/",
    "transfer/export_work.py",
    "transfer/filling.py",
    "transfer/giving.py",
    "transfer/import_work.py",
    "transfer/running.py",
)
CALLED_BY = {
    "accounts.give_job_token": "create_job_token",
    "accounts.take_job_token": "end_job",
    "experiments.keep_archive": "archive_run",
    "experiments.note_export": "note_taken",
    "experiments.take_for_dead": "take_silent_for_dead",
    "experiments.note_export_of": "note_csv",
    "compliance.open_report": "request_report",
    "experiments.record_run": "record_run_once",
    "transfer.begin_export": "begin",
    "transfer.begin_import": "begin",
    "transfer.end_exports_of": "forget",
}
# Doors for requests: what they show comes from queries.
REQUEST_DOORS = ("/pages/", "/rest/", "mlflow_api/")
FETCHING = {"get_object_or_404", "get_list_or_404", "aget_object_or_404"}


def modules(places: tuple[str, ...]) -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if any(place in name for place in places):
                yield name, ast.parse(path.read_text())


def rows_read(tree: ast.Module) -> list[int]:
    """Lines that reach for rows past a query: a manager other than for its empty set, or Django's shortcuts."""
    empty = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("none", "model") and isinstance(node.value, ast.Attribute)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager") and id(node) not in empty)
        or (isinstance(node, ast.Name) and node.id in FETCHING)
    ]


def test_doors_read_no_rows_themselves():
    assert [f"{name}:{line}" for name, tree in modules(REQUEST_DOORS) for line in rows_read(tree)] == []


@pytest.mark.parametrize(
    "source",
    [
        "run = Run.objects.get(uid=uid)",
        "runs = Run.objects.filter(project__slug=slug)",
        "run = get_object_or_404(Run, uid=uid)",
        "rows = Run._default_manager.all()",
    ],
)
def test_a_door_that_reads_rows_is_caught(source):
    assert rows_read(ast.parse(source)) == [1]


def test_an_empty_set_to_start_from_is_no_reading():
    assert rows_read(ast.parse("queryset = Run.objects.none()")) == []


def names_used(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


def test_every_action_is_called_by_a_door():
    used = set().union(*(names_used(tree) for _, tree in modules((*DOORS, *BEHIND_DOORS))))
    assert {verb for verb in ACTIONS if CALLED_BY.get(verb, verb.partition(".")[2]) not in used} == set()


def test_every_action_lies_in_a_drawer_of_actions():
    strays = [verb for verb, one in ACTIONS.items() if ".actions." not in one.function.__module__]
    assert strays == []


def writing_functions(path: Path) -> list[str]:
    """Public functions of an actions module that are neither actions nor say that they are part of one."""
    found = []
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        decorated = any("action" in ast.unparse(decorator) for decorator in node.decorator_list)
        calls = {name.attr for name in ast.walk(node) if isinstance(name, ast.Attribute)}
        writes = calls & {"save", "bulk_create", "delete", "change_all", "record"}
        if writes and not decorated:
            found.append(node.name)
    return found


# Parts of acts: they take no decision about rights and are called inside an action, which holds the run or project.
PARTS = {
    "accounts/actions/setup.py": ["issue_setup_link", "use_setup_link"],  # acts of the operator, in `acting` itself
    "artifacts/actions/records.py": ["put_record"],
    "experiments/actions/archives.py": ["forget_archive"],
    "experiments/actions/batches.py": ["write_params"],
    "experiments/actions/experiments.py": ["make_default_experiment"],
    "audit/compliance/actions/findings.py": ["open_finding_in"],
    "experiments/actions/inputs.py": ["note_input"],
    "experiments/actions/purging.py": ["empty_run"],
    "experiments/actions/runs.py": ["store_tags"],
    "experiments/actions/straight_params.py": ["log_params"],  # asks `can` itself; the statement compares what it knew
    "experiments/actions/writable.py": ["reopen"],
    "registry/actions/model_metrics.py": ["keep_model_metrics"],
    "registry/actions/moves.py": ["move_models_along"],
    "runner/actions/environments.py": ["keep_packages"],
    "runner/actions/recipes.py": ["keep_recipe"],
}


def test_whatever_writes_is_an_action_or_a_known_part_of_one():
    found = {
        str(path.relative_to(ROOT)): names
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("actions/*.py"))
        if (names := writing_functions(path))
    }
    assert found == PARTS


def test_a_writer_without_a_permission_is_caught(tmp_path):
    module = tmp_path / "sly.py"
    module.write_text("def rename(run, name):\n    run.name = name\n    run.save()\n")
    assert writing_functions(module) == ["rename"]
