"""Rules over real records: asked on demand, kept where they say something new, asked again when something changes."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.exceptions import (
    cosign_waiver,
    end_waiver,
    remove_not_applicable,
    set_not_applicable,
    waive_rule,
)
from audit.compliance.actions.profiles import change_copy, choose_profile, choose_retention
from audit.compliance.following import follow_log, follow_rules, mark_old
from audit.compliance.judging import judge, results_in, tally_of
from audit.compliance.models import Assessment, RunStanding, Waiver, Watermark
from audit.compliance.profile import profiles
from audit.compliance.rules.engine import RULES, Outcome
from audit.compliance.rules.record import Record
from audit.compliance.tasks import assess_stale_runs
from audit.ledger.acting import acting
from audit.ledger.models import AuditEvent
from audit.ledger.sequencer import run_once as in_order
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.recorded import record_run
from experiments.models import Run
from experiments.recording.wanted import Wanted
from experiments.values import RunStatus
from kernel.actor import system
from kernel.clock import now
from kernel.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused
from tests.factories import a_batch, a_dataset, a_person, a_run, a_team, a_version, an_experiment, join

pytestmark = pytest.mark.django_db
TODAY = now().date()


def fresh(run: Run) -> Run:
    """The run as it is stored now, with its project."""
    return Run.objects.select_related("project", "created_by").get(pk=run.pk)


def an_ended_run(team) -> Run:
    run = a_run(team.scientist, an_experiment(team.scientist, team.project), status=RunStatus.FINISHED)
    log_batch(team.scientist, run, batch=a_batch(params={"lr": "0.1"}, loss=[0.9, 0.5]))
    return fresh(run)


def outcome(run: Run, rule: str) -> str:
    return {one.rule: one.outcome for one in judge(Record(fresh(run)))}[rule]


def test_runs_recorded_by_hand_are_counted_as_made():
    team = a_team()
    run = an_ended_run(team)
    a_version(team.scientist, a_dataset(team.scientist, team.project, name="icu"), files={"icu.csv": b"a,b\n1,2\n"})
    by_hand = Wanted(
        experiment=run.experiment.name,
        name="svm",
        architecture="SVM",
        dataset="icu v1",
        started="2026-03-02T14:00Z",
        duration="1h",
        params=(("C", "10"),),
        results=(("auroc", "0.8"),),
    )
    recorded = record_run(team.scientist, team.project, wanted=by_hand, key="once")
    assert recorded.experiment_id == run.experiment_id
    assert [outcome(one, "C1") for one in (run, recorded)] == [Outcome.PASS, Outcome.PASS]


def test_there_are_forty_two_rules_and_each_profile_asks_only_those_that_there_are():
    assert len([key for key in RULES if not key.startswith("own.")]) == 42
    for profile in profiles().values():
        assert set(profile.rules) <= set(RULES)


def test_every_rule_says_something_of_a_bare_run():
    team = a_team()
    run = a_run(team.scientist, an_experiment(team.scientist, team.project))
    for profile in profiles().values():
        for one in judge(Record(run, profile=profile)):
            assert one.words, one
            assert "could not be checked" not in one.words, one
            assert one.is_met or one.fix, one


def test_an_assessment_is_kept_once_and_again_only_when_a_result_is_another():
    run = an_ended_run(a_team())
    first = assess_run(system(), run)
    events = AuditEvent.objects.count()
    assert assess_run(system(), run).pk == first.pk
    assert AuditEvent.objects.count() == events
    log_batch(system(), run, batch=a_batch(tags={"mled.limits": "Not for children."}))
    second = assess_run(system(), run)
    assert second.pk != first.pk
    assert Assessment.objects.filter(run=run).count() == 2


def test_the_standing_of_a_run_counts_what_the_rules_found():
    run = an_ended_run(a_team())
    assessment = assess_run(system(), run)
    standing = RunStanding.objects.get(run=run)
    tally = tally_of(results_in(assessment.results))
    assert (standing.blocking, standing.open, standing.met, standing.of) == (
        tally.blocking, tally.open, tally.met, tally.of,
    )  # fmt: skip
    assert tally.of > tally.met > 0


def test_an_assessment_is_never_changed_and_the_ledger_knows_it():
    assessment = assess_run(system(), an_ended_run(a_team()))
    with pytest.raises(DatabaseError), transaction.atomic(), acting(system(), "tampered"):
        Assessment.objects.filter(pk=assessment.pk).update(profile="house2")
    assert verify_ledger().problems == []


def test_whoever_reads_a_project_may_ask_its_rules_and_nobody_else():
    team = a_team()
    run = an_ended_run(team)
    assert assess_run(team.auditor, run).asked_by_id == team.auditor.user_id
    with pytest.raises(NotFound):
        assess_run(a_person(), run)


# --- Following the log


def test_a_run_is_asked_about_when_it_ended_and_again_when_evidence_changes(settings):
    team = a_team()
    run = an_ended_run(team)
    running = a_run(team.scientist)
    in_order()
    follow_log()
    assert set(RunStanding.objects.exclude(stale_at=None).values_list("run", flat=True)) == {run.pk}
    assert running.pk != run.pk
    RunStanding.objects.update(stale_at=now() - dt.timedelta(minutes=1))
    assert assess_stale_runs() == 1
    assert RunStanding.objects.get(run=run).stale_at is None
    in_order()
    assert assess_stale_runs() == 0
    assert RunStanding.objects.get(run=run).stale_at is None
    choose_retention(team.manager, team.project, retention_class="ten-years")
    in_order()
    follow_log()
    assert RunStanding.objects.get(run=run).stale_at is not None


def test_reading_the_log_twice_marks_nothing_twice():
    an_ended_run(a_team())
    in_order()
    assert follow_log() > 0
    assert follow_log() == 0


def test_other_rules_in_a_new_version_are_asked_of_every_run_once():
    run = an_ended_run(a_team())
    assess_run(system(), run)
    follow_rules()
    RunStanding.objects.update(stale_at=None)
    assert not follow_rules()
    Watermark.objects.filter(name__startswith="rules ").update(name="rules of last year")
    assert follow_rules()
    assert RunStanding.objects.get(run=run).stale_at is not None


def test_a_waiver_that_ran_out_and_a_week_of_silence_make_a_run_stale():
    team = a_team()
    waived, old, new = (an_ended_run(team) for _ in range(3))
    waive_rule(team.manager, waived, rule="V5", reason="Seen.", until=TODAY)
    for run in (waived, old, new):
        assess_run(system(), run)
    with acting(system(), "moved to yesterday") as act:
        act.speaks_of(waived.ledger_subject)
        waiver = Waiver.objects.get()
        waiver.until = TODAY - dt.timedelta(days=1)
        waiver.save()
    RunStanding.objects.filter(run=waived).update(checked_at=now() - dt.timedelta(days=1))
    RunStanding.objects.filter(run=old).update(checked_at=now() - dt.timedelta(days=8))
    mark_old()
    assert set(RunStanding.objects.exclude(stale_at=None).values_list("run", flat=True)) == {waived.pk, old.pk}


# --- What people say


def test_that_a_rule_does_not_apply_is_said_with_a_reason_and_can_be_taken_back():
    team = a_team()
    run = an_ended_run(team)
    set_not_applicable(team.scientist, run, rule="D1", reason="Simulated from parameters alone.")
    assert outcome(run, "D1") == Outcome.NOT_APPLICABLE
    with pytest.raises(AlreadyExists):
        set_not_applicable(team.scientist, run, rule="D1", reason="again")
    remove_not_applicable(team.scientist, run, rule="D1")
    assert outcome(run, "D1") == Outcome.MISSING
    with pytest.raises(NotFound):
        remove_not_applicable(team.scientist, run, rule="D1")


@pytest.mark.parametrize(("rule", "reason", "field"), [("Z9", "why", "rule"), ("D1", "  ", "reason")])
def test_what_is_no_rule_or_no_reason_is_refused(rule, reason, field):
    team = a_team()
    with pytest.raises(Invalid) as caught:
        set_not_applicable(team.scientist, an_ended_run(team), rule=rule, reason=reason)
    assert caught.value.field == field


def test_a_waiver_lets_a_rule_pass_until_its_day_and_not_after():
    team = a_team()
    run = an_ended_run(team)
    waiver = waive_rule(team.manager, run, rule="V5", reason="Old framework.", until=TODAY)
    assert outcome(run, "V5") == Outcome.WAIVED
    assert {one.rule: one.outcome for one in judge(Record(run, at=now() + dt.timedelta(days=1)))}["V5"] == "missing"
    end_waiver(team.manager, waiver)
    assert outcome(run, "V5") == Outcome.MISSING
    with pytest.raises(Conflict):
        end_waiver(team.manager, waiver)


def test_a_waiver_of_a_rule_that_blocks_holds_only_when_an_auditor_signs_along():
    team = a_team()
    choose_profile(team.manager, team.project, profile="model-risk")
    run = an_ended_run(team)
    waiver = waive_rule(team.manager, run, rule="D1", reason="Bought data.", until=TODAY)
    assert outcome(run, "D1") == Outcome.MISSING
    with pytest.raises(Refused):
        cosign_waiver(team.manager, waiver)
    cosign_waiver(team.auditor, waiver)
    assert outcome(run, "D1") == Outcome.WAIVED
    with pytest.raises(Conflict):
        cosign_waiver(team.auditor, waiver)


def test_nobody_waives_a_rule_of_what_they_made():
    team = a_team()
    run = an_ended_run(team)
    other = a_person()
    join(team.project, other, "project_manager")
    with pytest.raises(Refused):
        waive_rule(team.scientist, run, rule="V5", reason="mine", until=TODAY)
    with pytest.raises(Invalid):
        waive_rule(team.manager, run, rule="V5", reason="long", until=TODAY + dt.timedelta(days=800))
    waive_rule(other, run, rule="V5", reason="Seen.", until=TODAY)
    with pytest.raises(AlreadyExists):
        waive_rule(team.manager, run, rule="V5", reason="again", until=TODAY)


# --- What a project asks


def test_a_project_asks_for_params_tags_and_metrics_of_its_own():
    team = a_team()
    run = an_ended_run(team)
    asked = {"required_params": ["lr", "batch"], "required_tags": ["ward"], "required_metrics": ["loss"]}
    copy = change_copy(team.manager, team.project, version=0, tolerances={"loss": 0.01}, **asked)
    found = {one.rule: one.outcome for one in judge(Record(fresh(run)))}
    assert (found["own.params"], found["own.tags"], found["own.metrics"]) == ("missing", "missing", "pass")
    with pytest.raises(Conflict):
        change_copy(team.manager, team.project, version=0, tolerances={}, **asked)
    with pytest.raises(Invalid):
        change_copy(team.manager, team.project, version=copy.version, tolerances={"loss": -1.0}, **asked)


def test_a_milder_profile_takes_a_reason_and_retention_goes_only_upward():
    team = a_team()
    choose_profile(team.manager, team.project, profile="gxp")
    with pytest.raises(Invalid):
        choose_profile(team.manager, team.project, profile="house")
    choose_profile(team.manager, team.project, profile="house", reason="No patients any more.")
    choose_retention(team.manager, team.project, retention_class="ten-years")
    with pytest.raises(Conflict):
        choose_retention(team.manager, team.project, retention_class="short")
    with pytest.raises(Invalid):
        choose_retention(team.manager, team.project, retention_class="for ever")
    with pytest.raises(Refused):
        choose_profile(team.scientist, team.project, profile="gxp")
