"""Jobs and sweeps over REST: launched, listed, read while they go on, stopped, tried again; foreign ones are absent."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.roles import Scope
from audit.ledger.models import AuditEvent
from experiments.models import Experiment
from kernel.actor import system
from runner.actions.jobs import end_job
from runner.models import Job, JobOutput, Sweep
from tests.factories import a_file, a_member, a_person, a_run, a_team, a_token, default_experiment
from tests.factories_runner import a_failed_job, a_job, a_worker, held_by

pytestmark = pytest.mark.django_db

WANTED = {
    "repository": {
        "url": "https://git.example.org/team/code.git",
        "commit": "0123456789abcdef0123456789abcdef01234567",
    },
    "command": "python train.py --lr {lr}",
    "params": {"lr": 0.1},
    "seed": 7,
    "environment": {"requirements": "numpy==2.3.5\n"},
}


class Api:
    """Somebody's programs."""

    def __init__(self, actor, scopes=(Scope.READ, Scope.LOG)):
        token = a_token(actor, scopes=scopes)[1]
        self.client = Client(headers={"authorization": f"Bearer {token}", "accept": "application/json"})

    def get(self, path, expecting=200, **query):
        answer = self.client.get(f"/api/v1/{path}", query)
        assert answer.status_code == expecting, answer.content.decode()
        return answer.json()

    def post(self, path, body=None, expecting=200, key=""):
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.client.post(f"/api/v1/{path}", json.dumps(body or {}), "application/json", headers=headers)
        assert answer.status_code == expecting, answer.content.decode()
        return answer.json()


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def ada(team):
    return Api(team.scientist)


def test_a_job_is_launched_and_found_again_by_its_run(team, ada):
    made = ada.post(f"projects/{team.project.slug}/jobs/", {**WANTED, "name": "first", "tags": {"ward": "icu"}}, 201)
    assert (made["state"], made["name"], made["kind"]) == ("queued", "first", "repository")
    assert made["link"] == f"http://testserver/r/{made['readable_id']}/"
    assert made["retries_left"] == 1  # as the project's rules say
    told = ada.get(f"jobs/{made['id']}/")
    assert told["words"] == ["python", "train.py", "--lr", "{lr}"]
    assert told["command"] == "python train.py --lr 0.1"
    assert (told["params"], told["seed"], told["standing"]["position"] >= 1) == ({"lr": 0.1}, 7, True)
    assert ada.get(f"runs/{made['readable_id']}/job/")["id"] == made["id"]
    run = ada.get(f"runs/{made['run_id']}/")
    assert (run["status"], run["params"], run["tags"]["ward"]) == ("SCHEDULED", {"lr": "0.1", "seed": "7"}, "icu")
    ada.get(f"runs/{a_run(team.scientist).uid.hex}/job/", 404)


def test_the_same_key_launches_once_and_all_that_is_wrong_comes_at_once(team, ada):
    path = f"projects/{team.project.slug}/jobs/"
    first = ada.post(path, WANTED, 201, key="once")
    assert ada.post(path, WANTED, 201, key="once")["id"] == first["id"]
    assert Job.objects.filter(project=team.project).count() == 1
    wrong = {**WANTED, "command": "python train.py --lr {rate}", "resources": {"memory_mb": -1}, "seed": "x"}
    told = ada.post(path, wrong, 400)
    assert [one["field"] for one in told["problems"]] == ["params.rate", "seed", "resources.memory_mb"]
    told = ada.post(path, {**wrong, "queue": "q" * 41, "experiment": "x" * 21}, 400)
    assert {one["field"] for one in told["problems"]} == {
        "params.rate", "seed", "resources.memory_mb", "queue", "experiment"
    }, "also what is no part of the recipe"  # fmt: skip
    assert "problems" not in ada.post(path, {"trainer": "none such"}, 400) or Job.objects.count() == 1
    ada.post(path, {**WANTED, "experiment_name": "nothing of the kind"}, 404)
    ada.post(path, {**WANTED, "priority": 1000}, 400)
    ada.post(path, {**WANTED, "queue": "q" * 41}, 400)
    assert Job.objects.filter(project=team.project).count() == 1


def test_a_new_experiment_is_made_with_what_is_launched_and_not_where_that_is_refused(team, ada):
    here, new = f"projects/{team.project.slug}/", {"experiment_name": "brand new", "new_experiment": True}
    names = Experiment.objects.filter(project=team.project).values_list("name", flat=True)
    ada.post(f"{here}jobs/", {**WANTED, **new, "seed": "x"}, 400)
    ada.post(f"{here}jobs/", {**WANTED, **new, "tags": {"k" * 300: "too long a key"}}, 400)
    ada.post(f"{here}jobs/", {**WANTED, "experiment_name": "  ", "new_experiment": True}, 400)
    ada.post(f"{here}sweeps/", {**WANTED, **new, "space": {"lr": "9..1"}}, 400)
    assert "brand new" not in names.all()
    made = ada.post(f"{here}jobs/", {**WANTED, **new}, 201)
    again = ada.post(f"{here}jobs/", {**WANTED, **new}, 201)
    assert made["experiment"] == again["experiment"]
    assert ada.get(f"runs/{made['run_id']}/")["experiment_name"] == "brand new"
    sweep = ada.post(f"{here}sweeps/", {**WANTED, **new, "experiment_name": "swept", "space": {"lr": "0.1, 0.2"}}, 201)
    assert sorted(names.all()) == ["Default", "brand new", "swept"]
    assert ada.get(f"sweeps/{sweep['id']}/")["experiment"] != made["experiment"]


def test_who_may_not_launch_is_told_and_who_may_not_see_finds_nothing(team):
    path = f"projects/{team.project.slug}/jobs/"
    Api(team.auditor).post(path, WANTED, 403)
    Api(team.scientist, scopes=[Scope.READ]).post(path, WANTED, 403)
    job = a_job(team.scientist, default_experiment(team.project))
    stranger = Api(a_person())
    for call in (path, f"jobs/{job.pk}/", f"jobs/{job.pk}/output/", f"runs/{job.run.uid.hex}/job/"):
        stranger.get(call, 404)
    for call in (path, f"jobs/{job.pk}/stop/", f"jobs/{job.pk}/retry/"):
        stranger.post(call, WANTED if call == path else {}, 404)


def test_jobs_are_listed_newest_first_narrowed_and_page_by_page_with_few_queries(team, ada):
    place = default_experiment(team.project)
    jobs = [a_job(team.scientist, place, name=f"job {n}") for n in range(5)]
    others = a_job(team.engineer, place, queue="gpu")
    failed = a_failed_job(team.scientist, place)
    path = f"projects/{team.project.slug}/jobs/"
    first = ada.get(path, limit=3)
    assert [one["id"] for one in first["results"]] == [str(one.pk) for one in (failed, others, jobs[4])]
    second = ada.client.get(first["next"]).json()
    assert [one["name"] for one in second["results"]] == ["job 3", "job 2", "job 1"]
    assert {one["id"] for one in ada.get(path, state="failed")["results"]} == {str(failed.pk)}
    assert len(ada.get(path, state="open", mine="true")["results"]) == 5
    assert [one["id"] for one in ada.get(path, queue="gpu")["results"]] == [str(others.pk)]
    ada.get(path, 400, state="sleeping")
    with CaptureQueriesContext(
        connection,
    ) as few:
        ada.get(path, limit=2)
    with CaptureQueriesContext(connection) as many:
        ada.get(path, limit=7)
    assert len(many) <= len(few)


def test_a_job_is_stopped_by_its_owner_and_engineers_and_tried_again_once(team, ada):
    place = default_experiment(team.project)
    job = a_job(team.scientist, place)
    Api(a_member(team.project)).post(f"jobs/{job.pk}/stop/", {}, 403)
    stopped = ada.post(f"jobs/{job.pk}/stop/", {"reason": "Wrong data."})
    assert (stopped["state"], stopped["cause"], stopped["why"]) == ("stopped", "stop", "Wrong data.")
    ada.post(f"jobs/{job.pk}/stop/", {}, 409)
    made = ada.post(f"jobs/{job.pk}/retry/", {}, 201)
    assert made["retry_of"] == str(job.pk)
    assert made["run_id"] != job.run.uid.hex
    told = ada.post(f"jobs/{job.pk}/retry/", {}, 409)
    assert made["readable_id"] in told["title"]
    Api(team.auditor).post(f"jobs/{job.pk}/retry/", {}, 403)
    assert ada.get(f"jobs/{made['id']}/")["params"] == {"lr": 0.1}
    events = AuditEvent.objects.filter(project_id=team.project.pk, verb__in=["runner.stop_job", "runner.retry_job"])
    assert events.count() == 2


def test_what_it_prints_is_read_piece_by_piece_while_it_goes_on_and_afterwards(team, ada):
    job = held_by(a_job(team.scientist, default_experiment(team.project)), a_worker())
    text = "epoch 1: größer\n".encode()
    JobOutput.objects.create(job=job, start=0, content=text[:12])
    path = f"jobs/{job.pk}/output/"
    first = ada.get(path)
    assert (first["text"], first["next"], first["is_end"], first["state"]) == ("epoch 1: gr", 11, False, "running")
    JobOutput.objects.create(job=job, start=12, content=text[12:])
    second = ada.get(path, **{"from": first["next"]})
    assert (second["text"], second["next"]) == ("ößer\n", len(text))
    assert ada.get(path, stream="stderr")["text"] == ""
    JobOutput.objects.create(job=job, start=len(text) + 1000, content=b"after a gap\n")
    late = ada.get(path, **{"from": len(text)})
    assert (late["start"], late["text"]) == (len(text) + 1000, "after a gap\n")
    a_file(system(), job.run, "console/stdout.log", text)
    JobOutput.objects.filter(job=job).delete()
    end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    kept = ada.get(path, **{"from": 9, "limit": 16})
    assert (kept["text"], kept["is_end"], kept["next"]) == ("größer\n", True, len(text))
    ada.get(path, 400, stream="stdin")
    ada.get(path, 400, **{"from": -1})


def test_a_sweep_is_begun_followed_and_stopped(team, ada):
    path = f"projects/{team.project.slug}/sweeps/"
    wanted = {**WANTED, "space": {"lr": "1e-4..0.1 log", "seed": [1, 2]}, "method": "random", "jobs_max": 6,
              "at_once": 3, "metric": "loss", "higher_is_better": False, "name": "rates"}  # fmt: skip
    made = ada.post(path, wanted, 201, key="one sweep")
    assert ada.post(path, wanted, 201, key="one sweep")["id"] == made["id"]
    assert (made["state"], made["jobs_max"], made["name"]) == ("running", 6, "rates")
    told = ada.get(f"sweeps/{made['id']}/")
    assert (told["begun"], told["counts"], told["goal"], told["best"]) == (3, {"queued": 3}, "loss", None)
    assert all(1e-4 <= one["point"]["lr"] <= 0.1 and one["point"]["seed"] in (1, 2) for one in told["children"])
    listed = ada.get(f"projects/{team.project.slug}/jobs/", sweep=made["id"])["results"]
    assert {one["id"] for one in listed} == {one["job"] for one in told["children"]}
    assert [one["id"] for one in ada.get(path)["results"]] == [made["id"]]
    Api(a_person()).get(f"sweeps/{made['id']}/", 404)
    Api(a_person()).post(f"sweeps/{made['id']}/stop/", {}, 404)
    Api(a_member(team.project)).post(f"sweeps/{made['id']}/stop/", {}, 403)
    assert ada.post(f"sweeps/{made['id']}/stop/", {})["state"] == "stopped"
    ada.post(f"sweeps/{made['id']}/stop/", {}, 409)
    assert ada.get(f"sweeps/{made['id']}/")["counts"] == {"stopped": 3}


def test_a_sweep_is_counted_and_checked_before_any_of_it_begins(team, ada):
    path = f"projects/{team.project.slug}/sweeps/"
    grid = {**WANTED, "space": {"lr": "0..1 real 30 steps", "seed": "1..40 40 steps"}, "jobs_max": 50}
    told = ada.post(path, grid, 400)
    assert (told["title"], told["field"]) == ("This is 1,200 runs; the budget is 50.", "jobs_max")
    told = ada.post(path, {**WANTED, "space": {"lr": [0.1], "seed": [1, -5, "x"]}}, 400)
    assert [one["field"] for one in told["problems"]] == ["space.seed", "space.seed"]
    ada.post(path, {**WANTED, "space": {"lr": "5..1"}}, 400)
    Api(team.auditor).post(path, {**WANTED, "space": {"lr": [0.1]}}, 403)
    assert not Sweep.objects.filter(project=team.project).exists()
    assert not Job.objects.filter(project=team.project).exists()
