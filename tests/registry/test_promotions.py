"""A protected alias or stage moves only by a promotion: asked by one, decided and signed by another, then covered."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.actions.governance import govern_project
from accounts.models import Notice, Project, Signature
from accounts.roles import Role
from accounts.signing import ProofNeeded, state_of
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.exports import note_export_of
from experiments.actions.runs import update_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.values import RunStatus
from kernel.actor import operator, system
from kernel.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from registry.actions.aliases import set_alias
from registry.actions.cards import write_card
from registry.actions.promotions import ask_promotion, carry_out_promotion, decide_promotion, withdraw_promotion
from registry.models import ModelAlias, ModelVersion, PromotionRequest
from registry.promoting.record import record_of
from registry.queries.promotions import (
    get_promotion,
    may_decide,
    open_promotions,
    promotions_in,
    promotions_of,
    signature_state,
)
from registry.tasks import apply_covered_promotions, carry_out_promotions
from tests.factories import (
    PASSWORD,
    STARTED_MS,
    Team,
    a_batch,
    a_member,
    a_person,
    a_run,
    a_team,
    again,
    events,
    events_since,
    join,
    user_of,
    with_token,
)
from tests.registry.promoting import (
    a_candidate,
    a_governed_team,
    approved_by,
    asked_for,
    log_goes_on,
    proof_of,
    with_password,
)

State = PromotionRequest.State


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Any, db: None) -> None:
    settings.MLED_DATA = tmp_path


@pytest.fixture
def team() -> Team:
    return a_governed_team()


def champion(version: ModelVersion) -> int | None:
    row = ModelAlias.objects.filter(model=version.model, name="champion").first()
    return row.version.number if row else None


def told(person: Any) -> list[str]:
    return list(Notice.objects.filter(user=user_of(person)).order_by("pk").values_list("kind", flat=True))


def fresh(request: PromotionRequest) -> PromotionRequest:
    return get_promotion(system(), request.pk)


# --- The straight way


def test_an_approved_version_carries_the_alias_once_the_log_covers_the_signature(team):
    request = asked_for(team)
    assert champion(request.version) is None
    approved_by(team.manager, request)
    assert fresh(request).is_waiting
    assert champion(request.version) is None
    log_goes_on()
    assert fresh(request).effective_at is not None
    assert champion(request.version) == 1
    assert ModelAlias.objects.get(model=request.model).set_by is None
    state = signature_state(team.auditor, request)
    assert state is not None
    assert (state.matches, state.differs, state.is_covered) == (True, (), True)


def test_the_signature_says_who_what_when_and_meaning(team):
    request = approved_by(team.manager, asked_for(team))
    signature = fresh(request).signature
    assert signature.printed_name == "Mona"
    assert signature.meaning == f"Approved for alias champion: {request.model.name} v1"
    assert signature.factors == "e-mail, password"
    assert signature.signed_at >= signature.proven_at
    assert signature.comment == "Checked."
    (event,) = events(verb="registry.decide_promotion")
    assert signature.event_id == event.event.pk
    assert event.event.actor_id == team.manager.user_id


def test_the_record_that_is_signed_holds_everything_the_decision_rests_on(team):
    request = approved_by(team.manager, asked_for(team))
    record = record_of(fresh(request))
    (file,) = record["version"]["files"].values()
    assert len(file["sha256"]) == 64
    (dataset,) = record["version"]["datasets"].values()
    assert dataset["digest"] == "d" * 36
    assert record["version"]["metrics"]["runs"]["auc"] == {"value": 0.9, "step": 1}
    assert record["move"]["from"] is None
    assert record["move"]["to"] == 1
    assert record["gates"]["four_eyes"]["outcome"] == "pass"
    assert record["decision"] == "approved"
    assert record["asked"]["comment"] == "Better on every ward."


def test_a_stage_moves_the_same_way_and_the_one_before_is_archived(team):
    first = a_candidate(team.scientist, team.project)
    approved_by(team.manager, asked_for(team, first, kind="stage", target="production"))
    log_goes_on()
    second = a_candidate(team.scientist, team.project, model=first.model)
    request = asked_for(team, second, kind="stage", target="Production")
    assert request.from_version == first
    approved_by(team.engineer, request)
    log_goes_on()
    stages = dict(ModelVersion.objects.filter(model=first.model).values_list("number", "stage"))
    assert stages == {1: "Archived", 2: "Production"}


def test_each_is_told_what_concerns_them(team):
    request = asked_for(team)
    assert told(team.manager) == told(team.engineer) == ["promotion.asked"]
    assert told(team.scientist) == told(team.auditor) == []
    approved_by(team.manager, request)
    assert told(team.scientist) == ["promotion.approved"]
    log_goes_on()
    assert told(team.scientist) == ["promotion.approved", "promotion.effective"]
    assert told(team.manager) == ["promotion.asked", "promotion.effective"]


def test_each_step_leaves_one_event(team):
    version = a_candidate(team.scientist, team.project)
    (asked,) = events_since(lambda: asked_for(team, version))
    assert asked.verb == "registry.ask_promotion"
    request = PromotionRequest.objects.get()
    proof = proof_of(team.manager)
    (decided,) = events_since(lambda: decide_promotion(team.manager, request, approve=True, comment="", proof=proof))
    assert {change["type"] for change in decided.changes} == {"registry.promotionrequest", "accounts.signature"}
    (done,) = events_since(log_goes_on)
    assert done.verb == "registry.carry_out_promotion"
    assert done.event.actor_kind == "system"
    assert {change["type"] for change in done.changes} == {"registry.promotionrequest", "registry.modelalias"}


def test_all_of_it_agrees_with_the_log(team):
    approved_by(team.manager, asked_for(team))
    log_goes_on()
    log_goes_on()
    assert verify_ledger().problems == []


# --- Asking


def test_who_may_not_ask(team):
    version = a_candidate(team.scientist, team.project)
    for person in (team.manager, team.auditor):
        with pytest.raises(Refused):
            ask_promotion(person, version, kind="alias", target="champion")
    for person in (a_person(), team.administrator):
        with pytest.raises(NotFound):
            ask_promotion(person, version, kind="alias", target="champion")


def test_in_an_open_project_there_is_nothing_to_ask():
    team = a_team()
    version = a_candidate(team.scientist, team.project)
    with pytest.raises(Conflict, match="move freely"):
        ask_promotion(team.scientist, version, kind="alias", target="champion")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"kind": "alias", "target": "challenger"}, "target"),
        ({"kind": "stage", "target": "Staging"}, "target"),
        ({"kind": "stage", "target": "Nowhere"}, "stage"),
        ({"kind": "alias", "target": "with space"}, "alias"),
        ({"kind": "crown", "target": "champion"}, "kind"),
        ({"kind": "alias", "target": "champion", "comment": "x" * 5000}, "comment"),
        ({"kind": "alias", "target": "champion", "comment": "nul\x00"}, "comment"),
    ],
)
def test_what_cannot_be_asked_for_is_named(team, wanted, field):
    version = a_candidate(team.scientist, team.project)
    with pytest.raises(Invalid) as refusal:
        ask_promotion(team.scientist, version, **wanted)
    assert refusal.value.field == field


def test_asking_twice_is_told_so(team):
    request = asked_for(team)
    with pytest.raises(AlreadyExists, match="Ada asked for this"):
        asked_for(team, request.version)
    approved_by(team.manager, request)
    with pytest.raises(Conflict, match="approved already"):
        asked_for(team, request.version)
    log_goes_on()
    with pytest.raises(Conflict, match="carries 'champion' already"):
        asked_for(team, request.version)


def test_who_asked_takes_it_back_and_nobody_else_does(team):
    request = asked_for(team)
    with pytest.raises(Refused, match="Only who asked"):
        withdraw_promotion(team.engineer, request)
    withdraw_promotion(team.scientist, request, reason="Wrong version.")
    assert fresh(request).state == State.WITHDRAWN
    with pytest.raises(Conflict, match="You withdrew this promotion already"):
        withdraw_promotion(team.scientist, request)
    with pytest.raises(Conflict, match="Ada withdrew"):
        approved_by(team.manager, request)
    asked_for(team, request.version)


# --- Four eyes


def test_who_asked_does_not_decide(team):
    join(team.project, team.scientist, Role.ML_ENGINEER)
    ada = again(team.scientist)
    request = asked_for(team)
    proof = proof_of(ada)
    with pytest.raises(Refused, match="You asked for this promotion") as refusal:
        decide_promotion(ada, request, approve=True, proof=proof)
    assert "Mona" in refusal.value.hint
    assert not may_decide(ada, request)
    (denied,) = events(verb="registry.decide_promotion")
    assert denied.outcome == "denied"


def test_who_made_the_version_does_not_decide(team):
    version = a_candidate(team.engineer, team.project)
    request = asked_for(team, version)
    with pytest.raises(Refused, match="You created run"):
        approved_by(team.engineer, request)
    assert may_decide(team.manager, request)


def test_who_measured_the_model_in_a_run_of_their_own_does_not_decide(team):
    version = a_candidate(team.scientist, team.project)
    point = MetricPoint("auc", 0.99, STARTED_MS, model_id=version.logged_model.model_id)
    log_batch(team.engineer, a_run(team.engineer), batch=Batch(metrics=[point]))
    request = asked_for(team, version)
    with pytest.raises(Refused, match="You measured the model in run"):
        approved_by(team.engineer, request)
    assert approved_by(team.manager, request).state == PromotionRequest.State.APPROVED


@pytest.mark.parametrize("logged", [{"tags": {"looked": "at"}}, {"auc": [0.99]}], ids=["tags", "points"])
def test_who_worked_on_the_run_does_not_decide(team, logged):
    version = a_candidate(team.scientist, team.project)
    log_batch(team.engineer, version.run, batch=a_batch(**logged))
    request = asked_for(team, version)
    with pytest.raises(Refused, match="You worked on run"):
        approved_by(team.engineer, request)


def test_who_took_out_numbers_of_the_run_may_decide(team):
    version = a_candidate(team.scientist, team.project)
    note_export_of(team.manager, version.run, what="Exported a comparison of run as CSV.")
    assert approved_by(team.manager, asked_for(team, version)).state == PromotionRequest.State.APPROVED


def test_who_wrote_the_card_does_not_decide(team):
    version = a_candidate(team.scientist, team.project)
    write_card(team.engineer, version, section="limits", text="Not for children.")
    request = asked_for(team, version)
    with pytest.raises(Refused, match="You worked on the model card of version 1"):
        approved_by(team.engineer, request)


def test_who_may_not_decide_at_all(team):
    request = asked_for(team)
    other = with_password(a_member(team.project, Role.DATA_SCIENTIST, "Sami"))
    for person in (other, team.auditor):
        with pytest.raises(Refused):
            approved_by(person, request)
    outsider = with_password(a_person("Zoe"))
    for person in (outsider, with_password(team.administrator)):
        with pytest.raises(NotFound):
            approved_by(person, request)
    assert fresh(request).is_open


def test_a_role_that_was_taken_away_meanwhile_counts_no_more(team):
    from accounts.actions.members import remove_member
    from accounts.models import Membership

    request = asked_for(team)
    assert may_decide(team.engineer, request)  # which this request remembers
    membership = Membership.objects.get(user_id=team.engineer.user_id, project=team.project)
    proof = proof_of(team.engineer)
    remove_member(operator(), membership)
    with pytest.raises((Refused, NotFound)):
        decide_promotion(team.engineer, request, approve=True, proof=proof)


def test_neither_a_token_nor_the_operator_decides(team):
    request = asked_for(team)
    proof = proof_of(team.manager)
    script = with_token(team.manager, scopes=["read", "log", "manage"])
    with pytest.raises(Refused, match="cannot sign"):
        decide_promotion(script, request, approve=True, proof=proof)
    for actor in (operator(), system()):
        with pytest.raises(Refused, match="Only a signed-in person"):
            decide_promotion(actor, request, approve=True, proof=proof)
    with pytest.raises(Refused, match="MLED itself"):
        carry_out_promotion(team.manager, request)


# --- Deciding


def test_a_rejection_needs_a_comment_and_is_signed(team):
    request = asked_for(team)
    with pytest.raises(Invalid, match="Say why"):
        decide_promotion(team.manager, request, approve=False, comment=" ", proof=proof_of(team.manager))
    decide_promotion(team.manager, request, approve=False, comment="Ward 3 is missing.", proof=proof_of(team.manager))
    log_goes_on()
    rejected = fresh(request)
    assert rejected.state == State.REJECTED
    assert rejected.signature.meaning.startswith("Rejected for alias champion")
    assert rejected.effective_at is None
    assert champion(request.version) is None
    assert told(team.scientist) == ["promotion.rejected"]


def test_the_same_decision_again_is_told_so_and_another_one_too(team):
    request = asked_for(team)
    approved_by(team.manager, request)
    with pytest.raises(Conflict, match="You approved this promotion already"):
        approved_by(team.manager, request)
    with pytest.raises(Conflict, match="Mona approved this promotion on"):
        approved_by(team.engineer, request)
    with pytest.raises(Conflict, match="Mona approved"):
        decide_promotion(team.manager, request, approve=False, comment="No.", proof=proof_of(team.manager))
    assert Signature.objects.count() == 1


def test_somebody_elses_proof_signs_nothing(team):
    request = asked_for(team)
    with pytest.raises(ProofNeeded):
        decide_promotion(team.manager, request, approve=True, proof=proof_of(team.engineer))
    assert fresh(request).is_open


def test_what_stands_in_the_way_is_named_and_a_rejection_is_still_possible(team):
    request = asked_for(team)
    update_run(team.scientist, request.version.run, status=RunStatus.RUNNING)
    with pytest.raises(Conflict, match=r"Source run finished: Run .* is running, not finished"):
        approved_by(team.manager, request)
    decide_promotion(team.manager, request, approve=False, comment="Still runs.", proof=proof_of(team.manager))


def test_a_promotion_from_another_version_than_was_asked_is_not_approved(team):
    first, rival = asked_for(team), None
    rival = asked_for(team, a_candidate(team.scientist, team.project, model=first.model))
    approved_by(team.manager, first)
    with pytest.raises(Conflict, match="about to take effect"):
        approved_by(team.manager, rival)
    log_goes_on()
    with pytest.raises(Conflict, match="Version 1 carries 'champion' now; it was none"):
        approved_by(team.manager, rival)


def test_once_the_project_is_open_nothing_is_approved(team):
    request = asked_for(team)
    project = Project.objects.get(pk=team.project.pk)
    govern_project(team.manager, project, is_governed=False, protected_names=["champion"], reason="A trial.")
    with pytest.raises(Conflict, match="no longer protected"):
        approved_by(team.manager, request)


def test_the_alias_cannot_be_set_past_the_promotion(team):
    version = a_candidate(team.engineer, team.project)
    with pytest.raises(Refused, match="promotion"):
        set_alias(team.engineer, version.model, alias="champion", version=version)


# --- After the decision


def test_any_change_of_what_was_signed_is_named(team):
    request = approved_by(team.manager, asked_for(team))
    log_goes_on()
    log_batch(team.scientist, request.version.run, batch=a_batch(auc=[0.1, 0.2, 0.99]))
    state = signature_state(team.manager, request)
    assert state is not None
    assert not state.matches
    assert state.differs == (
        "version › metrics › runs › auc › step",
        "version › metrics › runs › auc › value",
    )
    assert state.is_covered


def test_what_changed_before_it_took_effect_keeps_it_from_doing_so(team):
    request = approved_by(team.manager, asked_for(team))
    log_batch(team.scientist, request.version.run, batch=a_batch(f1=[0.5]))
    log_goes_on()
    lapsed = fresh(request)
    assert lapsed.state == State.APPROVED
    assert lapsed.effective_at is None
    assert "Changed since: version › metrics › runs › f1" in lapsed.lapsed_why
    assert champion(request.version) is None
    assert told(team.scientist)[-1] == told(team.manager)[-1] == "promotion.lapsed"
    asked_for(team, request.version)


def test_data_recalled_meanwhile_keeps_it_from_taking_effect(team):
    from artifacts.actions.recall import withdraw_version

    request = approved_by(team.manager, asked_for(team))
    given = request.version.run.inputs.get()
    withdraw_version(team.scientist, given.dataset_version, reason="Labels are wrong.")
    log_goes_on()
    assert "No recalled data" in fresh(request).lapsed_why
    assert "Labels are wrong" in fresh(request).lapsed_why
    assert champion(request.version) is None


def test_what_the_sequencer_missed_is_found_by_the_clock(team, monkeypatch):
    monkeypatch.setattr("audit.ledger.hooks.checkpoint_signed", [])
    request = approved_by(team.manager, asked_for(team))
    apply_covered_promotions()
    assert fresh(request).is_waiting, "The log does not cover it yet."
    log_goes_on()
    assert fresh(request).is_waiting
    carry_out_promotions()
    assert champion(request.version) == 1


def test_carrying_out_twice_changes_nothing(team):
    request = approved_by(team.manager, asked_for(team))
    log_goes_on()
    assert events_since(lambda: carry_out_promotion(system(), fresh(request))) == []
    assert apply_covered_promotions() == 0


def test_a_hook_that_breaks_stops_neither_the_log_nor_the_others(team, monkeypatch, caplog):
    def broken() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("audit.ledger.hooks.checkpoint_signed", [broken, apply_covered_promotions])
    request = approved_by(team.manager, asked_for(team))
    log_goes_on()
    assert champion(request.version) == 1
    assert "a bug" in caplog.text


# --- Reading


def test_what_is_open_and_what_was(team):
    request = asked_for(team)
    assert list(open_promotions(team.auditor, team.project)) == [request]
    approved_by(team.manager, request)
    assert list(open_promotions(team.auditor, team.project)) == [request]
    log_goes_on()
    assert list(open_promotions(team.auditor, team.project)) == []
    assert list(promotions_in(team.auditor, team.project)) == [request]
    assert list(promotions_of(team.auditor, request.version)) == [request]


def test_an_outsider_sees_no_promotion(team):
    request, outsider = asked_for(team), a_person()
    assert list(open_promotions(outsider, team.project)) == []
    with pytest.raises(NotFound):
        get_promotion(outsider, request.pk)
    with pytest.raises(NotFound):
        signature_state(outsider, request)
    with pytest.raises(NotFound):
        get_promotion(team.manager, "no-uuid")


def test_a_signature_over_what_is_gone_does_not_match(team):
    request = approved_by(team.manager, asked_for(team))
    assert state_of(fresh(request).signature, None).differs == ("everything: what was signed is gone",)
    assert PASSWORD not in fresh(request).signature.record
