"""Reviews: submitted by authors, decided by others with a signature, flagged and answered, changed since."""

import datetime as dt

import pytest

from accounts.access import can
from accounts.actions.governance import govern_project
from accounts.actions.users import change_password
from accounts.models import Notice
from accounts.signing import Proof, prove
from audit.compliance.actions.findings import Flag, answer_finding, ask_again, close_finding, open_finding
from audit.compliance.actions.profiles import choose_profile
from audit.compliance.actions.reviews import (
    amend_run,
    assign_review,
    decide_review,
    start_review,
    submit_run,
    withdraw_submission,
)
from audit.compliance.actions.sampling import draw_sample, drawn_from, review_trail
from audit.compliance.judging import judge
from audit.compliance.models import Draw, Finding, Review
from audit.compliance.profile import profiles
from audit.compliance.queries.reviews import changes_since, queue, signature_state
from audit.compliance.rules.record import Record
from audit.compliance.tasks import apply_covered_verdicts
from audit.compliance.verdict import digest_of_facts
from audit.ledger.sequencer import run_once as in_order
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.exports import note_export_of
from experiments.actions.runs import delete_run, lock_run, set_tags, unlock_run
from experiments.actions.seals import seal_run
from experiments.models import Run
from experiments.values import ReviewState, RunStatus
from kernel.actor import Actor, operator, system
from kernel.errors import AlreadyExists, Conflict, Invalid, Locked, NotFound, Refused
from tests.factories import PASSWORD, a_batch, a_file, a_person, a_run, a_team, join, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    made = a_team()
    change_password(made.auditor, password=PASSWORD)
    return made


@pytest.fixture
def run(team) -> Run:
    made = a_run(team.scientist, name="gru", status=RunStatus.FINISHED)
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "0.1"}, tags={"stage": "draft"}, loss=[0.9, 0.5]))
    return fresh(made)


def fresh(run: Run) -> Run:
    """The run as it is stored now."""
    return Run.objects.select_related("project", "created_by").get(pk=run.pk)


def proof_of(actor: Actor) -> Proof:
    return prove(actor, PASSWORD, email=user_of(actor).email)


def submitted(team, run: Run) -> Review:
    submit_run(team.scientist, run, comment="Ready.")
    return Review.objects.select_related("run__project").get(run=run, state=Review.State.SUBMITTED)


def govern(team) -> None:
    govern_project(operator(), team.project, is_governed=True, protected_names=["production"])
    team.project.refresh_from_db()


def decided(team, review: Review, *, compliant: bool = True) -> Review:
    flags = () if compliant else (Flag("missing", "Which seed?", rule="V5"),)
    proof = proof_of(team.auditor)
    found = decide_review(team.auditor, review, compliant=compliant, reason="Seen.", proof=proof, flags=flags)
    in_order()
    return found


# --- Submission


def test_a_run_that_has_ended_is_submitted_once(team, run):
    submitted(team, run)
    assert fresh(run).review_state == ReviewState.SUBMITTED
    assert [one.run_id for one in queue(team.auditor, team.project)] == [run.pk]
    with pytest.raises(AlreadyExists):
        submit_run(team.scientist, run)
    with pytest.raises(Conflict):
        submit_run(team.scientist, a_run(team.scientist))


def test_only_its_author_submits_a_run_and_outsiders_do_not_see_it(team, run):
    for actor in (team.engineer, team.manager, team.auditor):
        with pytest.raises(Refused):
            submit_run(actor, run)
    with pytest.raises(NotFound):
        submit_run(a_person(), run)


def test_in_an_open_project_a_submitted_run_takes_writes_and_in_a_governed_one_none(team, run):
    submitted(team, run)
    set_tags(team.scientist, fresh(run), tags={"stage": "late"})
    withdraw_submission(team.scientist, run, reason="Not yet.")
    assert fresh(run).review_state == ReviewState.NOT_REVIEWED
    govern(team)
    submitted(team, fresh(run))
    with pytest.raises(Locked, match="submitted for review"):
        set_tags(team.scientist, fresh(run), tags={"stage": "later"})
    with pytest.raises(Locked, match="submitted for review"):
        a_file(team.scientist, fresh(run))
    with pytest.raises(Refused):
        unlock_run(team.scientist, fresh(run))
    withdraw_submission(team.scientist, fresh(run))
    assert not fresh(run).is_locked


def test_a_run_that_was_locked_before_it_was_submitted_stays_locked(team, run):
    govern(team)
    lock_run(team.scientist, fresh(run))
    submitted(team, fresh(run))
    with pytest.raises(Refused, match="stays locked"):
        unlock_run(team.scientist, fresh(run))
    withdraw_submission(team.scientist, fresh(run))
    assert fresh(run).is_locked
    unlock_run(team.scientist, fresh(run))
    assert not fresh(run).is_locked


def test_what_was_submitted_is_never_deleted(team, run):
    submitted(team, run)
    with pytest.raises(Conflict):
        delete_run(team.scientist, fresh(run))


def test_an_amendment_takes_a_reason_and_leaves_what_was_set(team, run):
    with pytest.raises(Conflict):
        amend_run(team.scientist, run, reason="Typo.", tags={"stage": "final"})
    govern(team)
    submitted(team, fresh(run))
    with pytest.raises(Invalid):
        amend_run(team.scientist, run, reason=" ", tags={"stage": "final"})
    with pytest.raises(Invalid):
        amend_run(team.scientist, run, reason="Oops.", params={"lr": "0.2"})
    with pytest.raises(Invalid):
        amend_run(team.scientist, run, reason="Nothing.")
    amend_run(team.scientist, run, reason="The seed was forgotten.", params={"seed": "17"}, note="With seed.")
    record = Record(fresh(run))
    assert record.params == {"lr": "0.1", "seed": "17"}
    assert {one.rule: one.outcome for one in judge(Record(fresh(run)))}["V5"] == "pass"
    with pytest.raises(Refused):
        amend_run(team.engineer, run, reason="Mine.", tags={"stage": "x"})


# --- Verdicts


def test_a_verdict_counts_once_the_log_covers_it(team, run):
    review = submitted(team, run)
    start_review(team.auditor, review)
    assert fresh(run).review_state == ReviewState.IN_REVIEW
    found = decide_review(team.auditor, review, compliant=True, reason="Fine.", proof=proof_of(team.auditor))
    assert fresh(run).review_state == ReviewState.IN_REVIEW
    assert apply_covered_verdicts() == 0
    in_order()
    assert fresh(run).review_state == ReviewState.COMPLIANT
    state = signature_state(team.scientist, found)
    assert state is not None
    assert state.matches
    assert state.is_covered
    assert Notice.objects.filter(user=user_of(team.scientist), kind="review.decided").exists()
    with pytest.raises(Conflict):
        decide_review(team.auditor, review, compliant=True, reason="Again.", proof=proof_of(team.auditor))


def test_nobody_decides_about_what_they_made_changed_or_submitted(team, run):
    both = a_person("Both")
    join(team.project, both, "auditor")
    review = submitted(team, run)
    log_batch(team.engineer, fresh(run), batch=a_batch(tags={"team": "b"}))
    for actor in (team.scientist, team.engineer, team.manager):
        with pytest.raises(Refused):
            start_review(actor, review)
    assert can(team.auditor, "compliance.decide_review", review)
    assert can(both, "compliance.decide_review", review)
    with pytest.raises(NotFound):
        start_review(a_person(), review)


def test_who_took_numbers_of_a_run_out_had_no_hand_in_it(team, run):
    note_export_of(team.auditor, run, what="Exported a comparison of run as CSV.")
    assert start_review(team.auditor, submitted(team, run)).state == Review.State.IN_REVIEW


def test_a_later_change_turns_compliant_into_changed_and_says_what_changed(team, run):
    review = decided(team, submitted(team, run))
    set_tags(team.scientist, fresh(run), tags={"stage": "final"})
    assert fresh(run).review_state == ReviewState.CHANGED
    [change] = changes_since(team.auditor, Review.objects.select_related("run", "signature").get(pk=review.pk))
    assert (change.path, change.before, change.now) == ("tags › stage", "draft", "final")
    state = signature_state(team.auditor, review)
    assert state is not None
    assert not state.matches
    again = submitted(team, fresh(run))
    assert again.number == 2


def test_a_verdict_that_cannot_be_applied_holds_up_no_other(team, run, monkeypatch):
    other = a_run(team.scientist, name="lstm", status=RunStatus.FINISHED)
    for one in (run, other):
        decide_review(team.auditor, submitted(team, one), compliant=True, reason="Seen.", proof=proof_of(team.auditor))

    def torn(review: Review) -> bool:
        if review.run_id == run.pk:
            raise ValueError("A record that cannot be read.")
        return True

    monkeypatch.setattr("audit.compliance.actions.reviews.is_as_signed", torn)
    in_order()
    assert fresh(run).review_state != ReviewState.COMPLIANT
    assert fresh(other).review_state == ReviewState.COMPLIANT


def test_a_change_that_was_sealed_before_the_verdict_counts_is_no_part_of_it(team, run):
    review = submitted(team, run)
    decide_review(team.auditor, review, compliant=True, reason="Seen.", proof=proof_of(team.auditor))
    set_tags(team.scientist, fresh(run), tags={"stage": "final"})
    seal_run(system(), fresh(run))
    in_order()
    assert fresh(run).review_state == ReviewState.CHANGED


def test_a_flag_opens_a_finding_that_its_author_answers_before_the_next_round(team, run):
    decided(team, submitted(team, run), compliant=False)
    assert fresh(run).review_state == ReviewState.FLAGGED
    finding = Finding.objects.get()
    assert finding.owner_id == team.scientist.user_id
    with pytest.raises(Conflict):
        submit_run(team.scientist, fresh(run))
    answer_finding(team.scientist, finding, text="17, now in the params.")
    ask_again(team.auditor, finding, text="Where?")
    answer_finding(team.scientist, finding, text="Tag seed.")
    again = submitted(team, fresh(run))
    close_finding(team.auditor, finding, closure="Seen.")
    with pytest.raises(Conflict):
        answer_finding(team.scientist, finding, text="Late.")
    decided(team, again)
    assert fresh(run).review_state == ReviewState.COMPLIANT


@pytest.mark.parametrize(("reason", "flags", "field"), [("Bad.", (), "text"), ("", (Flag("other", "x"),), "reason")])
def test_a_flag_without_reason_or_finding_is_refused(team, run, reason, flags, field):
    with pytest.raises(Invalid) as caught:
        decide_review(
            team.auditor,
            submitted(team, run),
            compliant=False,
            reason=reason,
            proof=proof_of(team.auditor),
            flags=flags,
        )
    assert caught.value.field == field


def test_a_run_that_changed_since_it_was_looked_at_is_not_decided_about(team, run):
    review, seen = submitted(team, run), digest_of_facts(fresh(run))
    set_tags(team.scientist, fresh(run), tags={"stage": "late"})
    given = {"compliant": True, "reason": "Fine.", "proof": proof_of(team.auditor)}
    with pytest.raises(Conflict, match="changed since you looked"):
        decide_review(team.auditor, review, seen=seen, **given)
    decide_review(team.auditor, review, seen=digest_of_facts(fresh(run)), **given)


def test_a_drawn_round_leaves_a_verdict_as_it_is(team, run):
    decided(team, submitted(team, run))
    draw_sample(team.auditor, team.project, method="random", runs=[fresh(run)], size=1, seed="s")
    start_review(team.auditor, queue(team.auditor)[0])
    assert fresh(run).review_state == ReviewState.COMPLIANT


def test_rules_that_block_stand_in_the_way_in_a_governed_project(team, run):
    govern(team)
    choose_profile(team.manager, team.project, profile="model-risk")
    with pytest.raises(Conflict, match="rules block it"):
        decide_review(
            team.auditor, submitted(team, fresh(run)), compliant=True, reason="Fine.", proof=proof_of(team.auditor)
        )


def test_a_review_is_assigned_to_an_auditor_of_the_project_who_is_told(team, run):
    other = a_person("Olga")
    join(team.project, other, "auditor")
    review = submitted(team, run)
    assign_review(team.auditor, review, assigned_to=user_of(other), due=dt.date(2030, 1, 1))
    assert Notice.objects.filter(user=user_of(other), kind="review.assigned").exists()
    with pytest.raises(Invalid):
        assign_review(team.auditor, review, assigned_to=user_of(team.scientist), due=None)
    with pytest.raises(Refused):
        assign_review(team.scientist, review, assigned_to=None, due=None)


def test_a_finding_outside_of_a_review_is_opened_by_an_auditor_alone(team, run):
    open_finding(team.auditor, run, flag=Flag("data", "Licence ended."))
    assert Finding.objects.get().review is None
    with pytest.raises(Refused):
        open_finding(team.manager, run, flag=Flag("data", "x"))
    with pytest.raises(Invalid):
        open_finding(team.auditor, run, flag=Flag("data", "x", owner=user_of(team.auditor)))
    with pytest.raises(Invalid):
        open_finding(team.auditor, run, flag=Flag("odd", "x"))


# --- Samples and trails


def test_the_same_seed_draws_the_same_sample(team):
    runs = [a_run(team.scientist, status=RunStatus.FINISHED) for _ in range(6)]
    draw = draw_sample(team.auditor, team.project, method="random", runs=runs, size=3, seed="2026-11", question="all")
    assert draw.drawn == drawn_from(sorted(run.uid.hex for run in runs), size=3, seed="2026-11")
    assert {one.run.uid.hex for one in queue(team.auditor, team.project)} == set(draw.drawn)
    assert all(one.submitted_by is None for one in queue(team.auditor))
    draw_sample(team.auditor, team.project, method="random", runs=runs, size=3, seed="2026-11")
    assert queue(team.auditor).count() == 3
    assert Draw.objects.count() == 2


@pytest.mark.parametrize(
    ("more", "field"),
    [({"size": 0}, "size"), ({"size": 9}, "size"), ({"seed": " "}, "seed"), ({"method": "luck"}, "method")],
)
def test_what_cannot_be_drawn_is_refused(team, more, field):
    runs = [a_run(team.scientist, status=RunStatus.FINISHED)]
    with pytest.raises(Invalid) as caught:
        draw_sample(team.auditor, team.project, **{"method": "random", "runs": runs, "size": 1, "seed": "s", **more})
    assert caught.value.field == field
    with pytest.raises(Conflict):
        draw_sample(team.auditor, team.project, method="random", runs=[], size=1, seed="s")


def test_a_reviewed_trail_meets_the_rule_that_asks_for_it(team, run):
    with pytest.raises(Conflict):
        review_trail(team.auditor, team.project, up_to=0, note="Nothing yet.")
    in_order()
    last = max(one.seq for one in Record(run).events if one.seq is not None)
    with pytest.raises(Invalid):
        review_trail(team.auditor, team.project, up_to=10**6, note="Too far.")
    with pytest.raises(Refused):
        review_trail(team.manager, team.project, up_to=last, note="Mine.")
    review_trail(team.auditor, team.project, up_to=last, note="All acts by the team.")
    found = {one.rule: one.outcome for one in judge(Record(fresh(run), profile=profiles()["gxp"]))}
    assert found["H6"] == "pass"
    with pytest.raises(Invalid):
        review_trail(team.auditor, team.project, up_to=0, note="Back.")


def test_the_ledger_knows_everything_that_reviews_leave(team, run):
    decided(team, submitted(team, run), compliant=False)
    answer_finding(team.scientist, Finding.objects.get(), text="There.")
    in_order()
    findings = verify_ledger()
    assert findings.is_sound, findings.problems
