"""Promotions stand on evidence: rules that block, flags and missing verdicts are in their way in governed projects."""

from __future__ import annotations

import pytest

from accounts.actions.governance import govern_project
from audit.compliance.actions.exceptions import cosign_waiver, waive_rule
from audit.compliance.actions.findings import Flag
from audit.compliance.actions.profiles import choose_profile
from audit.compliance.actions.reviews import AFTER_APPROVAL, amend_run, decide_review, submit_run
from audit.compliance.gate import asks_for_verdict
from audit.compliance.judging import judge
from audit.compliance.models import Review
from audit.compliance.profile import profiles
from audit.compliance.rules.record import Record
from audit.compliance.tasks import apply_covered_verdicts
from experiments.models import Run
from experiments.values import ReviewState
from kernel.actor import operator
from kernel.clock import now
from kernel.errors import Conflict
from registry.actions.promotions import decide_promotion
from registry.gates import GateResult, checklist
from registry.models import ModelVersion, PromotionRequest
from registry.promoting.makers import source_runs
from tests.factories import Team
from tests.registry.promoting import (
    a_candidate,
    a_governed_team,
    approved_by,
    asked_for,
    log_goes_on,
    proof_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return a_governed_team()


@pytest.fixture
def version(team: Team) -> ModelVersion:
    return a_candidate(team.scientist, team.project)


def gate(team: Team, version: ModelVersion) -> GateResult:
    fresh = ModelVersion.objects.get(pk=version.pk)
    (found,) = [one for one in checklist(team.scientist, fresh, "champion") if one.key == "evidence"]
    return found


def run_of(version: ModelVersion) -> Run:
    (run,) = source_runs(ModelVersion.objects.get(pk=version.pk))
    return run


def reviewed(team: Team, version: ModelVersion, *, compliant: bool = True) -> Review:
    submit_run(team.scientist, run_of(version))
    log_goes_on()
    review = Review.objects.select_related("run__project").get(run=run_of(version), state__in=Review.OPEN)
    flags = () if compliant else (Flag("missing", "No seed."),)
    decide_review(team.auditor, review, compliant=compliant, reason="Seen.", proof=proof_of(team.auditor), flags=flags)
    log_goes_on()
    apply_covered_verdicts()
    return review


def waived(team: Team, version: ModelVersion) -> None:
    """Every rule that is unmet and blocks is waived for today, with an auditor beside."""
    run = run_of(version)
    for one in judge(Record(run)):
        if one.blocks and not one.is_met and one.rule not in AFTER_APPROVAL:
            waiver = waive_rule(team.manager, run, rule=one.rule, reason="For the test.", until=now().date())
            cosign_waiver(team.auditor, waiver)


def test_house_rules_block_nothing_and_ask_for_no_verdict(team, version):
    assert (gate(team, version).outcome, gate(team, version).blocks) == ("pass", False)
    assert approved_by(team.engineer, asked_for(team, version)).state == PromotionRequest.State.APPROVED
    assert {name for name, one in profiles().items() if asks_for_verdict(one)} == {
        "eu-ai-act-high-risk", "gxp", "model-risk",
    }  # fmt: skip


def test_rules_that_block_are_in_the_way_until_they_are_waived_and_then_a_verdict_is_asked_for(team, version):
    choose_profile(team.manager, team.project, profile="model-risk", reason="Bank.")
    found = gate(team, version)
    assert (found.outcome, found.blocks, found.url) == ("fail", True, f"/r/{run_of(version).readable_id}/rules/")
    assert "rules block: " in found.words
    request = asked_for(team, version)
    with pytest.raises(Conflict, match="Rules met, review stands"):
        decide_promotion(team.engineer, request, approve=True, proof=proof_of(team.engineer))
    waived(team, version)
    log_goes_on()
    found = gate(team, version)
    assert "is not reviewed; " in found.words
    assert found.url.endswith("/review/")
    reviewed(team, version)
    assert run_of(version).review_state == ReviewState.COMPLIANT
    assert gate(team, version).outcome == "pass"
    assert "Found compliant" in gate(team, version).words
    assert approved_by(team.engineer, asked_for(team, version, target="production", kind="alias")).gates


def test_a_run_that_is_flagged_or_changed_since_its_review_is_in_the_way_whatever_the_profile(team, version):
    request = asked_for(team, version)
    reviewed(team, version, compliant=False)
    assert gate(team, version).words == f"{run_of(version).readable_id} is flagged."
    with pytest.raises(Conflict):
        approved_by(team.engineer, request)
    other = a_candidate(team.scientist, team.project)
    reviewed(team, other)
    assert gate(team, other).outcome == "pass"
    amend_run(team.scientist, run_of(other), reason="A tag.", tags={"late": "yes"})
    assert gate(team, other).words.endswith("changed since its review.")


def test_in_an_open_project_it_only_warns(team, version):
    reviewed(team, version, compliant=False)
    open_again = {"is_governed": False, "protected_names": ["champion"], "reason": "No more."}
    govern_project(operator(), team.project, **open_again)
    assert (gate(team, version).outcome, gate(team, version).blocks) == ("warn", False)
