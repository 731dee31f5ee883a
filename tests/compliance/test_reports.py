"""Reports: asked for, built from the records as they stood under a head of the log, and issued once."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.cache import cache

from accounts.actions.members import remove_member
from accounts.actions.projects import edit_project
from accounts.actions.users import change_password
from accounts.models import Membership, Notice, Project
from accounts.roles import Role
from accounts.signing import prove
from accounts.workers import sign_of_life
from audit.compliance.actions.findings import Flag, open_finding
from audit.compliance.actions.reports import cancel_report, download_report, request_report
from audit.compliance.actions.reviews import decide_review, submit_run
from audit.compliance.models import Report, Review
from audit.compliance.queries.reports import files_of_report, get_report, issued_at_place, progress_of, reports_of
from audit.compliance.reports import lease
from audit.compliance.reports.build import WORKERS_DIED, build_report, sweep
from audit.compliance.reports.spool import Spool, reports_in_work
from audit.ledger.models import AuditEvent, Leaf
from audit.ledger.offline import mled_verify
from audit.ledger.verify import verify_ledger
from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags
from experiments.actions.seals import seal_run
from experiments.values import RunStatus
from kernel.actor import system
from kernel.errors import Conflict, Invalid, NotFound, Refused
from tests.compliance.report_building import asked_for, built, content, head, in_order, sections, table
from tests.factories import PASSWORD, a_batch, a_file, a_person, a_run, a_team, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    made = a_team()
    change_password(made.auditor, password=PASSWORD)
    return made


@pytest.fixture
def run(team):
    made = a_run(team.scientist, name="gru", status=RunStatus.FINISHED)
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "=0.1"}, tags={"stage": "draft"}, loss=[0.9, 0.5, 0.4]))
    a_file(team.scientist, made, "model.bin")
    return made


def test_a_report_is_built_in_the_background_and_issued_with_its_files(team, run):
    report = asked_for(team.engineer, team.project, reason="For the board.")
    assert report.state == Report.State.WAITING
    done = built(report)
    assert (done.state, done.failure, done.records, done.done) == (Report.State.DONE, "", 1, 1)
    assert len(done.digest) == len(done.log_root) == 64
    assert [file.name for file in files_of_report(team.engineer, done)] == ["report.csv", "report.jsonl"]
    (row,) = table(done)
    assert row["id"] == run.readable_id
    assert row["params"] == "lr==0.1"
    (section,) = sections(done)
    assert {one["label"]: one["value"] for one in section["params"]} == {"lr": "=0.1"}
    assert section["metrics"][0] | {} == {
        "key": "loss", "last": "0.4", "step": 2, "least": "0.4", "greatest": "0.9", "points": 3, "better": "",
    }  # fmt: skip
    assert section["curves"][0]["values"] == [0.9, 0.5, 0.4]
    assert [file["path"] for file in section["files"]] == ["model.bin"]
    assert section["chain"]["wrong"] == ""
    assert section["chain"]["events"] == len(section["events"]) >= 3
    assert section["assessed"]
    assert section["rules"]
    assert head(done)["requested_by"] == str(user_of(team.engineer))
    assert head(done)["reason"] == "For the board."
    assert Notice.objects.filter(user=user_of(team.engineer), kind="report.done").count() == 1
    assert not reports_in_work()
    assert verify_ledger().is_sound


def test_every_format_comes_out_and_the_bundle_verifies_by_itself(team, run, tmp_path):
    seal_run(system(), run)
    done = built(request_report(team.engineer, team.project, kind="compliance", scope="run", subject=run.uid.hex))
    assert (done.state, done.failure) == (Report.State.DONE, "")
    names = [file.name for file in files_of_report(team.engineer, done)]
    assert names == ["report-1.pdf", "report.csv", "report.jsonl", "report.mledlog"]
    assert content(done, "report-1.pdf").startswith(b"%PDF-1.7")
    bundle = tmp_path / "report.mledlog"
    bundle.write_bytes(content(done, "report.mledlog"))
    verifier = Path(mled_verify.__file__)
    said = subprocess.run([sys.executable, verifier, bundle], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert done.digest in bundle.read_bytes().decode(errors="ignore")


# --- The same question about the same moment


def reviewed(team, run) -> Review:
    submit_run(team.scientist, run, comment="Ready.")
    review = Review.objects.select_related("run__project").get(run=run)
    proof = prove(team.auditor, PASSWORD, email=user_of(team.auditor).email)
    flags = (Flag("missing", "Which seed?", rule="V5"),)
    return decide_review(team.auditor, review, compliant=False, reason="Seen.", proof=proof, flags=flags)


def test_building_again_for_the_same_moment_gives_the_same_content(team, run):
    seal_run(system(), run)
    reviewed(team, run)
    first = built(asked_for(team.engineer, team.project))
    later = a_run(team.scientist, name="later", status=RunStatus.FINISHED)
    set_tags(team.scientist, later, tags={"stage": "new"})
    open_finding(team.auditor, run, flag=Flag("other", "One more."))
    second = built(asked_for(team.manager, team.project, as_of=first.head_at, title="The same again"))
    assert (second.log_size, second.log_root, second.digest) == (first.log_size, first.log_root, first.digest)
    assert content(second, "report.csv") == content(first, "report.csv")
    lines, again_lines = (content(one, "report.jsonl").splitlines() for one in (first, second))
    assert lines[1:] == again_lines[1:]
    assert lines[0] != again_lines[0]
    (section,) = sections(second)
    assert section["verdicts"][0]["signature"]["printed_name"] == str(user_of(team.auditor))
    assert section["verdicts"][0]["signature"]["holds"] == "The record is as it was signed."
    assert [one["text"] for one in section["findings"]] == ["Which seed?"]
    third = built(asked_for(team.engineer, team.project))
    assert third.records == 2
    assert third.digest != first.digest


def test_the_first_page_speaks_of_the_project_as_it_was_then(team, run):
    edit_project(team.manager, team.project, purpose="Early warning.", name="Sepsis, first")
    first = built(asked_for(team.engineer, team.project))
    edit_project(team.manager, team.project, purpose="Something else by now.", name="Sepsis, renamed")
    second = built(asked_for(team.engineer, Project.objects.get(pk=team.project.pk), as_of=first.head_at))
    assert {"label": "Purpose", "value": "Early warning."} in head(first)["about"]
    assert head(second)["about"] == head(first)["about"]
    assert head(second)["project"] == "Sepsis, first"
    third = built(asked_for(team.engineer, team.project))
    assert {"label": "Purpose", "value": "Something else by now."} in head(third)["about"]


def test_a_run_that_changed_since_says_so(team, run):
    first = built(asked_for(team.engineer, team.project))
    set_tags(team.scientist, run, tags={"stage": "late"})
    second = built(asked_for(team.engineer, team.project, as_of=first.head_at))
    assert sections(first)[0]["changed"] == ""
    assert sections(second)[0]["changed"].startswith("Changed since by 1 act, the last experiments.")
    assert "1 run was changed since" in head(second)["notes"][0]
    assert second.digest != first.digest


def test_a_moment_has_to_be_one_that_the_log_has_a_head_for(team, run):
    in_order()
    first = built(asked_for(team.engineer, team.project)).head_at
    for moment, words in (
        (first.replace(year=first.year - 1), "no signed head yet"),
        (first.replace(year=first.year + 1), "future"),
        (first.replace(tzinfo=None), "time zone"),
    ):
        with pytest.raises(Invalid, match=words) as error:
            asked_for(team.engineer, team.project, as_of=moment)
        assert error.value.field == "as_of"


def test_it_waits_until_the_log_covers_what_was_there_when_it_was_asked_for(team, run):
    report = asked_for(team.engineer, team.project)
    assert not build_report(report.pk)
    report.refresh_from_db()
    assert (report.state, report.lease, report.log_size) == (Report.State.WAITING, None, None)
    done = built(report)
    asked_at = AuditEvent.objects.get(verb="compliance.open_report", subject_id=report.ledger_id)
    assert Leaf.objects.get(event_id=asked_at.pk).seq < done.log_size


# --- Who may


def test_scientists_report_on_their_own_runs_alone(team, run):
    report = built(asked_for(team.scientist, team.project))
    assert report.state == Report.State.DONE
    other = a_run(team.engineer, name="other", status=RunStatus.FINISHED)
    with pytest.raises(Refused, match="your own runs only"):
        asked_for(team.scientist, team.project)
    with pytest.raises(Refused, match="your own runs only"):
        asked_for(team.scientist, team.project, scope="run", subject=other.readable_id)
    mine = asked_for(team.scientist, team.project, scope="runs", question={"query": "name = 'gru'"})
    assert mine.question == {
        "query": "name = 'gru'",
        "experiments": [],
        "lifecycle": "active",
        "formats": ["csv", "json"],
    }
    with pytest.raises(Refused):
        asked_for(team.scientist, team.project, kind="trail")
    theirs = asked_for(team.engineer, team.project)
    assert set(reports_of(team.scientist, team.project)) == {report, mine}
    with pytest.raises(NotFound):
        get_report(team.scientist, theirs.pk)


def test_outsiders_find_neither_the_project_nor_its_reports(team, run):
    report = built(asked_for(team.engineer, team.project))
    stranger = a_person()
    with pytest.raises(NotFound):
        asked_for(stranger, team.project)
    with pytest.raises(NotFound):
        get_report(stranger, report.pk)
    with pytest.raises(NotFound):
        cancel_report(stranger, report)
    with pytest.raises(NotFound):
        progress_of(stranger, report)
    assert not reports_of(stranger, team.project)


def test_who_lost_the_role_meanwhile_gets_a_failed_report_that_says_so(team, run):
    report = asked_for(team.engineer, team.project)
    membership = Membership.objects.get(user=user_of(team.engineer), project=team.project, role=Role.ML_ENGINEER)
    remove_member(team.manager, membership)
    failed = built(report)
    assert failed.state == Report.State.FAILED
    assert "may no longer report" in failed.failure
    assert not failed.files.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "poem"}, "kind"),
        ({"scope": "galaxy"}, "scope"),
        ({"kind": "access", "scope": "run"}, "scope"),
        ({"title": "x" * 201}, "title"),
        ({"title": "\x00"}, "title"),
        ({"reason": "x" * 4001}, "reason"),
        ({"formats": ["docx"]}, "formats"),
        ({"formats": []}, "formats"),
        ({"question": {"query": "=="}}, "filter"),
        ({"question": {"query": 3}}, "query"),
        ({"question": {"experiments": ["1"]}}, "experiments"),
        ({"question": {"lifecycle": "dead"}}, "lifecycle"),
        ({"question": {"sort": "x"}}, "question"),
        ({"question": {"query": "name = 'none'"}}, "question"),
        ({"kind": "trail", "question": {"from": "yesterday"}}, "from"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_with_its_field(team, run, given, field):
    with pytest.raises(Invalid) as error:
        asked_for(team.engineer, team.project, **given)
    assert error.value.field == field


# --- Stopping, failing, taking over


def test_a_report_is_stopped_by_who_asked_or_leads_and_once(team, run):
    report = asked_for(team.scientist, team.project)
    with pytest.raises(Refused, match="Somebody else asked"):
        cancel_report(team.engineer, report)
    assert progress_of(team.scientist, report).may_stop
    assert not progress_of(team.engineer, report).may_stop
    cancel_report(team.scientist, report)
    with pytest.raises(Conflict):
        cancel_report(team.manager, report)
    in_order()
    assert not build_report(report.pk)
    report.refresh_from_db()
    assert report.state == Report.State.CANCELLED
    cancel_report(team.manager, asked_for(team.scientist, team.project))


def test_what_is_stopped_in_the_middle_leaves_nothing_behind(team, run, monkeypatch):
    report = asked_for(team.engineer, team.project)
    in_order()
    build_report(report.pk)
    in_order()
    gather = "audit.compliance.reports.build.sections_of"

    def stopping(*_):
        cancel_report(team.engineer, report)
        yield from ()

    monkeypatch.setattr(gather, stopping)
    assert not build_report(report.pk)
    sweep()
    assert not reports_in_work()
    assert Report.objects.get(pk=report.pk).state == Report.State.CANCELLED


def test_what_goes_wrong_three_times_is_given_up_with_words(team, run, monkeypatch):
    report = asked_for(team.engineer, team.project)

    def broken(*_):
        raise RuntimeError("secret path /srv")

    monkeypatch.setattr("audit.compliance.reports.build.chain_of", broken)
    for _ in range(5):
        in_order()
        build_report(report.pk)
    report.refresh_from_db()
    assert (report.state, report.attempts) == (Report.State.FAILED, 3)
    assert "Ask for it again" in report.failure
    assert "secret" not in report.failure
    assert Notice.objects.filter(user=user_of(team.engineer), kind="report.failed").count() == 1
    assert not reports_in_work()


def test_what_a_bundle_cannot_hold_is_given_up_in_its_own_words(team, run, monkeypatch):
    def too_large(*_):
        raise Conflict("It is too large for a bundle.", hint="Ask for fewer runs.")

    monkeypatch.setattr("audit.compliance.reports.bundle.write_bundle", too_large)
    report = asked_for(team.engineer, team.project, formats=("csv", "mledlog"))
    for _ in range(6):
        in_order()
        build_report(report.pk)
    report.refresh_from_db()
    assert (report.state, report.failure) == ("failed", "It is too large for a bundle. Ask for fewer runs.")
    assert not report.files.exists()


def test_a_lease_keeps_others_away_until_it_runs_out(team, run):
    report = asked_for(team.engineer, team.project)
    in_order()
    first = lease.take(report.pk)
    assert lease.take(report.pk) is None
    assert not build_report(report.pk)
    Report.objects.get(pk=report.pk)
    dead = Report.objects.get(pk=report.pk)
    dead.lease_until = dead.requested_at
    dead.save()
    second = lease.take(report.pk)
    assert second is not None
    with pytest.raises(lease.LeaseLost):
        lease.renew(report.pk, first)
    lease.renew(report.pk, second, done=0)
    lease.give_back(report.pk, second)
    assert built(report).state == Report.State.DONE


def a_worker_dies_over(report) -> None:
    assert lease.take(report.pk) is not None
    dead = Report.objects.get(pk=report.pk)
    dead.lease_until = dead.requested_at
    dead.save()


def test_a_report_that_kills_every_worker_is_given_up_and_says_so(team, run):
    report = asked_for(team.engineer, team.project)
    in_order()
    for _ in range(lease.DEATHS):
        a_worker_dies_over(report)
    assert Report.objects.get(pk=report.pk).is_open
    assert not build_report(report.pk)
    report.refresh_from_db()
    assert (report.state, report.failure) == ("failed", WORKERS_DIED)
    assert Notice.objects.filter(user=user_of(team.engineer), kind="report.failed").count() == 1


def test_workers_may_die_as_often_as_they_like_while_the_report_gets_on(team, run):
    report = asked_for(team.engineer, team.project)
    in_order()
    for done in range(1, lease.DEATHS + 2):
        a_worker_dies_over(report)
        mine = lease.take(report.pk)
        assert mine is not None
        lease.renew(report.pk, mine, done=done)
        lease.give_back(report.pk, mine)
    assert built(report).state == Report.State.DONE


def test_a_part_that_is_whole_is_not_gathered_again_and_a_damaged_one_is(team, run, monkeypatch):
    report = asked_for(team.engineer, team.project)
    monkeypatch.setattr("audit.compliance.reports.build.issue_report", lambda *_, **__: 1 / 0)
    for _ in range(3):
        in_order()
        build_report(report.pk)
    monkeypatch.undo()
    spool = Spool(report.pk)
    part = report.parts.get()
    assert spool.holds(1, part.digests)
    spool.part(1).write_bytes(b"{}\n")
    assert not spool.holds(1, part.digests)
    done = built(report)
    assert done.state == Report.State.DONE
    assert part.digests == report.parts.get().digests


# --- What waits, and for what


def test_how_far_it_is_is_told_in_words(team, run):
    in_order()
    report = asked_for(team.engineer, team.project)
    cache.clear()
    waiting = progress_of(team.engineer, report)
    assert (waiting.waits_for, waiting.is_worker_alive, waiting.percent) == ("worker", False, 0)
    assert "no worker is running" in waiting.words
    sign_of_life()
    assert progress_of(team.engineer, report).words == "Waiting for its turn."
    in_order()
    build_report(report.pk)
    in_order()
    build_report(report.pk)
    report.refresh_from_db()
    issued = progress_of(team.engineer, report)
    assert (issued.state, issued.waits_for, issued.may_download) == ("done", "checkpoint", False)
    in_order()
    assert issued_at_place(team.engineer, report) is not None
    assert progress_of(team.engineer, report).may_download


def test_a_download_is_an_event_and_waits_for_the_checkpoint(team, run):
    report = asked_for(team.engineer, team.project)
    for _ in range(2):
        in_order()
        build_report(report.pk)
    report.refresh_from_db()
    (file, _) = files_of_report(team.engineer, report)
    with pytest.raises(Conflict, match="checkpoint"):
        download_report(team.engineer, report, file=file)
    in_order()
    download_report(team.engineer, report, file=file)
    event = AuditEvent.objects.get(verb="compliance.download_report")
    assert (event.subject_id, event.actor_id) == (report.ledger_id, team.engineer.user_id)
    with pytest.raises(NotFound):
        download_report(a_person(), report, file=file)
