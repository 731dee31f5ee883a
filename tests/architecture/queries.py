"""Does each query ask for its viewer, and does what it reads start from what that viewer may see? Read from the source.

A public function in a room's queries/ takes `viewer` first, and hands it to one of the checks, or to another query or
private function that does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# What tells visible from invisible. `can` and the like ask about one object, `visible_to` and `sight` about all.
CHECKS = frozenset(
    {"visible_to", "sight", "can", "can_see", "require", "find_project", "find_project_by_id", "standing", "roles_in"}
)


@dataclass(slots=True)
class Function:
    """One function of a queries module. hands_on: full names of what it passes its viewer to."""

    name: str
    module: str
    line: int
    takes_viewer: bool
    checks: bool
    hands_on: set[str] = field(default_factory=set)

    @property
    def full_name(self) -> str:
        return f"{self.module}.{self.name}"

    @property
    def is_public(self) -> bool:
        return not self.name.startswith("_")


def functions_of(module: str, source: str) -> Iterator[Function]:
    """The functions at the top of a module."""
    tree = ast.parse(source)
    imported = _imported(tree)
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        calls = [call for call in ast.walk(node) if isinstance(call, ast.Call) and _passes_viewer(call)]
        called = {_name_of(call.func) for call in calls}
        yield Function(
            name=node.name,
            module=module,
            line=node.lineno,
            takes_viewer=bool(arguments) and arguments[0] == "viewer",
            checks=bool({name.rpartition(".")[2] for name in called} & CHECKS),
            hands_on={imported.get(name, f"{module}.{name}") for name in called}
            | {
                f"{imported[head]}.{tail}"
                for head, _, tail in (name.partition(".") for name in called)
                if head in imported
            },
        )


def _passes_viewer(call: ast.Call) -> bool:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(isinstance(name, ast.Name) and name.id == "viewer" for value in given for name in ast.walk(value))


def _name_of(function: ast.expr) -> str:
    """'get_run' or 'files.list_files'; for what hangs on a longer expression, its last part."""
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute):
        head = function.value.id + "." if isinstance(function.value, ast.Name) else ""
        return head + function.attr
    return ""


def _imported(tree: ast.Module) -> dict[str, str]:
    """Local name -> full name."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def unchecked(sources: Mapping[str, str]) -> list[Function]:
    """The public functions that forget their viewer. sources: module name -> text."""
    functions = [one for module, source in sources.items() for one in functions_of(module, source)]
    good = {one.full_name for one in functions if one.takes_viewer and one.checks}
    good |= {one.full_name for one in functions if not one.is_public and one.checks}
    while more := {one.full_name for one in functions if one.full_name not in good and one.hands_on & good}:
        good |= more
    return [one for one in functions if one.is_public and not (one.takes_viewer and one.full_name in good)]
