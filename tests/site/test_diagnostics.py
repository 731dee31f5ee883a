"""The diagnosis: each check by itself, within its time, without a secret; on the command line, as a page, over REST."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from django.core.management import call_command

from artifacts.actions.quotas import set_quota
from audit.ledger import status
from kernel.actor import system
from mled_site.diagnostics.registry import Check, all_checks, find_check
from mled_site.diagnostics.results import Asked, Level, Notes, Problem
from mled_site.diagnostics.running import examine
from mled_site.diagnostics.secrecy import without_secrets
from mled_site.diagnostics.showing import as_text
from runner.actions.joining import join_worker
from tests.factories import a_file, a_run, a_team, a_token
from tests.pages.conftest import Browser
from tests.rest.conftest import Api

QUICK = {"clock", "disk", "keys", "migrations"}


def a_check(examine_it, *, seconds: float = 5.0) -> Check:
    return Check("sample", "Sample", "A sample.", examine_it, seconds, False)


# --- How checks are carried out


@pytest.mark.once
def test_a_check_that_hangs_is_given_up_and_keeps_what_it_saw(db):
    ended = threading.Event()

    def hang(notes: Notes) -> None:
        notes.figure("Seen", "this much")
        ended.wait(20)

    found = examine([a_check(hang, seconds=0.05)]).results[0]
    ended.set()
    assert (found.level, found.problems[0].code) == (Level.FAILED, "sample.slow")
    assert found.figures == [("Seen", "this much")]


@pytest.mark.once
def test_a_check_that_breaks_takes_no_other_with_it(db):
    def broken(notes: Notes) -> None:
        raise RuntimeError("no luck with postgres://me:hunter2@host/db")

    def fine(notes: Notes) -> None:
        notes.figure("Answer", 42)

    report = examine([a_check(broken), a_check(fine)])
    assert [one.level for one in report.results] == [Level.FAILED, Level.OK]
    assert "RuntimeError: no luck with postgres://•••@host/db" in report.results[0].problems[0].what
    assert report.level is Level.FAILED


@pytest.mark.once
def test_no_secret_is_told(settings, monkeypatch):
    settings.SECRET_KEY = "abcdefghijklmnopqrstuvwxyz-0123456789"
    settings.EMAIL_HOST_PASSWORD = "mail-secret"
    monkeypatch.setenv("REDIS_URL", "redis://:broker%20secret@host:6379/0")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
    text = (
        f"{settings.SECRET_KEY} mail-secret broker secret broker%20secret aws-secret "
        "PRIVATE+KEY+log+12345678+AAAA mled_abcdefghijklmnopqrstuvwxyz s3://key:pass@host/bucket kept"
    )
    assert without_secrets(text) == "••• ••• ••• ••• ••• ••• ••• s3://•••@host/bucket kept"


@pytest.mark.once
def test_the_text_names_what_and_what_next(db):
    def wrong(notes: Notes) -> None:
        notes.warn("sample.wrong", "It is late.", "Wait.")

    text = as_text(examine([a_check(wrong)]))
    assert "Of 1 checks: 1 to look at." in text
    assert "! It is late. [sample.wrong]\n        > Wait." in text


# --- The command


@pytest.fixture
def installation(committed_db, settings, tmp_path) -> None:
    """A database, keys and notes that no other test touches."""
    settings.MLED_DATA = tmp_path


def doctor(*options: str, capsys) -> tuple[int, dict]:
    with pytest.raises(SystemExit) as end:
        call_command("doctor", "--json", *options)
    return int(end.value.code or 0), json.loads(capsys.readouterr().out)


def test_every_check_says_something_of_a_sound_installation(installation, capsys):
    code, told = doctor("--thorough", capsys=capsys)
    assert [one["name"] for one in told["checks"]] == [one.name for one in all_checks()]
    assert all(one["figures"] for one in told["checks"])
    bad = {problem["code"] for one in told["checks"] for problem in one["problems"]}
    assert bad <= {
        "workers.no_beat",
        "database.not_durable",
        "database.superuser",
        "assets.missing",
        "versions.packages",
    }, bad
    assert code == {"ok": 0, "warning": 1, "failed": 2}[told["level"]]


def test_one_part_can_be_asked_alone(installation, capsys):
    code, told = doctor("--check", "migrations", "--check", "disk", capsys=capsys)
    assert {one["name"] for one in told["checks"]} == {"migrations", "disk"}
    assert code == 0


@pytest.mark.once
@pytest.mark.parametrize("machine", ["far-away", socket.gethostname()])
def test_a_machine_without_a_sandbox_is_wrong_only_where_jobs_are_done_by_it(installation, monkeypatch, machine):
    """As the container of the web server, beside those of the workers."""
    monkeypatch.setattr("runner.executors.bubblewrap.where", lambda: None)
    about = {"machine": machine}
    join_worker(system(), name="one", queues=["default"], slots=1, executor="sandbox", about=about, version="1")
    found = examine([one for one in all_checks() if one.name == "sandbox"]).results[0]
    assert found.level is (Level.OK if machine == "far-away" else Level.FAILED)
    assert ("Workers on other machines", "one" if machine == "far-away" else "none") in found.figures


@pytest.mark.once
def test_what_verify_ledger_said_last_is_remembered(installation, capsys):
    status.note_verified(is_sound=False, events=12, problems=3)
    code, told = doctor("--check", "sequencer", capsys=capsys)
    assert code == 2
    assert "sequencer.not_sound" in {one["code"] for one in told["checks"][0]["problems"]}
    call_command("verify_ledger")
    assert "Sound" in capsys.readouterr().out
    assert status.verified().is_sound
    code, told = doctor("--check", "sequencer", capsys=capsys)
    assert code == 0


# --- The page


@pytest.fixture
def team(db):
    return a_team()


def test_an_administrator_finds_it_and_each_part_comes_by_itself(team):
    kim = Browser(team.administrator)
    assert "/diagnostics/" in kim.get("/").links("/diagnostics/")
    page = kim.get("/diagnostics/")
    for check in all_checks():
        assert f'hx-get="/diagnostics/{check.name}/"' in page.source
        assert check.title in page
    row = kim.client.get("/diagnostics/disk/", headers={"HX-Request": "true"}).content.decode()
    assert row.startswith("<li")
    assert "Temporary files" in row


def test_without_scripts_a_part_has_a_page_of_its_own(team):
    page = Browser(team.administrator).get("/diagnostics/clock/")
    assert "Clock" in page
    assert "Time here" in page
    assert "/diagnostics/" in page.links("/diagnostics/")


def test_a_part_that_there_is_not_is_told(team):
    assert "There is no check 'nothing'." in Browser(team.administrator).get("/diagnostics/nothing/", expecting=400)


@pytest.mark.parametrize("who", ["scientist", "engineer", "manager", "auditor"])
def test_others_are_refused(team, who):
    browser = Browser(getattr(team, who))
    assert not browser.get("/").links("/diagnostics/")
    for path in ("/diagnostics/", "/diagnostics/clock/", "/diagnostics/as-text/"):
        assert "see how the installation is" in browser.get(path, expecting=403)
    Api(a_token(getattr(team, who))[1]).get("diagnostics/", expecting=403)


# --- REST


def test_an_administrators_token_reads_it(team):
    api = Api(a_token(team.administrator)[1])
    told = api.get("diagnostics/", check="disk")
    assert [one["name"] for one in told["checks"]] == ["disk"]
    assert told["level"] in {"ok", "warning"}
    refused = api.get("diagnostics/", expecting=400, check="nothing")
    assert (refused["code"], refused["field"]) == ("INVALID", "check")
    assert "database, migrations" in refused["hint"]


@pytest.mark.once
def test_settings_that_do_not_fit_the_request_are_told(db, settings):
    settings.MLED_URL, settings.MLED_HTTPS = "http://mled.example.org", False
    settings.ALLOWED_HOSTS = ["mled.example.org"]
    check = [one for one in all_checks() if one.name == "configuration"]
    told = examine(check, Asked(url="https://other.example.org", forwarded="https")).results[0]
    assert {one.code for one in told.problems} == {
        "configuration.no_https", "configuration.url", "configuration.proxy",
    }  # fmt: skip


# --- Quotas


def test_a_project_near_its_quota_is_told_and_a_roomy_one_is_not(db):
    team = a_team()
    a_file(team.scientist, a_run(team.scientist), content=b"x" * 9500)
    set_quota(team.administrator, team.project, limit_bytes=10**6)
    assert _of_the_store() == []
    set_quota(team.administrator, team.project, limit_bytes=10_000)
    (problem,) = _of_the_store()
    assert (problem.code, problem.level) == ("storage.quota", Level.WARNING)
    assert f"{team.project.name} (95 % of 10 kB)" in problem.what


def _of_the_store() -> list[Problem]:
    """Asked in this thread, whose transaction holds the project."""
    notes, check = Notes(), find_check("storage")
    assert check is not None
    check.examine(notes)
    return notes.problems
