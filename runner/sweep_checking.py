"""What a sweep would run, checked before any of it is begun: each value that a parameter takes, and both ends of each
range, as `runner.checking.checked` checks a single run."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from accounts.models import Project
from kernel.actor import Actor
from kernel.errors import Invalid, InvalidFields, MledError
from runner.checking import checked
from runner.recipes import Draft
from runner.sweep_axes import Axis, Range, Values, distinct
from runner.sweeping import Plan

SEED: Final = "seed"


def checked_sweep(viewer: Actor, project: Project, wanted: Mapping[str, Any], plan: Plan) -> tuple[Draft, Plan]:
    """The recipe at the first point, and the plan with values as the recipe's schema types them.

    Raises InvalidFields: all problems at once, those of a swept parameter with the field space.<name>.
    """
    plan.count()
    first = {name: axis.specimens()[0] for name, axis in plan.space.items()}
    draft = checked(viewer, project, _at(wanted, first))
    problems: list[MledError] = []
    space: dict[str, Axis] = {}
    for name, axis in plan.space.items():
        found = []
        for value in axis.specimens():
            try:
                found.append(_typed(checked(viewer, project, _at(wanted, {**first, name: value})), name))
            except MledError as error:
                problems.append(Invalid(f"{value!r}: {error.message}", hint=error.hint, field=f"space.{name}"))
        space[name] = _as_typed(axis, found)
    if problems:
        raise InvalidFields(problems)
    typed = replace(plan, space=space)
    typed.count()  # again: what was written in two ways may be one value
    return draft, typed


def _at(wanted: Mapping[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
    params = {**wanted.get("params", {}), **{name: value for name, value in point.items() if name != SEED}}
    return {**wanted, "params": params, **({SEED: point[SEED]} if SEED in point else {})}


def _typed(draft: Draft, name: str) -> Any:
    return draft.seed if name == SEED else draft.params[name]


def _as_typed(axis: Axis, found: list[Any]) -> Axis:
    """The same with values of the types that the schema wants: a range of a whole number is of whole numbers."""
    if isinstance(axis, Values):
        return Values(distinct(found))
    if any(isinstance(one, str | bool) for one in found):
        raise Invalid("A range is of numbers.", hint="Name the values one by one.", field="space")
    whole = bool(found) and all(isinstance(one, int) for one in found)
    return Range(axis.low, axis.high, axis.log, whole, axis.steps)
