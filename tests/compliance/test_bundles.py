"""Sealed bundles through the doors: who takes them out, what is in those of reports, who verified one."""

from __future__ import annotations

import io
import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.roles import Role, Scope
from audit.compliance.actions.bundles import record_verification, seal_bundle
from audit.compliance.actions.reports import request_report
from audit.compliance.models import Report, ReportPart
from audit.compliance.profile import profile_of
from audit.compliance.reports.bundle import content_of_report, stretches
from audit.compliance.rules.engine import RULES
from audit.compliance.rules.record import Record
from audit.ledger.models import AuditEvent, Checkpoint
from audit.ledger.queries.history import with_payloads
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags
from kernel.actor import system
from kernel.errors import Invalid, NotFound, Refused
from tests.compliance.test_log import client_of
from tests.factories import a_batch, a_member, a_person, a_run, a_team, again, with_token
from tests.ledger.bundles import a_file, lines_of, taken_apart, verify, written

pytestmark = pytest.mark.django_db

SHA = "ab" * 32


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team):
    made = a_run(team.scientist, name="gru")
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "0.1"}, loss=[0.9]))
    set_tags(team.engineer, made, tags={"note": "zweiß"})
    a_run(a_team().scientist)
    Sequencer().run_until_empty()
    return made


def asked_for(client: Client, team, query: str = "") -> str:
    """The page of a bundle that was just asked for."""
    answer = client.post(f"/p/{team.project.slug}/log/bundle/{query}")
    assert answer.status_code == 302
    return answer["Location"]


def taken(client: Client, page: str, path: Path) -> Path:
    answer = client.get(f"{page}file")
    assert answer.status_code == 200
    path.write_bytes(b"".join(answer))
    return path


# --- Of the log


def test_the_log_is_taken_out_once_the_log_covers_it(team, run, tmp_path):
    client = client_of(team.auditor)
    page = asked_for(client, team, "?action=experiments.set_tags&q=zweiß")
    assert "Awaiting checkpoint" in client.get(page).content.decode()
    assert 'hx-trigger="every 1s"' in client.get(f"{page}state/").content.decode()
    assert client.get(f"{page}file").status_code == 409
    Sequencer().run_until_empty()
    shown = client.get(page).content.decode()
    assert "The log covers it." in shown
    assert "experiments.set_tags" in shown
    assert "hx-trigger" not in client.get(f"{page}state/").content.decode()
    path = taken(client, page, tmp_path / "log.mledlog")
    said = verify(path)
    assert said.code == 0, said.text
    tagged, seal = lines_of(taken_apart(path))
    assert tagged["leaf"]["verb"] == "experiments.set_tags"
    assert (seal["leaf"]["verb"], seal["leaf"]["actor_id"]) == ("compliance.seal_bundle", team.auditor.user_id.hex)
    kept = with_payloads([AuditEvent.objects.filter(verb="compliance.export_log").latest("id")])[0]
    assert kept.reason.endswith(f"sealed by event {seal['leaf']['id']}")


def test_it_is_the_same_file_whenever_it_is_fetched_until_what_it_holds_is_another(team, run, tmp_path):
    client = client_of(team.manager)
    page = asked_for(client, team)
    Sequencer().run_until_empty()
    first = taken(client, page, tmp_path / "one").read_bytes()
    set_tags(team.engineer, run, tags={"later": "1"})
    Sequencer().run_until_empty()
    names = ("events.jsonl", "report.json", "pubkey")
    again_ = taken_apart(taken(client, page, tmp_path / "two"))
    (tmp_path / "three").write_bytes(first)
    assert {name: again_[name] for name in names} == {n: taken_apart(tmp_path / "three")[n] for n in names}
    assert verify(tmp_path / "two").code == 0


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PROJECT_MANAGER, Role.ML_ENGINEER])
def test_those_who_answer_for_a_project_may(team, run, role):
    page = asked_for(client_of(team[role]), team)
    assert client_of(team[role]).get(page).status_code == 200
    assert "Sealed bundle" in client_of(team[role]).get(f"/p/{team.project.slug}/log/").content.decode()


def test_others_may_not_and_outsiders_find_nothing(team, run):
    page = asked_for(client_of(team.auditor), team)
    Sequencer().run_until_empty()
    for actor, status in ((team.scientist, 403), (team.administrator, 403), (a_person(), 404)):
        client = client_of(actor)
        assert client.post(f"/p/{team.project.slug}/log/bundle/").status_code == status
        for address in (page, f"{page}state/", f"{page}file"):
            assert client.get(address).status_code == status
    assert Client().get(page).status_code == 302
    other = a_team()
    elsewhere = page.replace(team.project.slug, other.project.slug)
    assert client_of(other.auditor).get(elsewhere).status_code == 404
    assert client_of(team.auditor).get(page.replace(page.split("/")[-2], str(uuid4()))).status_code == 404


def test_a_question_that_makes_no_sense_is_refused_and_seals_nothing(team, run):
    answer = client_of(team.auditor).post(f"/p/{team.project.slug}/log/bundle/?from=never")
    assert answer.status_code == 400
    assert not AuditEvent.objects.filter(verb="compliance.seal_bundle").exists()
    with pytest.raises(Refused):
        seal_bundle(again(team.scientist), team.project, manifest=b'{"size":1,"events":0}', question="{}")
    with pytest.raises(NotFound):
        seal_bundle(a_person(), team.project, manifest=b'{"size":1,"events":0}', question="{}")


# --- Of reports


def a_report(team, run, head: Checkpoint) -> Report:
    """A report over one run that speaks of a head, as it is before it is issued."""
    report = request_report(team.auditor, team.project, kind="compliance", scope="run", subject=run.uid.hex)
    ReportPart.objects.create(report=report, number=1, runs=[run.uid.hex])
    report.log_size, report.log_root, report.digest = head.size, head.root, "cd" * 32
    return report


def test_the_bundle_of_a_report_holds_its_files_and_what_it_rests_on(team, run, tmp_path):
    beside = a_run(team.scientist, name="not-asked-about")
    a_member(team.project, Role.DATA_SCIENTIST, "Late")
    Sequencer().run_until_empty()
    report = a_report(team, run, Checkpoint.objects.latest("id"))
    content = content_of_report(report, [a_file("report-1.pdf", b"%PDF-1.7")])
    seal = seal_bundle(system(), team.project, manifest=content.manifest, report=report)
    assert seal_bundle(system(), team.project, manifest=content.manifest, report=report) == seal
    [event] = AuditEvent.objects.filter(verb="compliance.seal_bundle")
    assert (event.subject_type, event.subject_id) == ("compliance.report", report.pk.hex)
    path = written(system(), team.project, content, tmp_path / "report.mledlog")
    said = verify(path)
    assert said.code == 0, said.text
    members = taken_apart(path)
    told = json.loads(members["report.json"])
    assert (told["size"], told["root"]) == (report.log_size, report.log_root)
    assert (told["report"]["content_digest"], told["report"]["requested_by"]) == ("cd" * 32, team.auditor.user_id.hex)
    assert members["files/report-1.pdf"] == b"%PDF-1.7"
    about = {(one["leaf"]["subject_type"], one["leaf"]["subject_id"]) for one in lines_of(members)}
    assert ("experiments.run", run.uid.hex) in about
    assert ("experiments.run", beside.uid.hex) not in about
    assert ("accounts.project", team.project.pk.hex) in about
    assert len([one for one in about if one[0] == "accounts.membership"]) == 5
    verbs = [one["leaf"]["verb"] for one in lines_of(members) if one["leaf"]["subject_id"] == run.uid.hex]
    assert {"experiments.create_run", "experiments.log_batch", "experiments.set_tags"} <= set(verbs)
    assert verify_ledger().is_sound


def test_of_later_events_only_the_seal_is_in_it(team, run, tmp_path):
    head = Checkpoint.objects.latest("id")
    set_tags(team.engineer, run, tags={"later": "1"})
    Sequencer().run_until_empty()
    content = content_of_report(a_report(team, run, head), [])
    path = written(team.auditor, team.project, content, tmp_path / "as-of.mledlog")
    assert verify(path).code == 0
    after = [one["leaf"]["verb"] for one in lines_of(taken_apart(path)) if one["seq"] >= head.size]
    assert after == ["compliance.seal_bundle"]


def test_places_are_told_as_stretches():
    assert list(stretches([])) == []
    assert list(stretches([4])) == [[4, 4]]
    assert list(stretches([0, 1, 2, 5, 7, 8])) == [[0, 2], [5, 5], [7, 8]]


# --- Who verified one


def rule_x1(run) -> str:
    return str(RULES["X1"].check(Record(run, profile=profile_of("gxp"))).outcome.value)


def recorded(run) -> list[dict]:
    events = AuditEvent.objects.filter(verb="compliance.record_verification", subject_id=run.uid.hex).order_by("id")
    return [{name: pair[1] for name, pair in one.changes[0].fields.items()} for one in with_payloads(list(events))]


def test_the_command_runs_the_verifier_and_records_what_it_said(team, run, tmp_path):
    client, out = client_of(team.auditor), io.StringIO()
    page = asked_for(client, team)
    Sequencer().run_until_empty()
    path = taken(client, page, tmp_path / "log.mledlog")
    call_command("record_verification", run.uid.hex, bundle=path, note="On a laptop without network", stdout=out)
    assert "VERIFIED" in out.getvalue()
    [told] = recorded(run)
    assert (told["exit_code"], told["note"]) == (0, "On a laptop without network")
    Sequencer().run_until_empty()
    assert rule_x1(run) == "pass"
    broken = tmp_path / "broken.mledlog"
    broken.write_bytes(path.read_bytes().replace(b"gru", b"gro"))
    with pytest.raises(SystemExit) as ended:
        call_command("record_verification", run.readable_id, bundle=broken, stdout=out)
    assert ended.value.code == 1
    assert recorded(run)[-1]["exit_code"] == 1
    assert rule_x1(run) == "fail"
    assert verify_ledger().is_sound


def test_the_command_says_what_it_needs(team, run, tmp_path):
    page = asked_for(client_of(team.auditor), team, "?action=experiments.set_tags")
    later = a_run(team.scientist)
    Sequencer().run_until_empty()
    path = taken(client_of(team.auditor), page, tmp_path / "part.mledlog")
    for given, words in (
        ({}, "Give either --bundle"),
        ({"bundle": path, "exit_code": 0}, "Give either --bundle"),
        ({"bundle": tmp_path / "none"}, "There is no file"),
        ({"exit_code": 0, "sha256": "abc"}, "64 hex digits"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("record_verification", run.uid.hex, **given)
    with pytest.raises(CommandError, match="holds no event of"):
        call_command("record_verification", later.uid.hex, bundle=path, stdout=io.StringIO())
    with pytest.raises(CommandError, match="was found"):
        call_command("record_verification", "f" * 32, exit_code=0, sha256=SHA)
    assert recorded(run) == recorded(later) == []
    call_command("record_verification", run.uid.hex, exit_code=0, sha256=SHA.upper(), stdout=io.StringIO())
    assert recorded(run)[0]["sha256"] == SHA


def test_people_record_it_by_rest_for_what_they_may_report_on(team, run):
    address = f"/api/v1/runs/{run.uid.hex}/verifications/"
    body = {"exit_code": 0, "sha256": SHA, "note": "By our auditors"}
    for actor, status in (
        (team.auditor, 204),
        (team.scientist, 204),  # the run is their own
        (a_member(team.project, Role.DATA_SCIENTIST), 403),
        (team.administrator, 404),
        (a_person(), 404),
    ):
        answer = client_of(actor).post(address, body, content_type="application/json")
        assert answer.status_code == status, answer.content
    client = client_of(team.manager)
    for wrong, field in (
        ({**body, "exit_code": 3}, "exit_code"),
        ({**body, "sha256": "x"}, "sha256"),
        ({}, "exit_code"),
    ):
        answer = client.post(address, wrong, content_type="application/json")
        assert (answer.status_code, field in answer.content.decode()) == (400, True)
    assert [one["note"] for one in recorded(run)] == ["By our auditors"] * 2
    for code in (True, "0", None, 2.0):
        with pytest.raises(Invalid):
            record_verification(again(team.auditor), run, exit_code=code, sha256=SHA)
    reading = with_token(team.engineer, scopes=(Scope.READ,))
    with pytest.raises(Refused, match="needs the scope 'log'"):
        record_verification(reading, run, exit_code=0, sha256=SHA)
    record_verification(with_token(team.engineer), run, exit_code=2, sha256=SHA)
    assert recorded(run)[-1]["exit_code"] == 2
