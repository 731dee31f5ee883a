"""What a project allows its jobs: set by its managers, within bounds, on record."""

import pytest

from accounts.access import find_project_by_id
from kernel.actor import operator, system
from kernel.errors import Conflict, Invalid, InvalidFields, NotFound, Refused
from runner.actions.jobs import retry_job, stop_job
from runner.actions.rules import RULES, set_rules
from runner.actions.sweeps import begin_sweep, carry_sweep
from runner.amounts import MEMORY, SILENCE, TIME
from runner.models import Job, RunnerRules
from runner.queries.rules import get_rules, rules_of
from runner.recipes import Resources
from runner.sweeping import plan_of
from runner.working.lost import fail_by_worker
from tests.factories import Team, a_person, a_team, default_experiment, events_since
from tests.factories_runner import a_draft, a_failed_job, a_job, a_worker, held_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return a_team()


def test_where_nobody_set_any_the_defaults_hold_and_nothing_is_kept(team):
    rules = rules_of(team.project)
    assert (rules.allows_network, rules.retries, rules.silent_minutes) == (False, 1, 24 * 60)
    assert RunnerRules.objects.filter(project=team.project).count() == 0


def test_a_manager_sets_some_and_the_others_stay(team):
    (event,) = events_since(lambda: set_rules(team.manager, team.project, allows_network=True, reason="weights"))
    set_rules(team.manager, team.project, seconds_max=600, silent_minutes=0)
    rules = rules_of(team.project)
    assert (rules.allows_network, rules.seconds_max, rules.silent_minutes, rules.jobs_at_once) == (True, 600, 0, 50)
    assert event.changed("runner.runnerrules")["allows_network"] == [None, True]
    assert event.reason == "weights"
    assert events_since(lambda: set_rules(team.manager, team.project, seconds_max=600)) == []


def test_others_read_them_and_do_not_set_them(team):
    for who in (team.scientist, team.engineer, team.auditor, team.administrator):
        assert get_rules(who, team.project).retries == 1
        with pytest.raises(Refused):
            set_rules(who, team.project, retries=0)
    stranger = a_person()
    for ask in (get_rules, set_rules):
        with pytest.raises(NotFound):
            ask(stranger, team.project)


@pytest.mark.parametrize("name", sorted(RULES))
def test_each_has_its_bounds(team, name):
    bounds, kind = RULES[name], float if name == "cpus_max" else int
    for value in (bounds.least, bounds.most):
        set_rules(team.manager, team.project, **{name: kind(value)})
    for value in (-1, kind(bounds.most) + 1, *([kind(0)] if bounds.least > 0 and not bounds.zero else [])):
        with pytest.raises(Invalid) as refused:
            set_rules(team.manager, team.project, **{name: value})
        assert refused.value.field == name
    assert getattr(rules_of(find_project_by_id(operator(), team.project.pk)), name) == kind(bounds.most)


def test_all_that_is_wrong_is_told_at_once_in_the_units_of_people(team):
    with pytest.raises(InvalidFields) as told:
        set_rules(team.manager, team.project, memory_mb_max=1, seconds_max=1, silent_minutes=1, retries=2)
    assert {problem.field: problem.message for problem in told.value.problems} == {
        "memory_mb_max": "It has to be 64 MB to 16,384 GB of memory of a job.",
        "seconds_max": "It has to be 10 seconds to 2,160 hours of a job.",
        "silent_minutes": "It has to be 0, or 5 minutes to 8,784 hours of silence before a running run counts as dead.",
    }
    assert rules_of(team.project).retries == 1


@pytest.mark.once
@pytest.mark.parametrize(
    ("measure", "text", "stored"),
    [
        (MEMORY, "16 GB", 16384), (MEMORY, "1.5gib", 1536), (MEMORY, "2,048", 2048), (MEMORY, "1 TB", 1024 * 1024),
        (TIME, "90 min", 5400), (TIME, "2 Days", 172800), (TIME, "600", 600), (TIME, "1 hour", 3600),
        (SILENCE, "24 hours", 1440), (SILENCE, "30", 30), (SILENCE, "0", 0),
    ],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them_and_stand_there_so_that_nothing_changes(measure, text, stored):
    assert measure.read(text) == stored
    for exact in (stored, stored + 1, 1234567):
        assert measure.read(measure.written(exact)) == exact
    for wrong in ("", "much", "-1", "1 parsec", "1e9 GB", "NaN"):
        with pytest.raises(Invalid):
            measure.read(wrong)


def test_what_the_rules_forbid_by_now_is_not_tried_again_and_no_sweep_goes_on_with_it(team):
    experiment = default_experiment(team.project)
    set_rules(team.manager, team.project, allows_network=True)
    open_one = a_failed_job(team.scientist, experiment, draft=a_draft(has_network=True))
    large = a_failed_job(team.scientist, experiment, draft=a_draft(resources=Resources(memory_mb=4096)))
    plain = a_failed_job(team.scientist, experiment)
    plan = plan_of(space={"lr": [0.1, 0.2]}, at_once=1)
    sweep = begin_sweep(team.scientist, experiment, draft=a_draft(has_network=True), plan=plan)
    stop_job(team.scientist, Job.objects.get(sweep=sweep))
    set_rules(team.manager, team.project, allows_network=False, memory_mb_max=2048, reason="a leak")
    for job, words in ((open_one, "does not allow its jobs the network"), (large, "memory_mb: 4,096 is over the most")):
        with pytest.raises(Conflict, match=words):
            retry_job(team.scientist, job)
    assert retry_job(team.scientist, plain).retry_of == plain
    carry_sweep(system(), sweep)
    sweep.refresh_from_db()
    assert sweep.ended_because.startswith("This project does not allow its jobs the network.")
    assert Job.objects.filter(sweep=sweep).count() == 1


def test_a_worker_that_is_lost_says_which_rule_forbids_another_try(team):
    set_rules(team.manager, team.project, allows_network=True)
    job = a_job(team.scientist, default_experiment(team.project), draft=a_draft(has_network=True), retries=1)
    job = held_by(job, a_worker())
    set_rules(team.manager, team.project, allows_network=False)
    fail_by_worker(job, job.lease, "It was lost.")
    job.refresh_from_db()
    assert job.why.startswith("It was lost. It is not tried again: This project does not allow its jobs the network.")
