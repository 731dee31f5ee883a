"""What people see of jobs: on the run, in the queue, at home."""

from __future__ import annotations

import os

import pytest

from experiments.models import Run
from kernel.actor import system
from runner.actions.jobs import end_job, retry_job
from runner.models import Job
from runner.pages import paging
from runner.queries.jobs import jobs_of
from runner.working.carrying import stopped_by
from tests.factories import Team, a_file, a_member, default_experiment
from tests.factories_runner import a_failed_job, a_job, a_worker, held_by
from tests.pages.conftest import Browser, address

TRACEBACK = b"""reading /inputs/train
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    import torch
ModuleNotFoundError: No module named 'torch'
"""
MANY = 1000 if os.environ.get("MLED_TEST_FULL") else 120


@pytest.fixture
def waiting(team: Team) -> Job:
    return a_job(team.scientist, default_experiment(team.project), name="waits")


@pytest.fixture
def emil(team: Team) -> Browser:
    return Browser(team.engineer)


def of(job: Job, part: str) -> str:
    return address(job.project, f"jobs/{job.pk}/{part}")


def run_url(run: Run) -> str:
    return f"/r/{run.uid.hex}/"


def test_a_run_says_how_its_job_stands_from_the_queue_to_its_end(ada: Browser, emil: Browser, team: Team, waiting: Job):
    page = ada.get(run_url(waiting.run))
    assert "Next in line" in page
    assert "No worker serves the queue default now" in page
    assert "not started yet" in page
    assert of(waiting, "state/") in page.source
    assert "Running here" in ada.get("/")
    assert "Running here" not in emil.get("/")
    job = held_by(waiting, a_worker("grinder"))
    said = ada.get(of(job, "state/"))
    for words in ("On grinder for", "at most 1 h 00 m", "Live log", "Live curves", "Stop"):
        assert words in said
    job = end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    over = ada.get(of(job, "state/"))
    assert "Run here in" in over
    assert "hx-get" not in over.source
    assert "Stop" not in over
    assert "Running here" not in ada.get("/")
    recipe = ada.get(of(job, ""))
    for words in ("https://git.example.org/team/code.git", "python train.py --lr {lr}", "lr 0.1", "Seed 7", "2,048 MB"):
        assert words in recipe


def test_a_failure_shows_the_end_of_its_traceback_first_and_a_next_step(ada: Browser, team: Team):
    job = a_failed_job(team.scientist, default_experiment(team.project), why="Its command ended with exit code 1.")
    a_file(team.scientist, job.run, "console/stderr.log", TRACEBACK)
    page = ada.get(run_url(job.run))
    assert "ModuleNotFoundError: No module named 'torch'" in page
    assert page.text.index("ModuleNotFoundError") < page.text.index("import torch")
    assert "Add the package that holds 'torch' to the environment" in page
    assert page.links("stderr.log&amp;line=3")[0].endswith("console/?file=console/stderr.log&line=3#L3")
    otto = Browser(team.auditor).get(run_url(job.run))
    assert "Try again" not in otto
    assert "Run with changes" not in otto
    told = ada.follow(of(job, "retry/"))
    again = Job.objects.get(retry_of=job)
    assert f"{again.run.readable_id} is launched." in told
    assert f"Tries {job.run.readable_id} again" in told
    assert f"Tried again as {again.run.readable_id}" in ada.get(run_url(job.run))
    assert "It was tried again already" in ada.follow(of(job, "retry/"))
    assert "Try again" not in ada.get(run_url(job.run))


def test_who_stopped_a_job_and_why_and_what_it_failed_of_stand_wherever_jobs_are_listed(
    ada: Browser, emil: Browser, team: Team, waiting: Job
):
    place, by = default_experiment(team.project), team.engineer.user_name
    running = held_by(a_job(team.scientist, place, name="long"), a_worker())
    why = "ValueError: no column 'age'. Its command ended with exit code 1."
    a_failed_job(team.scientist, place, why=why)
    emil.post(of(running, "stop/"), expecting=302, reason="machine needed")
    emil.post(of(waiting, "stop/"), expecting=302, reason="wrong data")
    assert f"{by} asked to stop it" in ada.get(of(running, "state/"))
    assert "“machine needed”" in ada.get(of(running, "state/"))
    for listed in (ada.get(address(team.project, "queue/")), ada.get("/")):
        assert f"by {by}: machine needed" in listed
        assert f"by {by}: wrong data" in listed
    assert "ValueError: no column 'age'." in ada.get(address(team.project, "queue/"))
    running.refresh_from_db()
    end_job(
        system(), running, lease=running.lease, state=Job.State.STOPPED, cause=Job.Cause.STOP, why=stopped_by(running)
    )
    assert f"by {by}: machine needed" in ada.get(address(team.project, "queue/?show=over"))
    assert "machine needed" in ada.get(run_url(running.run))


def test_my_work_counts_what_goes_on_apart_from_what_others_stopped(ada: Browser, emil: Browser, team: Team):
    place = default_experiment(team.project)
    jobs = [a_job(team.scientist, place, name=f"job {number}") for number in range(4)]
    assert "4 of yours" in ada.get("/")
    for job in jobs[:2]:
        emil.post(of(job, "stop/"), expecting=302, reason="wrong data")
    ada.post(of(jobs[2], "stop/"), expecting=302)
    assert "1 of yours, 2 stopped by others" in ada.get("/")
    for number in range(6):
        a_job(team.scientist, place, name=f"more {number}")
    assert "7 of yours, 2 stopped by others" in ada.get("/"), "also where not all of them are listed"
    for job in jobs_of(team.scientist, team.project, state="open"):
        ada.post(of(job, "stop/"), expecting=302)
    page = ada.get("/")
    assert "2 stopped by others" in page
    assert "of yours," not in page


def test_a_list_is_counted_only_so_far_as_anybody_reads_it(ada: Browser, team: Team, monkeypatch):
    monkeypatch.setattr(paging, "COUNTED", 100)
    here, place = address(team.project, "queue/"), default_experiment(team.project)
    for number in range(103):
        a_job(team.scientist, place, name=f"job {number}")
    first = ada.get(here)
    assert "Waiting 100 and more, in the order" in first
    assert "1 to 50 of 100 and more" in first
    assert "51 to 100 of 100 and more" in ada.get(here, page="2")
    last = ada.get(here, page="3")
    assert "101 to 103 of 103" in last
    assert "job 102" in last
    assert "Later" not in last
    assert "101 to 103 of 103" in ada.get(here, page="99"), "the last one there is"
    assert "1 to 50 of" in ada.get(here, page="x")


def test_stopping_is_for_whoever_launched_it_and_for_engineers(
    ada: Browser, emil: Browser, zoe: Browser, team: Team, waiting: Job
):
    other = Browser(a_member(team.project))
    assert "Stop" not in other.get(of(waiting, "state/"))
    other.post(of(waiting, "stop/"), expecting=302)
    assert Job.objects.get(pk=waiting.pk).is_open
    zoe.post(of(waiting, "stop/"), expecting=404)
    zoe.get(of(waiting, "state/"), expecting=404)
    told = ada.follow(of(waiting, "stop/"), reason="wrong data")
    assert f"{waiting.run.readable_id} is stopped." in told
    assert "stopped it before a worker took it" in told
    assert "It is over already." in ada.follow(of(waiting, "stop/"))
    going = held_by(a_job(team.scientist, default_experiment(team.project)), a_worker())
    assert "is asked to stop" in emil.follow(of(going, "stop/"))
    page = ada.get(of(going, "state/"))
    assert "Stopping" in page
    assert "asked to stop it" in page
    assert "Stop Run" not in page


def test_the_queue_lists_what_waits_what_goes_on_and_what_is_over(
    ada: Browser, emil: Browser, team: Team, zoe: Browser
):
    here, place = address(team.project, "queue/"), default_experiment(team.project)
    assert "Nothing waits, and nothing is under way" in ada.get(here)
    first = a_job(team.scientist, place, name="first")
    urgent = a_job(team.engineer, place, name="urgent", priority=5)
    held_by(a_job(team.scientist, place, name="goes-on"), a_worker("grinder"))
    a_failed_job(team.engineer, place, name="broke")
    page = ada.get(here)
    assert page.text.index("goes-on") < page.text.index("urgent") < page.text.index("first") < page.text.index("broke")
    for words in ("Waiting and under way 3", "Over 1", "Failed 1", "1 urgent", "2 first", "grinder"):
        assert words in page
    assert "first" not in emil.get(here, who="me")
    assert "broke" in emil.get(here, show="failed")
    assert "Nothing fits" in ada.get(here, queue="gpu")
    ada.get(here, show="none", expecting=404)
    zoe.get(here, expecting=404)
    assert Browser(team.auditor).get(here).text.count("Choose") == 0
    told = ada.follow(f"{here}do/stop/", runs=[first.pk.hex, urgent.pk.hex], reason="a mistake", back=here)
    assert "1 job stopped" in told
    assert urgent.run.readable_id in told  # it is somebody else's, and is told to stay
    assert list(jobs_of(team.scientist, team.project, state="queued")) == [urgent]
    assert "2 jobs stopped" in emil.follow(
        f"{here}do/stop/", chosen=f"{urgent.pk.hex},{retry_job(team.scientist, first).pk.hex}"
    )
    assert "Tick the jobs to stop first." in ada.follow(f"{here}do/stop/")
    ada.post(f"{here}do/stop/", runs="none", expecting=404)
    ada.post(f"{here}do/jump/", expecting=404)


def test_a_long_queue_opens_with_a_fixed_number_of_questions(ada: Browser, team: Team, django_assert_max_num_queries):
    here, place = address(team.project, "queue/"), default_experiment(team.project)
    for number in range(MANY):
        a_job(team.scientist, place, name=f"job {number}")
    ada.get(here)
    with django_assert_max_num_queries(40):
        page = ada.get(here)
    assert f"1 to 50 of {MANY:,}" in page
    assert "51 to 100" in ada.get(here, page="2")
