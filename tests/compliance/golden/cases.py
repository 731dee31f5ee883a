"""One case: a record that is made, and what a rule says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit.compliance.rules.record import Record
from experiments.actions.runs import create_run
from experiments.models import Run
from experiments.values import RunStatus
from kernel.actor import operator
from tests.compliance.golden.world import PASSWORD, World, a_plain_run, approved, fresh, in_order
from tests.factories import Team, a_run, a_team, default_experiment
from tests.ledger import forger

Made = Run | Record
PASS, FAIL, MISSING, NOT_APPLICABLE = "pass", "fail", "missing", "na"
OUTCOMES = (PASS, FAIL, MISSING, NOT_APPLICABLE)


@dataclass(frozen=True)
class Case:
    """make: the record; past: what somebody with the owner's rights does to the database afterwards."""

    rule: str
    outcome: str
    words: str
    make: Callable[[World], Made]
    past: Callable[[World, Run], object] | None = None

    def __str__(self) -> str:
        return f"{self.rule}-{self.outcome}-{getattr(self.make, '__name__', 'made')}"


def complete(world: World) -> Run:
    """The run that meets every rule."""
    return world.run


def bare(world: World) -> Run:
    """A run without anything, whose events wait for their places."""
    return a_plain_run(world)


def bare_elsewhere(world: World) -> Run:
    """A run without anything, in a project of which nothing is said."""
    return in_the_log(a_run(a_team().scientist))


def by_operator(world: World) -> Run:
    """A run that no person made."""
    return in_the_log(create_run(operator(), default_experiment(world.project)))


def tagged(**tags: str) -> Callable[[World], Run]:
    """A run with these tags, their dots written as two underscores."""

    def make_tagged(world: World) -> Run:
        return a_plain_run(world, tags={key.replace("__", "."): value for key, value in tags.items()})

    return make_tagged


def in_the_log(run: Run) -> Run:
    """The run, its events in the log."""
    in_order()
    return fresh(run)


def an_open_team() -> Team:
    """People in a project where a submitted run still takes writes."""
    from accounts.actions.users import change_password

    team = a_team()
    change_password(team.auditor, password=PASSWORD)
    return team


def an_ended_run(team: Team) -> Run:
    """A run of the team's scientist that finished, in the log."""
    return in_the_log(a_run(team.scientist, status=RunStatus.FINISHED))


def an_approved_run(**how: Any) -> tuple[Team, Run]:
    """A run that was found compliant in an open project, and its people."""
    team = an_open_team()
    run = an_ended_run(team)
    approved(team, run, **how)
    return team, fresh(run)


def sets(table: str, column: str, value: str, *, where: str) -> Callable[[World, Run], int]:
    """Past the ledger: this column gets this value. where: with %s for the run's own number."""

    def forge(world: World, run: Run) -> int:
        marks = [run.pk] * where.count("%s")
        changed = forger.sql(f"UPDATE {table} SET {column} = %s WHERE {where}", value, *marks)
        assert changed
        return changed

    return forge
