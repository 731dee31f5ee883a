"""E: measured on data kept apart, against criteria set before."""

import math
from collections.abc import Callable

from experiments.actions.runs import set_tags
from experiments.models import Run
from tests.compliance.golden.cases import FAIL, MISSING, PASS, Case, bare, complete, in_the_log, tagged
from tests.compliance.golden.world import World, a_plain_run, measured, used

CRITERIA = "mled.criteria"


def tested(world: World, **tags: str) -> Run:
    run = a_plain_run(world, tags=tags)
    used(world.team.scientist, run, world.test, context="test")
    return run


def criteria_afterwards(world: World) -> Run:
    run = in_the_log(tested(world))
    set_tags(world.team.scientist, run, tags={CRITERIA: "test/auroc >= 0.6"})
    return in_the_log(run)


def criteria_rewritten_afterwards(world: World) -> Run:
    run = in_the_log(tested(world, **{CRITERIA: "test/auroc >= 0.95"}))
    set_tags(world.team.scientist, run, tags={CRITERIA: "test/auroc >= 0.6"})
    return in_the_log(run)


def ending_at(value: float, key: str = "test/auroc") -> Callable[[World], Run]:
    """A run whose metric ends at this value."""

    def make_ending(world: World) -> Run:
        run = a_plain_run(world)
        measured(world.team.scientist, run, value, key)
        return run

    return make_ending


CASES = [
    Case("E1", PASS, "On vitals-test", complete),
    Case("E1", FAIL, "nothing was measured", tested),
    Case("E1", MISSING, "No test data are named", bare),
    Case("E2", PASS, "test/auroc >= 0.85", complete),
    Case("E2", FAIL, "after the evaluation", criteria_afterwards),
    Case("E2", FAIL, "after the evaluation", criteria_rewritten_afterwards),
    Case("E2", MISSING, "No acceptance criteria", bare),
    Case("E3", PASS, "test/auroc/sex:female", complete),
    Case("E3", PASS, "too few", tagged(mled__subgroups="too few patients")),
    Case("E3", MISSING, "No metric by subgroup", ending_at(0.9)),
    Case("E4", PASS, "finite, in order", complete),
    Case("E4", FAIL, "NaN or infinity", ending_at(math.nan)),
    Case("E4", FAIL, "NaN or infinity", ending_at(math.inf)),
    Case("E4", MISSING, "units of test/auroc are not stated", ending_at(0.9)),
    Case("E5", PASS, "Not for patients under 16", complete),
    Case("E5", MISSING, "No limits are stated", bare),
    Case("E6", PASS, "by test/auroc", complete),
    Case("E6", FAIL, "no other run", tagged(mled__baseline="f" * 32)),
    Case("E6", MISSING, "No baseline is named", bare),
]
IMPOSSIBLE = {
    ("E3", "fail"): "a metric by subgroup or a reason is evidence; only that both lack can be seen",
    ("E5", "fail"): "limits are a person's words, which the rule shows and does not judge",
}
