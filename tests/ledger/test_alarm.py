"""A log that is behind, stopped or not anchored is told once, everywhere, until it is over."""

from __future__ import annotations

import pytest
from django.db import DatabaseError
from django.test import Client

from accounts.models import Notice
from audit.ledger import alarm, sequencer, status
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import with_payloads
from audit.ledger.tasks import watch_log
from audit.ledger.verify import verify_ledger
from kernel import clock
from tests.factories import a_team, an_administrator, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def later(monkeypatch):
    """Let so many seconds pass."""

    def pass_by(seconds: float) -> None:
        moment = clock._now() + seconds
        monkeypatch.setattr(clock, "_now", lambda: moment)

    return pass_by


def told() -> list[str]:
    return list(AuditEvent.objects.filter(subject_type="ledger.alarm").order_by("id").values_list("verb", flat=True))


def ready() -> dict[str, object]:
    answer = Client().get("/readyz")
    return {"status": answer.status_code, **answer.json()}


def test_a_sequencer_that_is_late_is_told_once_and_again_when_it_is_over(act, later, caplog):
    administrator, team = an_administrator(), a_team()
    sequencer.run_once()
    act()
    watch_log()
    assert (told(), ready()) == ([], {"status": 200, "ready": True, "log": "well"})
    later(61)
    for _ in range(5):
        watch_log()
    assert told() == ["ledger.raise_alarm"]
    notices = list(Notice.objects.filter(kind="ledger.alarm"))
    assert len({one.user_id for one in notices}) == len(notices)
    assert user_of(administrator) in [one.user for one in notices]
    assert user_of(team.scientist) not in [one.user for one in notices]
    assert notices[0].text.startswith("The sequencer is late: ")
    assert caplog.text.count("The sequencer is late") == 1
    assert ready() == {"status": 200, "ready": True, "log": "late"}
    client = Client()
    client.force_login(user_of(team.auditor))
    assert "The sequencer is late" in client.get(f"/p/{team.project.slug}/log/").content.decode()
    while sequencer.run_once():
        pass
    for _ in range(3):
        watch_log()
    assert told() == ["ledger.raise_alarm", "ledger.clear_alarm"]
    assert "well again" in caplog.text
    assert ready()["log"] == "well"
    assert "The sequencer is late" not in client.get(f"/p/{team.project.slug}/log/").content.decode()
    sequencer.run_once()
    findings = verify_ledger()
    assert findings.problems == []
    assert not any("ledger.alarm" in remark for remark in findings.remarks)


def test_a_trouble_that_comes_back_is_told_again(act, later):
    an_administrator()
    for _ in range(2):
        act()
        later(61)
        watch_log()
        while sequencer.run_once():
            pass
        watch_log()
        sequencer.run_once()
    assert told() == ["ledger.raise_alarm", "ledger.clear_alarm"] * 2
    assert Notice.objects.filter(kind="ledger.alarm").count() == 2  # one administrator, two alarms


def test_a_broken_log_is_told_with_its_words(later):
    status.note_trouble(status.STOPPED, "The log is not the one that checkpoint 7 signed. Run verify_ledger.")
    assert alarm.watch() == []
    later(30)
    status.note_trouble(status.STOPPED, "The log is not the one that checkpoint 7 signed. Run verify_ledger.")
    later(31)
    (trouble,) = alarm.watch()
    assert trouble.words.endswith("Run verify_ledger.")
    (past,) = with_payloads(list(AuditEvent.objects.filter(verb="ledger.raise_alarm")))
    assert past.reason == trouble.words
    assert ready()["log"] == "stopped"
    status.forget(status.STOPPED)
    assert alarm.watch() == []
    assert told() == ["ledger.raise_alarm", "ledger.clear_alarm"]


def test_anchors_that_fail_for_minutes_are_told_by_place(later):
    place = status.of_place("s3://audit/mled")
    status.note_trouble(place, "The file store cannot be reached.")
    later(299)
    assert alarm.watch() == []
    later(2)
    status.note_trouble(place, "The file store cannot be reached.")
    (trouble,) = alarm.watch()
    assert "not anchored in s3://audit/mled since" in trouble.words
    assert ready()["log"] == "anchors"
    status.forget(place)
    assert alarm.watch() == []


def test_without_its_database_a_web_process_is_not_ready(monkeypatch):
    def away() -> list[alarm.Trouble]:
        raise DatabaseError("gone")

    monkeypatch.setattr("mled_site.ready.troubles", away)
    assert ready() == {"status": 503, "ready": False, "log": "unknown"}
