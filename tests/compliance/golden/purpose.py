"""P: purpose and risk."""

from experiments.models import Run
from kernel.actor import operator
from tests.compliance.golden.cases import FAIL, MISSING, PASS, Case, bare_elsewhere, complete
from tests.compliance.golden.world import World, a_plain_run, choose_risk, with_purpose


def chosen_by_nobody(world: World) -> Run:
    choose_risk(operator(), world.project, "limited")
    return a_plain_run(world)


CASES = [
    Case("P1", PASS, "Warns nurses of sepsis", complete),
    Case("P1", FAIL, "purpose has 9 characters", lambda world: with_purpose(world, "Too short")),
    Case("P1", MISSING, "states no purpose", lambda world: with_purpose(world, "")),
    Case("P2", PASS, "High, chosen on", complete),
    Case("P2", FAIL, "no person chose it", chosen_by_nobody),
    Case("P2", MISSING, "No risk class", bare_elsewhere),
]
IMPOSSIBLE: dict[tuple[str, str], str] = {}
