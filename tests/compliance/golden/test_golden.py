"""Each of the 42 rules over a record that passes, one that fails, one that lacks something, one it does not concern."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Membership
from accounts.roles import Role
from audit.compliance.actions.exceptions import set_not_applicable
from audit.compliance.judging import judge
from audit.compliance.profile import profiles
from audit.compliance.rules.engine import RULES, Outcome, Result
from audit.compliance.rules.record import Record
from experiments.models import Run
from tests.compliance.golden import (
    artifacts,
    evaluation,
    history,
    keeping,
    purpose,
    reproducibility,
    responsibility,
)
from tests.compliance.golden import (
    data as of_data,
)
from tests.compliance.golden.cases import FAIL, MISSING, NOT_APPLICABLE, OUTCOMES, PASS, Case, Made
from tests.compliance.golden.world import World, record_of, standing_world, undone
from tests.factories import acting_as
from tests.ledger import forger

PARTS = (purpose, of_data, reproducibility, evaluation, responsibility, artifacts, history, keeping)
CASES: list[Case] = [case for part in PARTS for case in part.CASES]
IMPOSSIBLE: dict[tuple[str, str], str] = {key: why for part in PARTS for key, why in part.IMPOSSIBLE.items()}
KEYS = [key for key in RULES if not key.startswith("own.")]
WHY = "Nobody is treated by this model."


def unmet(rule: str) -> Case:
    """The first case in which the rule is not met: of that, people may say that it does not apply."""
    return next(case for outcome in (MISSING, FAIL) for case in CASES if (case.rule, case.outcome) == (rule, outcome))


BY_ITSELF = {case.rule for case in CASES if case.outcome == NOT_APPLICABLE}
BY_PEOPLE = [unmet(rule) for rule in KEYS if rule not in BY_ITSELF]


@pytest.fixture(scope="module")
def standing(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with standing_world(django_db_blocker.unblock()) as made:
        yield made


@pytest.fixture(autouse=True)
def data() -> Path | None:
    """The world has a directory of its own, for as long as it stands."""
    return None


@pytest.fixture
def world(standing: World) -> Iterator[World]:
    with undone():
        yield standing


def run_of(made: Made) -> Run:
    return made.run if isinstance(made, Record) else made


def said_of(case: Case, world: World) -> Result:
    made = case.make(world)
    with forger.forging() if case.past else nullcontext():
        if case.past:
            case.past(world, run_of(made))
        record = made if isinstance(made, Record) else record_of(made)
        return RULES[case.rule].check(record)
    raise AssertionError("forging does not come here")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_says_the_right_thing(world: World, case: Case) -> None:
    said = said_of(case, world)
    assert said.outcome == case.outcome, said.words
    assert case.words in said.words
    assert bool(said.fix) == (case.outcome in (FAIL, MISSING))


@pytest.mark.parametrize("case", BY_PEOPLE, ids=str)
def test_people_say_that_a_rule_does_not_apply(world: World, case: Case) -> None:
    made = case.make(world)
    run = run_of(made)
    manager = Membership.objects.filter(project=run.project, role=Role.PROJECT_MANAGER).select_related("user").get()
    set_not_applicable(acting_as(manager.user), run, rule=case.rule, reason=WHY)
    with forger.forging() if case.past else nullcontext():
        if case.past:
            case.past(world, run)
        results = {one.rule: one for one in judge(record_of(run, profile=profiles()["gxp"]))}
    said = results[case.rule]
    assert (said.outcome, said.words, said.by) == (Outcome.NOT_APPLICABLE, WHY, str(manager.user))
    assert not said.blocks


def test_every_rule_has_each_case_or_says_why_there_is_none() -> None:
    found = {(case.rule, case.outcome) for case in CASES} | {(case.rule, NOT_APPLICABLE) for case in BY_PEOPLE}
    assert len(KEYS) == 42
    assert not found & IMPOSSIBLE.keys()
    assert found | IMPOSSIBLE.keys() == set(product(KEYS, OUTCOMES))
    assert all(len(why) > 40 for why in IMPOSSIBLE.values())


@pytest.mark.parametrize("name", sorted(profiles()))
def test_the_complete_run_stands_in_nobodys_way_in_any_profile(world: World, name: str) -> None:
    results = judge(record_of(world.run, profile=profiles()[name]))
    assert {one.rule: one.words for one in results if one.outcome != PASS} == {}
