"""Who may have which report, and how much of the log its bundle hands out: as their rights are when they ask."""

import json
import zipfile
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from accounts.actions.members import change_role, dismiss_member
from accounts.models import Membership
from accounts.roles import Role
from audit.compliance.actions.access import review_access
from audit.compliance.actions.holds import place_hold
from audit.compliance.actions.reports import download_report
from audit.compliance.models import Report, ReportFile
from audit.compliance.queries.report_standing import files_of_reports
from audit.compliance.queries.reports import files_of_report, get_report, get_report_file, progress_of, reports_of
from audit.ledger.offline import mled_verify
from experiments.values import RunStatus
from kernel.errors import Invalid, NotFound, Refused
from tests.compliance.report_building import asked_for, built, content
from tests.factories import a_run, a_team, again, an_experiment, join, user_of

pytestmark = pytest.mark.django_db
NOTE, HOLD = b"a note among managers", b"a dispute with a supplier"


@pytest.fixture
def team(settings, tmp_path):
    settings.MLED_DATA = tmp_path
    made = a_team()
    review_access(made.manager, made.project, note=NOTE.decode())
    place_hold(made.manager, made.project, reason=HOLD.decode())
    return made


@pytest.fixture
def run(team):
    return a_run(team.scientist, name="gru", status=RunStatus.FINISHED)


def became(team, actor, role: Role) -> None:
    change_role(team.manager, Membership.objects.get(project=team.project, user=user_of(actor)), role=role)


def bundle_of(actor, team, **more) -> tuple[Report, bytes]:
    done = built(asked_for(actor, team.project, formats=("mledlog",), **more))
    assert (done.state, done.failure) == (Report.State.DONE, "")
    return done, content(done, "report.mledlog")


def left_out(bundle: bytes) -> list[dict[str, Any]]:
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        found: list[dict[str, Any]] = json.loads(archive.read("report.json"))["report"]["left_out"]
    return found


def test_a_bundle_of_ones_own_run_holds_no_more_than_one_may_read(team, run, tmp_path, capsys):
    _, bundle = bundle_of(team.scientist, team, scope="run", subject=run.uid.hex)
    assert run.uid.hex.encode() in bundle
    for kept in (NOTE, HOLD, b"accounts.membership", b"is_dormant"):
        assert kept not in bundle, kept
    assert b"experiments.run" in bundle
    said = left_out(bundle)
    assert len(said) == 2
    assert "may not read the log" in said[0]["why"]
    assert "access reviews" in said[1]["events"]
    path = tmp_path / "own.mledlog"
    path.write_bytes(bundle)
    assert mled_verify.main([str(path)]) == 0, capsys.readouterr()


def test_the_whole_of_what_a_report_rests_on_is_for_who_may_read_the_log(team, run):
    _, of_engineer = bundle_of(team.engineer, team, scope="run", subject=run.uid.hex)
    assert HOLD in of_engineer
    assert NOTE not in of_engineer
    assert [one["events"] for one in left_out(of_engineer)] == ["of access reviews"]
    _, of_manager = bundle_of(team.manager, team, scope="run", subject=run.uid.hex)
    assert HOLD in of_manager
    assert NOTE in of_manager
    assert left_out(of_manager) == []


def test_a_bundle_is_not_given_to_who_may_not_read_what_is_in_it(team, run):
    done, _ = bundle_of(team.manager, team)
    file = ReportFile.objects.get(report=done)
    assert get_report(team.engineer, done.pk) == done
    assert files_of_report(team.engineer, done) == []
    assert files_of_reports(team.engineer, [done]) == {}
    with pytest.raises(Refused, match="your role does not read"):
        get_report_file(team.engineer, done, file.name)
    with pytest.raises(Refused):
        download_report(team.engineer, done, file=file)
    assert files_of_report(team.auditor, done) == [file]
    page = Client()
    page.force_login(user_of(team.engineer))
    url = f"/p/{team.project.slug}/reports/{done.pk}/"
    assert page.get(f"{url}files/report.mledlog").status_code == 403
    assert "your role does not read" in page.get(url).content.decode()


def test_an_extract_of_the_log_is_gone_with_the_right_to_read_the_log(team, run):
    trail = built(asked_for(team.engineer, team.project, kind="trail"))
    own = built(asked_for(team.engineer, team.project))
    (file, _) = files_of_report(team.engineer, trail)
    became(team, team.engineer, Role.DATA_SCIENTIST)
    lost = again(team.engineer)
    assert list(reports_of(lost, team.project)) == [own]
    for asks in (
        lambda: get_report(lost, trail.pk),
        lambda: get_report_file(lost, trail, file.name),
        lambda: download_report(lost, trail, file=file),
        lambda: progress_of(lost, trail),
    ):
        with pytest.raises(NotFound):
            asks()
    assert files_of_report(lost, trail) == []
    page = Client()
    page.force_login(user_of(team.engineer))
    assert page.get(f"/p/{team.project.slug}/reports/{trail.pk}/files/{file.name}").status_code == 404
    assert page.get(f"/p/{team.project.slug}/reports/{trail.pk}/").status_code == 404
    assert str(trail.pk) not in page.get(f"/p/{team.project.slug}/reports/").content.decode()
    assert get_report(team.auditor, trail.pk) == trail


def test_an_access_review_is_for_who_may_see_who_may_do_what(team, run):
    with pytest.raises(Refused):
        asked_for(team.engineer, team.project, kind="access")
    done = built(asked_for(team.auditor, team.project, kind="access"))
    assert done.state == Report.State.DONE
    with pytest.raises(NotFound):
        get_report(team.engineer, done.pk)
    assert not reports_of(team.engineer, team.project)
    assert get_report(team.manager, done.pk) == done
    waiting = asked_for(team.auditor, team.project, kind="access")
    auditors = Membership.objects.get(project=team.project, user=user_of(team.auditor))
    dismiss_member(team.administrator, auditors)
    failed = built(waiting)
    assert failed.state == Report.State.FAILED
    assert "may no longer report" in failed.failure
    page = Client()
    page.force_login(user_of(team.engineer))
    form = page.get(f"/p/{team.project.slug}/reports/new/").content.decode()
    assert 'value="trail"' in form
    assert 'value="access"' not in form


def test_a_question_names_no_experiment_of_another_project(team, run):
    other = a_team()
    join(other.project, team.auditor, Role.AUDITOR)
    own, foreign = run.experiment, an_experiment(other.scientist, name="merger")
    for wrong in ([own.pk, foreign.pk], [2**63], [-1], list(range(501))):
        with pytest.raises(Invalid) as told:
            asked_for(again(team.auditor), team.project, question={"experiments": wrong})
        assert told.value.field == "experiments"
        assert "merger" not in str(told.value)
    assert asked_for(again(team.auditor), team.project, question={"experiments": [own.pk]}).is_open
