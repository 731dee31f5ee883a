"""Pages of workers, rules and secrets: who sees what, and what a post does."""

from typing import Any

import pytest
from django.test import Client

from runner.models import Secret, Worker
from runner.queries.rules import rules_of
from tests.factories import Team, a_person, a_team, default_experiment, user_of
from tests.factories_runner import a_job, a_worker, held_by

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def team() -> Team:
    return a_team()


def signed_in(who: Any) -> Client:
    client = Client()
    client.force_login(user_of(who), backend="accounts.backends.EmailBackend")
    return client


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return answer.content.decode()


def test_an_engineer_sees_the_workers_and_drains_one(team):
    worker, client, at = a_worker(slots=2), signed_in(team.engineer), f"/p/{team.project.slug}/workers/"
    job = held_by(a_job(team.scientist, default_experiment(team.project)), worker)
    shown = text(client, at)
    assert worker.name in shown
    assert job.run.name in shown
    assert "Add a worker" not in shown
    for verb, draining in (("drain", True), ("resume", False)):
        assert client.post(f"{at}{worker.pk}/{verb}/").status_code == 302
        assert Worker.objects.get(pk=worker.pk).is_draining is draining
    client.post(f"{at}{worker.pk}/take-off/")  # it is there
    assert Worker.objects.get(pk=worker.pk).left_at is None
    assert client.post(f"{at}{worker.pk}/explode/").status_code == 404


def test_an_administrator_sees_all_and_what_a_worker_elsewhere_needs(team, monkeypatch):
    held_by(a_job(team.scientist, default_experiment(team.project)), a_worker())
    monkeypatch.setenv("DATABASE_URL", "sqlite:////srv/mled.sqlite3")
    shown = text(signed_in(team.administrator), "/workers/")
    assert "1 job of projects" in shown
    assert "use PostgreSQL (DATABASE_URL)" in shown
    led = signed_in(team.engineer).get("/workers/")
    assert led.status_code == 403
    assert f'href="/p/{team.project.slug}/workers/"' in led.content.decode()
    assert signed_in(team.scientist).get("/workers/").status_code == 403
    assert signed_in(team.scientist).get(f"/p/{team.project.slug}/workers/").status_code == 403
    assert signed_in(a_person()).get(f"/p/{team.project.slug}/workers/").status_code == 404


def test_the_word_is_shown_once_and_withdrawn(team, monkeypatch, settings):
    monkeypatch.setenv("DATABASE_URL", "postgres://mled:pw@127.0.0.1/mled")
    monkeypatch.setenv("REDIS_URL", "redis://redis.example.org:6379/0")
    settings.MLED_BLOBS = "s3://bucket/prefix"
    client, name = signed_in(team.administrator), f"far-{team.project.slug}"
    answer = client.post("/workers/", {"name": name})
    shown = answer.content.decode()
    assert "manage.py join_worker http://testserver --word mledw_" in shown
    assert "For another machine set MLED_WORKER_DATABASE_URL" in shown
    assert answer["Cache-Control"] == "no-store"
    again = text(client, "/workers/")
    assert "mledw_" not in again
    address = again.split("/workers/words/")[1].split("/")[0]
    assert client.post(f"/workers/words/{address}/withdraw/").status_code == 302
    assert "Withdraw<" not in text(client, "/workers/").split(name)[1].split("</tr>")[0]
    assert "is no name of a worker" in client.post("/workers/", {"name": "a/b"}).content.decode()


def test_a_manager_sets_rules_and_an_engineer_reads_them(team):
    manager, at = signed_in(team.manager), f"/p/{team.project.slug}/settings/jobs/"
    given = {
        "cpus_max": "4",
        "memory_mb_max": "2 GB",
        "disk_mb_max": "1024",
        "seconds_max": "10 minutes",
        "jobs_at_once": "5",
        "retries": "0",
        "silent_minutes": "30",
        "allows_network": "on",
    }
    assert manager.post(at, given).status_code == 302
    rules = rules_of(team.project)
    assert (rules.allows_network, rules.seconds_max, rules.silent_minutes) == (True, 600, 30)
    wrong = manager.post(at, {**given, "retries": "99"}).content.decode()
    assert "0 to 10 further tries" in wrong
    both = manager.post(at, {**given, "retries": "99", "memory_mb_max": "1 MB"}).content.decode()
    assert "0 to 10 further tries" in both
    assert "64 MB to 16,384 GB of memory" in both
    assert (
        "is no such amount. Write it as 2 hours" in manager.post(at, {**given, "seconds_max": "ages"}).content.decode()
    )
    form = manager.get(at).content.decode()
    for words in (
        'value="2 GB"',
        'value="10 minutes"',
        'value="30 minutes"',
        f"of jobs&#x27; rules of {team.project.name}",
    ):
        assert words in form
    engineer = signed_in(team.engineer)
    read = text(engineer, at)
    for words in ("30 minutes, then it counts as dead", "2 GB", "1 GB", "10 minutes"):
        assert words in read
    assert engineer.post(at, given).status_code == 403
    assert ">Jobs</a>" in text(manager, f"/p/{team.project.slug}/settings/")


def test_a_secret_is_set_and_removed_and_never_shown(team):
    client, at = signed_in(team.engineer), f"/p/{team.project.slug}/settings/jobs/"
    assert client.post(at, {"name": "HUB_TOKEN", "value": "hunter2"}).status_code == 302
    shown = text(client, at)
    assert "HUB_TOKEN" in shown
    assert "hunter2" not in shown
    wrong = client.post(at, {"name": "hub", "value": "hunter2"}).content.decode()
    assert "is no name for a secret" in wrong
    assert "hunter2" not in wrong
    assert "Set secret" not in text(signed_in(team.scientist), at)
    assert "HUB_TOKEN" not in text(signed_in(team.administrator), at)
    assert client.post(f"{at}secrets/HUB_TOKEN/remove/").status_code == 302
    assert not Secret.objects.filter(project=team.project, removed_at=None).exists()
    assert client.post(f"{at}secrets/HUB_TOKEN/remove/").status_code == 404
