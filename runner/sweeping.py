"""The points of a sweep: which values its parameters take, one after another. Plain values in, plain values out.

What a parameter takes is said in `runner.sweep_axes`. The same space, method and seed give the same points at all
times and everywhere.
"""

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from kernel.errors import Invalid, InvalidFields, MledError
from runner.models import Sweep
from runner.sweep_axes import Axis, read_axis

SPACE_FIELD: Final = "space"
POINTS_MAX: Final = 1000  # runs of one sweep
NAMES_MAX: Final = 20
SPECIMENS_MAX: Final = 300  # values that are checked one by one beforehand
METRIC_MAX: Final = 250
AT_ONCE_MAX: Final = 100
AT_ONCE: Final = 2
_TRIES: Final = 1000  # draws for one that was not drawn yet


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep as it is asked for. jobs_max: None for as many as a grid has; seconds_max: over all of its runs."""

    space: Mapping[str, Axis]
    method: Sweep.Method = Sweep.Method.GRID
    seed: int = 0
    jobs_max: int | None = None
    at_once: int = AT_ONCE
    seconds_max: int | None = None
    metric: str = ""
    higher_is_better: bool | None = None

    def count(self) -> int:
        """How many runs it is. Raises Invalid where that is more than the budget, or there are not so many."""
        return check_count(self.space, self.method, budget=self.jobs_max)


def read_space(said: Any) -> dict[str, Axis]:
    """The parameters and what they take, by name in their order. Raises InvalidFields, all problems at once."""
    if not isinstance(said, Mapping) or not said:
        raise Invalid("Say which parameters change.", hint='{"lr": [0.1, 0.01]}', field="space")
    if len(said) > NAMES_MAX:
        raise Invalid(f"A sweep changes {NAMES_MAX} parameters at most.", field="space")
    problems: list[MledError] = []
    found: dict[str, Axis] = {}
    for name in sorted(map(str, said)):
        try:
            found[name] = read_axis(name, said[name])
        except Invalid as problem:
            problems.append(problem)
    if problems:
        raise InvalidFields(problems)
    if sum(len(axis.specimens()) for axis in found.values()) > SPECIMENS_MAX:
        raise Invalid(
            f"A sweep names {SPECIMENS_MAX} values at most, all parameters together.",
            hint="Say a range: 1..400, or 0.0..1.0.",
            field="space",
        )
    return found


def plain_space(space: Mapping[str, Axis]) -> dict[str, Any]:
    """As it is kept."""
    return {name: axis.plain() for name, axis in space.items()}


def count_of(space: Mapping[str, Axis], method: str, runs: int) -> int:
    """How many runs it is. runs: how many are to be drawn, where it is not a grid."""
    if method == Sweep.Method.GRID:
        return math.prod(len(axis.on_grid()) for axis in space.values())
    return runs


def check_count(space: Mapping[str, Axis], method: str, *, budget: int | None) -> int:
    """How many runs it is. budget: at most so many. Raises Invalid where it is more, or there are not so many."""
    if budget is not None and not 1 <= budget <= POINTS_MAX:
        raise Invalid(f"A sweep has 1 to {POINTS_MAX:,} runs.", field="jobs_max")
    if method == Sweep.Method.GRID:
        count = count_of(space, method, 0)
        most = POINTS_MAX if budget is None else budget
        if count > most:
            raise Invalid(
                f"This is {count:,} runs; the budget is {most:,}.",
                hint="Take fewer values, allow more runs, or draw some of them at random.",
                field="jobs_max",
            )
        return count
    if budget is None:
        raise Invalid("Say how many runs shall be drawn.", field="jobs_max")
    there = [axis.count() for axis in space.values()]
    different = math.prod(one or 1 for one in there)
    if None not in there and budget > different:
        raise Invalid(
            f"There are only {different:,} different runs in this, and {budget:,} were asked for.",
            hint="Ask for fewer, or for a grid, which takes each once.",
            field="jobs_max",
        )
    return budget


def points_of(space: Mapping[str, Axis], method: str, *, seed: int, count: int) -> Iterator[dict[str, Any]]:
    """The points, always the same in the same order, no two alike; the last name changes fastest on a grid."""
    names = sorted(space)
    if method == Sweep.Method.GRID:
        grid = itertools.product(*(space[name].on_grid() for name in names))
        yield from (dict(zip(names, values, strict=True)) for values in itertools.islice(grid, count))
        return
    random, drawn = Random(seed), set[str]()  # noqa: S311  # repeatable, not secret
    for _ in range(count):
        for _ in range(_TRIES):
            point = {name: space[name].draw(random) for name in names}
            told = json.dumps(point, sort_keys=True)
            if told not in drawn:
                break
        else:
            return  # what is left is too little to be found by chance
        drawn.add(told)
        yield point


def plan_of(
    *,
    space: Any,
    method: str = Sweep.Method.GRID,
    seed: int = 0,
    jobs_max: int | None = None,
    at_once: int = AT_ONCE,
    seconds_max: int | None = None,
    metric: str = "",
    higher_is_better: bool | None = None,
) -> Plan:
    """A sweep from what a door read, counted. Raises Invalid, InvalidFields."""
    if method not in Sweep.Method.values:
        raise Invalid(f"'{method[:40]}' is no way to sweep.", hint="grid or random", field="method")
    if not 1 <= at_once <= AT_ONCE_MAX:
        raise Invalid(f"At the same time there are 1 to {AT_ONCE_MAX} runs.", field="at_once")
    if seconds_max is not None and not 1 <= seconds_max <= 2**40:
        raise Invalid("A budget of time is a number of seconds, one at least.", field="seconds_max")
    if len(metric) > METRIC_MAX or "\x00" in metric:
        raise Invalid(f"The name of a metric has {METRIC_MAX} signs at most.", field="metric")
    if not -(2**63) <= seed < 2**63:
        raise Invalid("The seed is a whole number of 64 bits.", field="sweep_seed")
    found = Plan(
        read_space(space),
        Sweep.Method(method),
        seed=seed,
        jobs_max=jobs_max,
        at_once=at_once,
        seconds_max=seconds_max,
        metric=metric.strip(),
        higher_is_better=higher_is_better,
    )
    found.count()
    return found


GOALS: Final = {"": None, "max": True, "min": False}
SPACE: Final = "sweep_space"  # one line for each parameter, `lr = 1e-4..0.1 log`; or one field for each, sweep_space.lr
_FORM_NAMES: Final = {
    "method": "sweep",
    "jobs_max": "sweep_runs",
    "at_once": "sweep_at_once",
    "seconds_max": "sweep_minutes",
    "metric": "sweep_metric",
}


def sweep_from_form(post: Mapping[str, Any]) -> Plan | None:
    """What the fields of `runner/sweep_fields.html` ask for; None where no sweep was asked for.

    Raises Invalid, InvalidFields: `form_name` tells which field of the form a problem belongs to.
    """
    method = str(post.get("sweep") or "")
    if not method:
        return None
    seconds = _whole(post, "sweep_minutes")
    return plan_of(
        space=_typed_space(post),
        method=method,
        seed=_whole(post, "sweep_seed") or 0,
        jobs_max=_whole(post, "sweep_runs"),
        at_once=_whole(post, "sweep_at_once") or AT_ONCE,
        seconds_max=None if seconds is None else 60 * seconds,
        metric=str(post.get("sweep_metric") or ""),
        higher_is_better=GOALS.get(str(post.get("sweep_goal") or "")),
    )


def readable_part(post: Mapping[str, Any]) -> Plan | None:
    """A form's sweep without the parameters that cannot be read, so that the others are looked at as well; None where
    nothing is left of it."""
    try:
        return sweep_from_form(post)
    except InvalidFields as several:
        wrong = {problem.field.removeprefix(f"{SPACE_FIELD}.") for problem in several.problems}
    except MledError:
        return None
    lines = str(post.get(SPACE) or "").splitlines()
    kept = {name: str(value) for name, value in post.items() if name.removeprefix(f"{SPACE}.") not in wrong}
    kept[SPACE] = "\n".join(line for line in lines if "=" in line and line.partition("=")[0].strip() not in wrong)
    try:
        return sweep_from_form(kept)
    except MledError:
        return None


def form_name(field: str) -> str:
    """The field of the form that a problem with `field` belongs to; the same where it is none of a sweep's."""
    return SPACE if field == "space" or field.startswith("space.") else _FORM_NAMES.get(field, field)


def _typed_space(post: Mapping[str, Any]) -> dict[str, str]:
    found, problems = {}, list[MledError]()
    for line in str(post.get(SPACE) or "").splitlines():
        name, sign, text = line.partition("=")
        if line.strip() and not (sign and name.strip()):
            words = f"'{line.strip()[:60]}' names no parameter."
            problems.append(Invalid(words, hint="lr = 0.1, 0.01", field=SPACE_FIELD))
        elif line.strip():
            found[name.strip()] = text
    if problems:
        raise InvalidFields(problems)
    single = {name: str(post.get(name) or "") for name in post if name.startswith(f"{SPACE}.")}
    return found | {name.removeprefix(f"{SPACE}."): text for name, text in single.items() if text.strip()}


def _whole(post: Mapping[str, Any], name: str) -> int | None:
    text = str(post.get(name) or "").strip().replace(",", "")
    if not text:
        return None
    if not re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII):
        raise Invalid("A whole number is wanted here.", field=name)
    return int(text)
