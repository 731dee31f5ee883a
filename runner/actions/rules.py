"""What a project's managers allow its jobs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from accounts.decorators import action
from accounts.models import Project
from kernel.actor import Actor
from kernel.errors import Invalid, InvalidFields, MledError
from runner.amounts import memory_words, minutes_words, time_words
from runner.models import RunnerRules
from runner.queries.rules import rules_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a rule may be. zero: 0 is allowed as well, and means never; say: an amount of it in words."""

    least: float
    most: float
    means: str
    zero: bool = False
    say: Callable[[float], str] = "{:,}".format


DAY_SECONDS: Final = 24 * 3600
RULES: Final[dict[str, Bounds]] = {
    "cpus_max": Bounds(0.1, 1024, "processors of a job"),
    "memory_mb_max": Bounds(64, 16 * 1024 * 1024, "of memory of a job", say=memory_words),
    "disk_mb_max": Bounds(64, 64 * 1024 * 1024, "that a job writes", say=memory_words),
    "seconds_max": Bounds(10, 90 * DAY_SECONDS, "of a job", say=time_words),
    "jobs_at_once": Bounds(1, 10_000, "jobs of the project at once"),
    "retries": Bounds(0, 10, "further tries of a job whose worker was lost"),
    "silent_minutes": Bounds(
        5, 366 * 24 * 60, "of silence before a running run counts as dead", zero=True, say=minutes_words
    ),
}


@action("runner.set_rules", on="project")
def set_rules(
    actor: Actor,
    project: Project,
    *,
    allows_network: bool | None = None,
    cpus_max: float | None = None,
    memory_mb_max: int | None = None,
    disk_mb_max: int | None = None,
    seconds_max: int | None = None,
    jobs_at_once: int | None = None,
    retries: int | None = None,
    silent_minutes: int | None = None,
    reason: str = "",
) -> RunnerRules:
    """Change what is given; what is None stays. Jobs that wait or are under way keep what they were launched with.

    Raises InvalidFields with all that is wrong.
    """
    given: dict[str, Any] = {
        "cpus_max": cpus_max,
        "memory_mb_max": memory_mb_max,
        "disk_mb_max": disk_mb_max,
        "seconds_max": seconds_max,
        "jobs_at_once": jobs_at_once,
        "retries": retries,
        "silent_minutes": silent_minutes,
    }
    held = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    rules = rules_of(held)
    if allows_network is not None:
        rules.allows_network = allows_network
    problems: list[MledError] = []
    for name, value in given.items():
        if value is not None:
            try:
                setattr(rules, name, _checked(name, value))
            except Invalid as problem:
                problems.append(problem)
    if problems:
        raise InvalidFields(problems)
    rules.save()
    return rules


def _checked(name: str, value: float) -> float:
    bounds = RULES[name]
    if (bounds.zero and value == 0) or bounds.least <= value <= bounds.most:
        return value
    zero = "0, or " if bounds.zero else ""
    raise Invalid(
        f"It has to be {zero}{bounds.say(bounds.least)} to {bounds.say(bounds.most)} {bounds.means}.",
        hint="0 means never." if bounds.zero else "",
        field=name,
    )
