"""What came out when a run was done again: compared once both have ended, kept, and read by the rules."""

from __future__ import annotations

import math

import pytest

from audit.compliance.actions.profiles import change_copy
from audit.compliance.rules.engine import Outcome
from audit.compliance.rules.record import Record
from audit.compliance.rules.reproducibility import outcome, was_reproduced
from audit.ledger.acting import acting
from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.purging import empty_run
from experiments.actions.runs import lock_run, set_tags, update_run
from experiments.models import Run
from experiments.queries.reproductions import LIKE, REPRODUCES, again_of, first_of
from experiments.values import RunStatus
from kernel.actor import operator, system
from kernel.clock import now
from kernel.errors import Refused
from runner.actions.comparing import keep_check
from runner.actions.jobs import end_job
from runner.models import Job, RecreationCheck
from runner.recreating.seeds import siblings_by_seed
from runner.recreating.tasks import check, check_waiting
from runner.recreating.unlike import record_of, unlike
from tests.factories import a_batch, a_person, a_run, a_team, a_version, default_experiment
from tests.factories_runner import a_draft, a_job, a_worker, held_by

pytestmark = pytest.mark.django_db
COMMIT = {"mlflow.source.git.commit": "c" * 40, "mlflow.source.name": "/usr/bin/python train.py"}


@pytest.fixture
def team():
    return a_team()


def ended(actor, *, tags=None, params=None, status=RunStatus.FINISHED, **values) -> Run:
    """A run that measured these values and ended just now."""
    run = a_run(actor, tags={**COMMIT, **(tags or {})})
    log_batch(actor, run, batch=a_batch(params=params or {"lr": "0.1"}, **values))
    return update_run(actor, run, status=status, ended_ms=None)


def again(team, first: Run, *, key: str = REPRODUCES, by=None, **more) -> Run:
    return ended(by or team.engineer, tags={key: first.uid.hex, **more.pop("tags", {})}, **more)


def kept(run: Run) -> RecreationCheck:
    check(run.uid.hex)
    return RecreationCheck.objects.get(again=run)


def test_both_are_compared_at_their_end_and_what_came_out_stays_whatever_is_logged_later(team):
    first = ended(team.scientist, loss=[0.9, 0.5], odd=[math.nan])
    second = again(team, first, loss=[0.8, 0.5], odd=[math.nan])
    one = kept(second)
    assert (one.verdict, one.changed, one.first, one.with_changes) == ("same", [], first, False)
    log_batch(team.engineer, second, batch=a_batch(loss=[0.7]))
    (shown,) = again_of(team.auditor, first)
    assert (shown.verdict.value, shown.rows[0].now) == ("same", 0.5)
    assert shown.kept.since[0].startswith(f"{second.readable_id} was changed since: compared as {one.again_seal[:12]}")
    assert kept(second) == one
    assert first_of(team.auditor, second).kept.made_at == one.made_at
    assert again_of(a_person(), first) == []


def test_nothing_is_compared_before_both_have_ended_and_a_lost_message_is_made_good(team):
    first = a_run(team.scientist)
    log_batch(team.scientist, first, batch=a_batch(loss=[1.0]))
    second = again(team, first, loss=[1.0])
    check(second.uid.hex)
    assert not RecreationCheck.objects.filter(again=second).exists()
    update_run(team.scientist, first, status=RunStatus.FINISHED)
    Run.objects.filter(pk=second.pk)
    update_run(team.engineer, second, ended_ms=int(second.created_at.timestamp() * 1000))
    check_waiting()
    assert RecreationCheck.objects.get(again=second).verdict == "same"


def test_a_run_whose_client_ended_it_is_compared_once_its_job_is_over(team, django_capture_on_commit_callbacks):
    """What came of the command, its console and its outputs come after the client has said that it is done."""
    first = ended(team.scientist, loss=[1.0])
    job = held_by(a_job(team.engineer, default_experiment(team.project), reproduces=first), a_worker())
    log_batch(team.engineer, job.run, batch=a_batch(loss=[1.0]))
    update_run(team.engineer, job.run, status=RunStatus.FINISHED, ended_ms=int(now().timestamp() * 1000))
    check(job.run.uid.hex)
    check_waiting()
    assert not RecreationCheck.objects.filter(again=job.run).exists()
    with django_capture_on_commit_callbacks(execute=True):
        end_job(system(), job, lease=job.lease, state=Job.State.FAILED, cause=Job.Cause.EXIT, why="x", exit_code=3)
    one = RecreationCheck.objects.get(again=job.run)
    assert (one.verdict, one.again_status) == ("different", RunStatus.FAILED)
    assert [shown.kept.since for shown in again_of(team.auditor, first)] == [[]]


def test_what_was_not_the_same_is_told_in_words(team):
    data = a_version(team.scientist)
    machine = {"mled.hardware": "EPYC, 2 cores", "mled.python": "3.11.9", "mled.os": "Linux-6"}
    first = ended(team.scientist, tags=machine, loss=[0.5])
    log_inputs(team.scientist, first, inputs=[DatasetInput(data.dataset.name, data.digest[:36])])
    other = {**machine, "mled.hardware": "Xeon, 8 cores", "mlflow.source.git.commit": "d" * 40}
    second = again(team, first, tags=other, params={"lr": "0.2"}, status=RunStatus.FAILED, loss=[0.5])
    one = kept(second)
    assert one.changed == [
        "Code: cccccccccccc then, dddddddddddd now.",
        f"Data: {data} ({data.digest[:12]}) then, not recorded now.",
        "Parameters: lr 0.1 then, 0.2 now.",
        "Hardware: EPYC, 2 cores then, Xeon, 8 cores now.",
        "End: finished then, failed now.",
    ]
    assert (one.verdict, one.rows[0]["verdict"]) == ("different", "same")


def test_a_locked_run_is_compared_too_and_people_cannot_say_what_came_out(team):
    first, lone = ended(team.scientist, loss=[1.0]), ended(team.scientist, loss=[1.0])
    lock_run(team.engineer, first, reason="Done.")
    second = again(team, first, loss=[1.1])
    with pytest.raises(Refused):
        keep_check(team.engineer, second)
    assert kept(second).verdict == "different"
    keep_check(system(), lone)
    assert not RecreationCheck.objects.filter(again=lone).exists()


def test_how_far_seeds_alone_move_a_metric_is_asked_of_runs_that_differ_only_in_their_seed(team):
    names = {"required_params": [], "required_tags": [], "required_metrics": []}
    change_copy(team.manager, team.project, version=0, tolerances={"acc": {"seeds": 2}}, **names)
    first = ended(team.scientist, params={"lr": "0.1", "seed": "1"}, acc=[0.80])
    ended(team.scientist, params={"lr": "0.1", "seed": "2"}, acc=[0.82])
    few = kept(again(team, first, params={"lr": "0.1", "seed": "1"}, acc=[0.81]))
    assert (few.verdict, few.rows[0]["allowed"][:16]) == ("different", "none: by seeds, ")
    ended(team.scientist, params={"lr": "0.1", "seed": "3"}, acc=[0.84])
    ended(team.scientist, params={"lr": "0.9", "seed": "4"}, acc=[0.10])
    ended(team.scientist, params={"lr": "0.1", "seed": "5"}, status=RunStatus.FAILED, acc=[0.10])
    one = kept(again(team, first, params={"lr": "0.1", "seed": "1"}, acc=[0.81]))
    assert one.rows[0]["allowed"] == "0.82 ± 0.04 (2 standard deviations over 3 seeds)"
    assert one.verdict == "within tolerance"


def outcome_of(run: Run) -> tuple[str, str]:
    result = was_reproduced(Record(Run.objects.select_related("project").get(pk=run.pk)))
    return result.outcome, result.words


def test_the_rule_reads_what_was_kept_and_cites_it(team):
    first = ended(team.scientist, loss=[0.5])
    assert outcome_of(first)[0] == Outcome.MISSING
    kept(again(team, first, by=team.scientist, loss=[0.5]))
    assert "by the same people" in outcome_of(first)[1]
    kept(again(team, first, key=LIKE, loss=[0.5]))
    assert outcome_of(first)[0] == Outcome.MISSING
    kept(again(team, first, params={"lr": "7"}, loss=[0.5]))
    verdict, words = outcome_of(first)
    assert (verdict, "was not done under the same conditions: Parameters: lr 0.1 then, 7 now" in words) == (
        Outcome.FAIL, True,
    )  # fmt: skip
    one = kept(second := again(team, first, loss=[0.5]))
    verdict, words = outcome_of(first)
    assert (verdict, f"came out the same, as kept on {one.made_at:%Y-%m-%d}" in words) == (Outcome.PASS, True)
    log_batch(team.engineer, second, batch=a_batch(loss=[0.9]))
    assert outcome_of(first)[0] == Outcome.FAIL


def test_what_was_done_with_changes_or_compared_with_another_does_not_count_whatever_it_says_later(team):
    first, other = ended(team.scientist, loss=[0.5]), ended(team.scientist, loss=[0.5])
    changed = again(team, first, key=LIKE, params={"lr": "99"}, loss=[0.5])
    assert kept(changed).with_changes
    set_tags(team.engineer, changed, tags={REPRODUCES: first.uid.hex})
    verdict, words = outcome_of(first)
    assert (verdict, "was done with changes" in words) == (Outcome.FAIL, True)
    moved = again(team, other, loss=[0.5])
    kept(moved)
    set_tags(team.engineer, moved, tags={REPRODUCES: first.uid.hex})
    assert "was compared with another run" in outcome(Record(first), moved)[1]


def test_of_runs_that_were_launched_here_their_recipes_say_what_was_not_the_same(team):
    runs: list[Run] = []
    for actor, draft in ((team.scientist, a_draft()), (team.engineer, a_draft(commit="d" * 40, params={"lr": 9}))):
        run = a_job(actor, default_experiment(team.project), draft=draft).run
        set_tags(actor, run, tags=COMMIT)
        runs.append(run)
    then, now = (record_of(system(), run) for run in runs)
    assert then.tags["mlflow.source.git.commit"] == now.tags["mlflow.source.git.commit"]
    told = unlike(then, now)
    assert "Code: 0123456789ab then, dddddddddddd now." in told
    assert any(one.startswith("Parameters: lr 0.1 then, 9 now") for one in told)
    assert unlike(then, then) == []


def test_runs_by_seed_are_found_in_as_many_questions_for_many_as_for_one(team, django_assert_max_num_queries):
    place, version = default_experiment(team.project), a_version(team.scientist)
    jobs = [a_job(team.scientist, place, draft=a_draft(version, seed=seed)) for seed in range(6)]
    with acting(operator(), "runner.end"):
        for job in jobs:
            job.state = Job.State.FINISHED
            job.save()
    with django_assert_max_num_queries(5):
        assert siblings_by_seed(jobs[0].run) == {seed: jobs[seed].run_id for seed in range(1, 6)}


def test_what_was_compared_goes_with_a_run_that_is_emptied_for_good(team):
    first = ended(team.scientist, loss=[0.5])
    second = again(team, first, loss=[0.5])
    one = kept(second)
    with acting(operator(), "compliance.carry_out_purge", project_id=team.project.pk) as act:
        act.speaks_of(first.ledger_subject)
        empty_run(first)
    assert not RecreationCheck.objects.filter(pk=one.pk).exists()
    assert not RecreationCheck.history.filter(id=one.pk).exists()
