"""Workers as those see them who keep them: slots, queues, draining, and how one on another machine gets in."""

import datetime as dt
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client, override_settings

from kernel import clock
from kernel.actor import operator, system
from kernel.errors import Conflict, Invalid, NotFound, Refused, Unauthenticated
from mled_site.environment import read_joined
from runner.actions.workers import (
    admit_worker,
    drain_worker,
    new_word,
    take_off_worker,
    use_admission,
    withdraw_admission,
)
from runner.elsewhere import handed_out, lacks, only_here
from runner.models import Admission, Worker
from runner.queries.workers import admissions_of, get_worker, queues_of, workers_of
from runner.sealing import keys
from tests.factories import Team, a_person, a_team, again, default_experiment, events_since, user_of
from tests.factories_runner import a_job, a_worker, held_by

pytestmark = pytest.mark.django_db
HERE = {
    "DATABASE_URL": "postgres://mled:pw@db.example.org/mled",
    "REDIS_URL": "redis://redis.example.org:6379/0",
    "AWS_SECRET_ACCESS_KEY": "s3-secret",
}
BLOBS = "s3://bucket/prefix?endpoint=http://s3.example.org:8333"


@pytest.fixture
def team() -> Team:
    return a_team()


@pytest.fixture
def reachable(monkeypatch, settings) -> None:
    """As an installation of a team: PostgreSQL, Redis and S3 that others reach."""
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    settings.MLED_BLOBS = BLOBS


def named(viewer: Any, worker: Worker, at: Any = None) -> Any:
    return next(one for one in workers_of(viewer, at) if one.worker.pk == worker.pk)


# --- What is there


def test_who_keeps_workers_sees_them_their_slots_and_what_is_in_them(team):
    worker = a_worker(slots=2, queues=["gpu"])
    job = held_by(a_job(team.scientist, default_experiment(team.project), queue="gpu"), worker)
    seen = named(team.engineer, worker, team.project)
    assert (seen.state, seen.busy, [one.pk for one in seen.jobs], seen.others) == ("ready", 1, [job.pk], 0)
    site = named(team.administrator, worker)
    assert (site.busy, list(site.jobs), site.others) == (1, [], 1)  # keeping the system shows no experiments
    other = a_team()
    theirs = named(other.engineer, worker, other.project)
    assert (theirs.busy, list(theirs.jobs), theirs.others) == (1, [], 1)


def test_others_do_not_see_them(team):
    worker = a_worker()
    for who in (team.scientist, team.manager, team.auditor):
        for ask in (workers_of, queues_of):
            with pytest.raises(Refused):
                ask(who, team.project)
        with pytest.raises(Refused):
            drain_worker(who, team.project, worker=worker, draining=True)
    with pytest.raises(Refused):
        workers_of(team.engineer)  # of the whole site
    stranger = a_person()
    with pytest.raises(NotFound):
        workers_of(stranger, team.project)
    with pytest.raises(NotFound):
        drain_worker(stranger, team.project, worker=worker, draining=True)


def test_a_queue_tells_how_many_wait_since_when_and_who_serves_it(team):
    place, queue = default_experiment(team.project), f"q-{team.project.slug}"
    first = a_job(team.scientist, place, queue=queue)
    a_job(team.scientist, place, queue=queue)
    empty = next(one for one in queues_of(team.engineer, team.project) if one.name == queue)
    assert (empty.waiting, empty.first_since, empty.slots, empty.workers) == (2, first.created_at, 0, [])
    worker = a_worker(slots=3, queues=[queue])
    held_by(first, worker)
    (served,) = [one for one in queues_of(team.engineer, team.project) if one.name == queue]
    assert (served.waiting, served.under_way, served.slots, served.workers) == (1, 1, 3, [worker.name])
    assert served.usual_wait_seconds is not None
    drain_worker(team.engineer, team.project, worker=worker, draining=True)
    assert next(one for one in queues_of(team.engineer, team.project) if one.name == queue).slots == 0


# --- What is done with them


def test_draining_is_said_once_and_taken_back_on_record(team):
    worker = a_worker()
    (event,) = events_since(
        lambda: drain_worker(team.engineer, team.project, worker=worker, draining=True, reason="new disk")
    )
    assert (event.reason, event.changed("runner.worker")["is_draining"]) == ("new disk", [False, True])
    assert events_since(lambda: drain_worker(team.administrator, None, worker=worker, draining=True)) == []
    assert named(team.engineer, worker, team.project).state == "draining"
    drain_worker(team.administrator, None, worker=worker, draining=False)
    assert named(team.engineer, worker, team.project).state == "ready"


def test_one_that_is_gone_is_taken_off_the_list_and_one_that_is_there_is_not(team, monkeypatch):
    worker = a_worker()
    with pytest.raises(Conflict, match="is there"):
        take_off_worker(team.engineer, team.project, worker=worker)
    at = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: at + 60)
    assert named(team.engineer, worker, team.project).state == "gone"
    assert len(events_since(lambda: take_off_worker(team.engineer, team.project, worker=worker))) == 1
    assert worker.pk not in [one.worker.pk for one in workers_of(team.engineer, team.project)]
    assert events_since(lambda: take_off_worker(team.engineer, team.project, worker=worker)) == []
    assert get_worker(team.engineer, worker.pk, team.project).left_at is not None


# --- How one on another machine gets in


def an_admission(actor: Any, name: str = "") -> tuple[Admission, str]:
    word = new_word()
    return admit_worker(actor, name=name or f"far-{word[-8:].strip('-_')}", word=word), word


def test_a_word_lets_one_worker_in_once(team, reachable):
    made, word = an_admission(team.administrator)
    (event,) = events_since(lambda: use_admission(system(), word=word, address="10.0.0.7"))
    assert event.verb == "runner.use_admission"
    made.refresh_from_db()
    assert (made.used_at is not None, made.used_from) == (True, "10.0.0.7")
    with pytest.raises(Unauthenticated):
        use_admission(system(), word=word, address="10.0.0.8")
    with pytest.raises(Conflict, match="was used"):
        withdraw_admission(team.administrator, admission=made)


def test_a_word_is_good_for_an_hour_and_until_it_is_withdrawn(team, reachable, monkeypatch):
    (_, late), (withdrawn, gone) = an_admission(team.administrator), an_admission(team.administrator)
    withdraw_admission(team.administrator, admission=withdrawn)
    with pytest.raises(Unauthenticated):
        use_admission(system(), word=gone, address="")
    at = clock._now()
    monkeypatch.setattr(clock, "_now", lambda: at + 3601)
    for word in (late, new_word(), "", "x" * 10_000):
        with pytest.raises(Unauthenticated):
            use_admission(system(), word=word, address="")
    assert {one.pk for one in admissions_of(team.administrator)} >= {withdrawn.pk}


def test_only_administrators_let_workers_in(team, reachable):
    for who in (team.engineer, team.manager, team.scientist, team.auditor, a_person()):
        with pytest.raises(Refused):
            an_admission(who)
        with pytest.raises(Refused):
            admissions_of(who)
    with pytest.raises(Refused, match="from its own machine"):
        use_admission(again(team.administrator), word=new_word(), address="")


def test_the_name_is_one_that_no_worker_has_who_is_there(team, reachable):
    worker = a_worker()
    with pytest.raises(Conflict, match="is there already"):
        an_admission(team.administrator, worker.name)
    for name in ("a/b", "-x", " ", "x" * 121):
        with pytest.raises(Invalid):
            an_admission(team.administrator, name)


def test_where_nobody_else_reaches_what_it_needs_no_word_is_made(team, monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/mled.sqlite3")
    assert [words.split(":")[0] for words in lacks()] == [
        "The database is a file on this machine",
        "The broker is this server's own",
        "Files lie in a folder of this machine",
    ]
    with pytest.raises(Conflict, match="use PostgreSQL"):
        an_admission(team.administrator)


def test_what_is_handed_out_is_what_a_worker_needs_and_no_key_of_the_log_or_of_sessions(reachable, settings):
    given = handed_out(name="far", url="https://mled.example.org")
    assert given["DATABASE_URL"] == HERE["DATABASE_URL"]
    assert given["MLED_SECRETS_KEYS"] == ",".join(keys())
    assert given["AWS_SECRET_ACCESS_KEY"] == "s3-secret"
    assert (given["MLED_RUNNER_URL"], given["MLED_RUNNER_NAME"]) == ("https://mled.example.org", "far")
    held = json.dumps(given)
    assert settings.SECRET_KEY not in held
    assert not any("SIGNING" in name or name == "MLED_SECRET_KEY" for name in given)
    assert only_here() == []
    with override_settings(MLED_WORKER_DATABASE_URL="postgres://worker:pw@localhost/mled"):
        assert handed_out(name="far", url="x")["DATABASE_URL"].startswith("postgres://worker")
        assert only_here() == [
            "The database is told as it is reached on this machine. For another machine set MLED_WORKER_DATABASE_URL."
        ]


def test_an_environment_that_was_given_counts_where_nothing_else_is_said(tmp_path, monkeypatch):
    (tmp_path / "joined.json").write_text(json.dumps({"MLED_RUNNER_NAME": "far", "MLED_GIVEN": "here"}))
    monkeypatch.setenv("MLED_RUNNER_NAME", "mine")
    monkeypatch.setenv("MLED_GIVEN", "before")
    monkeypatch.delenv("MLED_GIVEN")
    read_joined(tmp_path)
    assert (os.environ["MLED_RUNNER_NAME"], os.environ.pop("MLED_GIVEN")) == ("mine", "here")
    read_joined(Path(tmp_path / "none"))


@pytest.mark.parametrize("address", ["http://mled.example.org", "ftp://x", "mled.example.org", ""])
def test_keys_do_not_travel_in_the_open(address):
    with pytest.raises(CommandError, match="https"):
        call_command("join_worker", address, word="x", only_join=True)


def test_a_word_does_not_go_on_to_where_a_server_leads(tmp_path, settings):
    settings.MLED_DATA = str(tmp_path / "worker")
    heard: list[str] = []

    class Leading(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            heard.append(self.path)

        def log_message(self, *said: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Leading) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(CommandError, match=r"leads elsewhere.*/elsewhere"):
            call_command("join_worker", f"http://127.0.0.1:{server.server_port}", word="mledw_x", only_join=True)
        server.shutdown()
    assert heard == ["/api/v1/workers/join/"]
    assert not (tmp_path / "worker").exists()


# --- Over REST


def signed_in(who: Any) -> Client:
    client = Client()
    client.force_login(user_of(who), backend="accounts.backends.EmailBackend")
    return client


def test_over_rest_workers_are_listed_drained_and_taken_off(team, monkeypatch):
    worker, client = a_worker(), signed_in(team.engineer)
    at = f"/api/v1/projects/{team.project.slug}"
    listed = next(one for one in client.get(f"{at}/workers/").json() if one["worker"]["id"] == str(worker.pk))
    assert (listed["state"], listed["busy"], listed["jobs"]) == ("ready", 0, [])
    one = f"{at}/workers/{worker.pk}/"
    assert client.post(f"{one}drain/", {}, "application/json").json()["is_draining"] is True
    assert client.post(f"{one}drain/", {"draining": False}, "application/json").json()["is_draining"] is False
    assert client.delete(one).status_code == 409
    assert client.get(f"{at}/queues/").status_code == 200
    assert client.get("/api/v1/workers/").status_code == 403
    assert signed_in(team.administrator).get("/api/v1/workers/").status_code == 200
    assert signed_in(a_person()).get(f"{at}/workers/").status_code == 404


def says(client: Client, word: str) -> Any:
    return client.post("/api/v1/workers/join/", headers={"Authorization": f"Bearer {word}"})


def test_over_rest_a_word_is_made_said_once_and_told_apart_from_a_bad_one_by_nobody(team, reachable):
    client = signed_in(team.administrator)
    made = client.post("/api/v1/workers/admissions/", {"name": "far-3"}, "application/json").json()
    assert made["word"] in made["command"]
    assert client.get("/api/v1/workers/admissions/").json()[0]["used_at"] is None
    anybody = Client()
    other = {"Authorization": f"Bearer {made['word']}", "MLED-Version": "0.0.9"}
    assert anybody.post("/api/v1/workers/join/", headers=other).status_code == 409
    told = says(anybody, made["word"])
    assert (told.status_code, told["Cache-Control"]) == (200, "no-store")
    assert told.json()["environment"]["REDIS_URL"] == HERE["REDIS_URL"]
    for word in (made["word"], "nonsense"):
        refused = says(anybody, word)
        assert (refused.status_code, refused.json()["code"]) == (401, "UNAUTHENTICATED")
    used = client.get("/api/v1/workers/admissions/").json()[0]
    assert used["used_at"] is not None
    assert client.delete(f"/api/v1/workers/admissions/{used['id']}/").status_code == 409


def test_over_rest_rules_and_secrets_are_kept(team):
    manager, engineer = signed_in(team.manager), signed_in(team.engineer)
    at = f"/api/v1/projects/{team.project.slug}"
    assert engineer.get(f"{at}/runner-rules/").json()["silent_minutes"] == 24 * 60
    assert manager.patch(f"{at}/runner-rules/", {"retries": 3}, "application/json").json()["retries"] == 3
    wrong = manager.patch(f"{at}/runner-rules/", {"retries": 99}, "application/json")
    assert (wrong.status_code, wrong.json()["field"]) == (400, "retries")
    assert engineer.patch(f"{at}/runner-rules/", {"retries": 1}, "application/json").status_code == 403
    put = engineer.put(f"{at}/secrets/HUB_TOKEN/", {"value": " s p a c e "}, "application/json")
    assert (put.status_code, set(put.json())) == (200, {"name", "set_at", "set_by"})
    (listed,) = engineer.get(f"{at}/secrets/").json()["results"]
    assert listed["name"] == "HUB_TOKEN"
    assert engineer.delete(f"{at}/secrets/HUB_TOKEN/").status_code == 204
    assert engineer.delete(f"{at}/secrets/HUB_TOKEN/").status_code == 404


def test_an_operator_may_do_all_of_it():
    worker = a_worker()
    drain_worker(operator(), None, worker=worker, draining=True)
    assert named(operator(), worker).worker.seen_at > clock.now() - dt.timedelta(minutes=1)
