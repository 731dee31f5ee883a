"""Two people decide at the same moment: one decision counts, the other is told so, and nothing is half-made."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Signature
from accounts.roles import Role
from audit.ledger.verify import verify_ledger
from kernel.actor import system
from kernel.errors import AlreadyExists, Conflict, MledError, Unavailable
from registry.actions.promotions import ask_promotion, carry_out_promotion, decide_promotion, withdraw_promotion
from registry.models import ModelAlias, PromotionRequest
from registry.queries.promotions import get_promotion
from tests.factories import Team, a_member, again
from tests.registry.promoting import (
    a_candidate,
    a_governed_team,
    approved_by,
    asked_for,
    log_goes_on,
    proof_of,
    with_password,
)
from tests.together import errors, together, values


@pytest.fixture
def team(committed_db: str, settings: Any, tmp_path: Any) -> Team:
    settings.MLED_DATA = tmp_path
    return a_governed_team()


def test_of_two_approvals_at_once_exactly_one_wins(team):
    request = asked_for(team)
    both = (team.engineer, team.manager)
    proofs = [proof_of(person) for person in both]
    outcomes = together(
        *(
            lambda person=person, proof=proof: decide_promotion(
                again(person), request, approve=True, comment="Good.", proof=proof
            )
            for person, proof in zip(both, proofs, strict=True)
        )
    )
    assert len(values(outcomes)) == 1
    (lost,) = errors(outcomes)
    assert isinstance(lost, Conflict), lost
    assert "approved this promotion on" in lost.message
    assert Signature.objects.count() == 1
    decided = get_promotion(system(), request.pk)
    assert decided.signature.signed_by_id == decided.decided_by_id
    log_goes_on()
    assert ModelAlias.objects.get(model=request.model).version_id == request.version_id
    log_goes_on()
    assert verify_ledger().problems == []


def test_the_same_person_twice_at_once_decides_once(team):
    request, proof = asked_for(team), proof_of(team.manager)
    outcomes = together(
        *[lambda: decide_promotion(again(team.manager), request, approve=True, proof=proof) for _ in range(4)]
    )
    assert len(values(outcomes)) == 1
    assert all(isinstance(error, Conflict) and "You approved" in error.message for error in errors(outcomes))
    assert Signature.objects.count() == 1


def test_an_approval_and_a_withdrawal_at_once_leave_one_of_them(team):
    request, proof = asked_for(team), proof_of(team.manager)
    outcomes = together(
        lambda: decide_promotion(again(team.manager), request, approve=True, proof=proof),
        lambda: withdraw_promotion(again(team.scientist), request),
    )
    assert len(values(outcomes)) == 1
    assert isinstance(errors(outcomes)[0], Conflict)
    state = get_promotion(system(), request.pk).state
    assert Signature.objects.count() == (state == PromotionRequest.State.APPROVED)


def test_two_versions_for_one_alias_at_once(team):
    first = asked_for(team)
    second = asked_for(team, a_candidate(team.scientist, team.project, model=first.model))
    other = with_password(a_member(team.project, Role.ML_ENGINEER, "Ines"))
    proofs = [proof_of(team.manager), proof_of(other)]
    outcomes = together(
        lambda: decide_promotion(again(team.manager), first, approve=True, proof=proofs[0]),
        lambda: decide_promotion(again(other), second, approve=True, proof=proofs[1]),
    )
    assert len(values(outcomes)) == 1
    assert "about to take effect" in errors(outcomes)[0].message


def test_asking_for_the_same_at_once_makes_one_request(team):
    version = a_candidate(team.scientist, team.project)
    outcomes = together(
        *[
            lambda who=who: ask_promotion(again(who), version, kind="alias", target="champion")
            for who in (team.scientist, team.engineer, team.scientist)
        ]
    )
    assert len(values(outcomes)) == 1
    assert all(isinstance(error, AlreadyExists | Conflict) for error in errors(outcomes))
    assert PromotionRequest.objects.count() == 1


def test_carried_out_by_several_at_once_it_moves_once(team, monkeypatch):
    monkeypatch.setattr("audit.ledger.hooks.checkpoint_signed", [])
    request = approved_by(team.manager, asked_for(team))
    log_goes_on()
    outcomes = together(*[lambda: carry_out_promotion(system(), request) for _ in range(4)])
    assert all(isinstance(error, Unavailable) for error in errors(outcomes))
    assert values(outcomes)
    assert ModelAlias.objects.filter(model=request.model).count() == 1
    past: Any = PromotionRequest.history
    assert past.filter(id=request.pk, effective_at__isnull=False).count() == 1
    assert not any(isinstance(error, MledError) and error.status == 500 for error in errors(outcomes))
