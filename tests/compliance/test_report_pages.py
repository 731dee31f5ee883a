"""The pages of reports: the form and who may use it, what is being made, one report, its files, buttons elsewhere."""

import datetime as dt
import html
import re

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.workers import sign_of_life
from audit.compliance.actions.reports import cancel_report, request_report
from audit.compliance.models import Report
from audit.compliance.pages.report_form import name_and_number
from audit.compliance.pages.report_words import (
    by_format,
    counted,
    default_title,
    making_of,
    pairs_of,
    scope_for,
    short_time,
    time_left,
    with_pairs,
)
from audit.compliance.queries.reports import progress_of
from audit.compliance.reports.asked import formats_of, question_of
from audit.compliance.reports.build import build_report
from audit.ledger.models import AuditEvent
from audit.ledger.sequencer import Sequencer
from experiments.actions.batches import log_batch
from experiments.models import Run
from experiments.values import RunStatus
from kernel.clock import now
from kernel.errors import Invalid
from registry.pages.frame import version_url
from tests.factories import a_batch, a_person, a_run, a_team, an_administrator, user_of
from tests.factories_registry import a_registered_model, a_version

pytestmark = pytest.mark.django_db
ALL_FILES = {"formats": ["pdf", "csv", "json", "mledlog"]}


@pytest.fixture(autouse=True)
def nobody_works():
    cache.clear()


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team) -> Run:
    made = a_run(team.scientist, name="gru", status=RunStatus.FINISHED)
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "0.1"}, loss=[0.9, 0.5]))
    in_order()
    return Run.objects.select_related("project").get(pk=made.pk)


def in_order() -> None:
    Sequencer().run_until_empty()


def page_of(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def text_of(response) -> str:
    """What a page says, on one line."""
    return " ".join(response.content.decode().split())


def home(team) -> str:
    return f"/p/{team.project.slug}/reports/"


def asked(actor, project, **more) -> Report:
    given = {"kind": "compliance", "scope": "project", "title": "Every run", "formats": ["csv", "json"], **more}
    return request_report(actor, project, **given)


def finished(report: Report) -> None:
    """Build it while the log goes on as it does by itself."""
    for _ in range(5):
        in_order()
        if build_report(report.pk):
            return
    raise AssertionError("It was not built.")


def built(report: Report) -> Report:
    """The report, finished and covered by the log."""
    finished(report)
    in_order()
    return Report.objects.select_related("project").get(pk=report.pk)


# --- The form


def test_an_auditor_asks_for_the_runs_of_a_filter_and_nothing_of_it_is_lost(team, run):
    page, url = page_of(team.auditor), f"{home(team)}new/"
    filled = text_of(page.get(f"{url}?kind=reproducibility&scope=runs&q=name+%3D+'gru'&title=Weekly"))
    assert 'value="reproducibility" checked' in filled
    assert 'value="Weekly"' in filled
    assert "1 run</b> matches now" in filled
    given = {"kind": "reproducibility", "scope": "runs", "q": "name = 'gru'", "title": "Weekly", "reason": "We look."}
    answer = page.post(url, {**given, **ALL_FILES, "experiment": [run.experiment_id], "lifecycle": "all"})
    report = Report.objects.get()
    assert answer.headers["Location"].startswith(home(team))
    assert (report.kind, report.scope, report.title, report.reason) == ("reproducibility", "runs", "Weekly", "We look.")
    wanted = {"query": "name = 'gru'", "experiments": [run.experiment_id], "lifecycle": "all"}
    assert question_of(report) == wanted
    assert formats_of(report) == ["pdf", "csv", "json", "mledlog"]
    assert AuditEvent.objects.filter(verb="compliance.open_report", subject_id=report.pk.hex).count() == 1


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"kind": "horoscope"}, "kind", "Select a valid choice"),
        ({"scope": "runs", "q": "bogus = "}, "q", "no field"),
        ({"scope": "runs", "q": "name = 'nobody'"}, "q", "There is no run in it"),
        ({"scope": "runs", "experiment": ["99999999"]}, "experiment", "Select a valid choice"),
        ({"scope": "run"}, "run", "Say which run"),
        ({"scope": "run", "run": "XX-99"}, "run", "was found"),
        ({"scope": "version", "version": "no such model v3"}, "version", "was found"),
        ({"scope": "version", "version": "three"}, "version", "names no version"),
        ({"moment": "then", "at": ""}, "at", "Say which day and time"),
        ({"moment": "then", "at": "yesterday"}, "at", "is no time"),
        ({"moment": "then", "at": "2099-01-01T00:00"}, "at", "future"),
        ({"moment": "then", "at": "2001-01-01T00:00"}, "at", "no signed head yet"),
        ({"title": "x" * 201}, "title", "at most 200"),
        ({"reason": "x" * 4001}, "reason", "at most 4000"),
        ({"formats": []}, "formats", "This field is required"),
        ({"formats": ["docx"]}, "formats", "Select a valid choice"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(team, run, given, field, words):
    answer = page_of(team.auditor).post(
        f"{home(team)}new/",
        {"kind": "compliance", "scope": "project", "title": "Mine", "reason": "Because & so", **ALL_FILES, **given},
    )
    assert answer.status_code == 200
    text = text_of(answer)
    assert words in text
    assert f'href="#id_{field}"' in text
    assert given.get("reason", "Because &amp; so") in text
    assert not Report.objects.exists()


def test_a_kind_that_has_one_scope_needs_none_and_a_title_is_made_of_what_it_is(team, run):
    page = page_of(team.manager)
    page.post(f"{home(team)}new/", {"kind": "access", **ALL_FILES})
    page.post(f"{home(team)}new/", {"kind": "compliance", "scope": "run", "run": run.readable_id, **ALL_FILES})
    access, one = Report.objects.order_by("requested_at")
    assert (access.scope, access.title) == ("project", f"Access review, {now():%B %Y}")
    assert (one.subject, one.title) == (run.uid.hex, f"Compliance report, {run.readable_id}")


def test_a_version_is_named_as_people_name_it(team, run):
    version = a_version(team.scientist, a_registered_model(team.scientist, team.project))
    in_order()
    named = f"{version.model.name} v{version.number}"
    page_of(team.engineer).post(
        f"{home(team)}new/", {"kind": "model_card", "scope": "version", "version": named, **ALL_FILES}
    )
    report = Report.objects.get()
    assert report.subject == str(version.pk)
    # Asking again fills the form with the name, not with a number of the database.
    text = text_of(page_of(team.engineer).get(with_pairs(f"{home(team)}new/", pairs_of(report))))
    assert f'value="{named}"' in text


def test_an_extract_of_the_log_keeps_its_filter(team, run):
    page = page_of(team.auditor)
    text = text_of(page.get(f"/p/{team.project.slug}/log/?action=experiments.create_run&from=2020-01-01"))
    link = re.search(r'href="([^"]*/reports/new/[^"]*)"', text)
    assert link is not None
    form = text_of(page.get(link.group(1).replace("&amp;", "&")))
    assert '<option value="experiments.create_run" selected>' in form
    assert 'name="log_from" value="2020-01-01"' in form
    given = {"kind": "trail", "scope": "project", "log_action": "experiments.create_run", "log_from": "2020-01-01"}
    page.post(f"{home(team)}new/", {**given, **ALL_FILES})
    question = Report.objects.get().question
    assert (question["action"], question["from"]) == ("experiments.create_run", "2020-01-01")
    wrong = text_of(page.post(f"{home(team)}new/", {**given, **ALL_FILES, "log_from": "someday"}))
    assert "&#x27;someday&#x27; is no day" in wrong
    assert 'value="someday"' in wrong


def test_without_scripts_the_form_says_what_it_would_be_and_asks_for_nothing(team, run):
    given = {"kind": "compliance", "scope": "runs", "q": "lr", "check": "1", **ALL_FILES}
    text = text_of(page_of(team.auditor).post(f"{home(team)}new/", given))
    assert "No run matches" in text
    assert not Report.objects.exists()


def test_the_form_says_while_one_types_how_many_runs_and_which_head(team, run):
    page, url = page_of(team.auditor), f"{home(team)}new/facts/"
    assert "1 run</b> matches" in text_of(page.get(f"{url}?kind=compliance&scope=project"))
    assert "no field" in text_of(page.get(f"{url}?kind=compliance&scope=runs&q=bogus+%3D"))
    assert "</b> match" not in text_of(page.get(f"{url}?kind=access"))
    then = text_of(page.get(f"{url}?kind=compliance&moment=then&at={now():%Y-%m-%dT%H:%M:%S.%f}"))
    assert "It speaks of" in then
    assert "no signed head yet" in text_of(page.get(f"{url}?kind=trail&moment=then&at=2001-01-01T00:00"))
    for odd in ("experiment=99999999999999999999", "moment=then&at=%E2%82%AC", "kind=x&scope=y", "moment=then&at="):
        assert page.get(f"{url}?scope=runs&{odd}").status_code == 200


# --- Who may


def test_scientists_ask_about_their_own_runs_and_see_their_own_reports(team, run):
    others = a_run(team.engineer, status=RunStatus.FINISHED)
    in_order()
    asked(team.auditor, team.project, title="Of the auditor")
    page = page_of(team.scientist)
    form = text_of(page.get(f"{home(team)}new/?scope=runs&kind=compliance"))
    assert "Not all of them are yours" in form
    assert 'value="trail"' not in form
    mine = {"kind": "compliance", "scope": "run", "title": "Of mine", **ALL_FILES}
    assert page.post(f"{home(team)}new/", {**mine, "run": others.readable_id}).status_code == 403
    assert page.post(f"{home(team)}new/", {**mine, "run": run.readable_id}).status_code == 302
    text = text_of(page.get(home(team)))
    assert "Of mine" in text
    assert "Of the auditor" not in text
    foreign = Report.objects.get(title="Of the auditor")
    assert page.get(f"{home(team)}{foreign.pk}/").status_code == 404
    assert page.post(f"{home(team)}{foreign.pk}/do/stop/").status_code == 404


def test_outsiders_find_nothing_and_administrators_are_refused(team, run):
    report = asked(team.auditor, team.project)
    paths = ["", "new/", "new/facts/", "being-made/?since=1", f"{report.pk}/", f"{report.pk}/state/"]
    outsider, admin = page_of(a_person()), page_of(an_administrator())
    for path in paths:
        assert outsider.get(f"{home(team)}{path}").status_code == 404, path
        assert Client().get(f"{home(team)}{path}").status_code == 302, path
    assert admin.get(home(team)).status_code == 403
    assert admin.get(f"{home(team)}{report.pk}/").status_code == 404
    assert outsider.post(f"{home(team)}new/", {"kind": "access", **ALL_FILES}).status_code == 404
    assert "/reports/" not in text_of(admin.get(f"/p/{team.project.slug}/"))


# --- What is being made


def test_what_waits_says_for_what_and_is_stopped_once(team, run):
    report = asked(team.auditor, team.project)
    page = page_of(team.manager)
    text = text_of(page.get(home(team)))
    assert "No worker makes reports right now." in text
    assert "Waiting for a worker" in text
    assert 'hx-trigger="every 3s"' in text
    sign_of_life()
    text = text_of(page.get(f"{home(team)}being-made/?since=1"))
    assert "Waiting for its turn" in text
    assert "No worker" not in text
    assert "Stopped." in text_of(page.post(f"{home(team)}{report.pk}/do/stop/", {"back": "list"}, follow=True))
    replayed = text_of(page.post(f"{home(team)}{report.pk}/do/stop/", follow=True))
    assert "not being made any more" in replayed
    text = text_of(page.get(home(team)))
    assert "Ask again" in text
    assert 'hx-trigger="every 3s"' not in text


def test_others_do_not_stop_a_report_and_acts_that_are_none_are_not_found(team, run):
    report = asked(team.auditor, team.project)
    assert page_of(team.engineer).post(f"{home(team)}{report.pk}/do/stop/").status_code == 403
    assert page_of(team.auditor).post(f"{home(team)}{report.pk}/do/frame/").status_code == 404
    assert page_of(team.auditor).get(f"{home(team)}{report.pk}/do/stop/").status_code == 405
    assert page_of(team.auditor).get(f"{home(team)}being-made/?since=soon").status_code == 400
    report.refresh_from_db()
    assert report.is_open


def test_what_ends_while_one_looks_is_told_where_it_was(team, run):
    began = int(now().timestamp() * 1000) - 1
    report = asked(team.auditor, team.project)
    cancel_report(team.auditor, report)
    page = page_of(team.auditor)
    assert "Since you opened this page" in text_of(page.get(f"{home(team)}being-made/?since={began}"))
    later = text_of(page.get(f"{home(team)}being-made/?since={int(now().timestamp() * 1000) + 1000}"))
    assert "Every run" not in later


def test_a_project_without_reports_says_what_to_do(team, run):
    text = text_of(page_of(team.auditor).get(home(team)))
    assert "No report yet" in text
    assert f"/p/{team.project.slug}/runs/" in text


# --- One report


def test_a_finished_report_names_everything_gives_its_files_out_and_is_built_again(team, run, client):
    report = built(asked(team.auditor, team.project, reason="Quarterly review"))
    page, url = page_of(team.auditor), f"{home(team)}{report.pk}/"
    text = text_of(page.get(url))
    for said in (report.digest, report.log_root, report.profile_digest, "Quarterly review", "1 run", report.software):
        assert said in text, said
    assert "Nobody has." in text
    before = AuditEvent.objects.filter(verb="compliance.download_report").count()
    taken = page.get(f"{url}files/report.csv")
    assert taken.headers["Content-Disposition"].startswith("attachment; ")
    assert taken.headers["X-Content-Type-Options"] == "nosniff"
    assert run.readable_id in b"".join(taken).decode()
    assert AuditEvent.objects.filter(verb="compliance.download_report").count() == before + 1
    assert page.get(f"{url}files/report.exe").status_code == 404
    assert page_of(a_person()).get(f"{url}files/report.csv").status_code == 404
    assert page_of(team.scientist).get(f"{url}files/report.csv").status_code == 404

    again = page.post(f"{url}do/again/")
    twin = built(Report.objects.get(as_of=report.head_at))
    assert again.headers["Location"] == f"{home(team)}{twin.pk}/"
    assert twin.log_size == report.log_size
    assert "The same digest" in text_of(page.get(url))
    listed = text_of(page.get(home(team)))
    assert f"{report.digest[:4]}…{report.digest[-4:]}" in listed
    assert "/files/report.csv" in listed


def test_files_wait_until_the_log_covers_the_report(team, run):
    report = asked(team.auditor, team.project)
    finished(report)
    page, url = page_of(team.auditor), f"{home(team)}{report.pk}/"
    assert page.get(f"{url}files/report.csv").status_code == 409
    assert "Waiting for the log" in text_of(page.get(f"{url}state/"))
    assert "Waiting for the log" in text_of(page.get(home(team)))
    in_order()
    assert page.get(f"{url}state/").headers["HX-Refresh"] == "true"
    assert page.get(f"{url}files/report.csv").status_code == 200


def test_a_report_that_never_began_has_no_moment_to_be_built_for_again(team, run):
    report = asked(team.auditor, team.project)
    cancel_report(team.auditor, report)
    answer = page_of(team.auditor).post(f"{home(team)}{report.pk}/do/again/", follow=True)
    assert "speaks of no moment" in text_of(answer)
    assert Report.objects.count() == 1


def test_the_verifier_is_given_out_to_whoever_is_signed_in():
    answer = page_of(a_person()).get("/verify/mled_verify.py")
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert b"".join(answer).startswith(b"#!/usr/bin/env python3")
    assert Client().get("/verify/mled_verify.py").status_code == 302


# --- Buttons elsewhere


def links_in(response) -> list[str]:
    return [one.replace("&amp;", "&") for one in re.findall(r'href="([^"]*/reports/new/[^"]*)"', text_of(response))]


def test_every_list_and_page_about_runs_leads_to_a_form_that_is_filled_in(team, run):
    version = a_version(team.scientist, a_registered_model(team.scientist, team.project))
    page, slug = page_of(team.auditor), team.project.slug
    [table] = links_in(page.get(f"/p/{slug}/runs/?q=name+%3D+'gru'&lifecycle=all&sort=-created"))
    assert table.endswith("?kind=compliance&scope=runs&q=name+%3D+%27gru%27&lifecycle=all")
    [of_run] = links_in(page.get(f"/r/{run.uid.hex}/"))
    assert of_run.endswith(f"&scope=run&run={run.readable_id}")
    [of_version] = links_in(page.get(version_url(version)))
    assert "kind=model_card&scope=version" in of_version
    [of_queue] = links_in(page.get(f"/p/{slug}/reviews/?state=flagged"))
    assert "q=verdict+IN+(%27flagged%27)" in of_queue
    for url in (table, of_run, of_version, of_queue):
        assert page.get(url).status_code == 200
    assert "1 run</b> matches now" in text_of(page.get(table))
    assert links_in(page_of(team.scientist).get(f"/r/{run.uid.hex}/")) == [of_run]
    other = a_run(team.engineer, status=RunStatus.FINISHED)
    assert links_in(page_of(team.scientist).get(f"/r/{other.uid.hex}/")) == []


def test_selected_runs_are_asked_for_by_their_ids_and_all_by_the_query(team, run):
    page, url = page_of(team.auditor), f"/p/{team.project.slug}/runs/do/report/"
    to = page.post(url, {"runs": run.readable_id, "table": "q=gru"}).headers["Location"]
    assert f"q=id+IN+(%27{run.readable_id}%27)" in to
    assert "1 run</b> matches now" in text_of(page.get(to))
    assert "q=gru" in page.post(url, {"all": "1", "table": "q=gru"}).headers["Location"]
    nothing = page.post(url, {"runs": "", "table": ""}, follow=True)
    assert "No run is chosen." in text_of(nothing)


def test_the_projects_first_page_shows_its_newest_reports(team, run):
    assert "<h2>Reports</h2>" not in text_of(page_of(team.auditor).get(f"/p/{team.project.slug}/"))
    asked(team.auditor, team.project)
    assert "Every run" in text_of(page_of(team.manager).get(f"/p/{team.project.slug}/"))
    assert "Every run" not in text_of(page_of(team.scientist).get(f"/p/{team.project.slug}/"))


# --- Words


def test_how_long_it_takes_is_said_roughly():
    minute = dt.timedelta(minutes=1)
    assert time_left(61, 96, minute) == "about 34 s"
    assert time_left(95, 96, minute) == "some seconds"
    assert time_left(0, 96, minute) == ""
    assert time_left(96, 96, minute) == ""


def test_progress_reads_as_records_of_records(team, run):
    report = asked(team.auditor, team.project)
    report.state, report.records, report.done = Report.State.RUNNING, 96, 61
    report.lease_until = now() + dt.timedelta(minutes=1)
    made = making_of(report, progress_of(team.auditor, report), at=now(), began=now() - dt.timedelta(minutes=1))
    assert (made.done, made.per_cent, made.label) == ("61 of 96 runs", 63, "Being made")
    assert made.left.startswith("about 3")
    report.done = 96
    made = making_of(report, progress_of(team.auditor, report), at=now(), began=now())
    assert (made.label, made.left) == ("Writing the files", "")


def test_the_list_says_what_each_report_speaks_of(team, run):
    asked(team.auditor, team.project)
    asked(team.auditor, team.project, scope="run", subject=run.uid.hex)
    asked(team.auditor, team.project, scope="runs", question={"query": "name = 'gru'", "lifecycle": "all"})
    asked(team.auditor, team.project, scope="runs", question={"experiments": [run.experiment_id]})
    asked(team.auditor, team.project, scope="runs", question={})
    asked(team.auditor, team.project, kind="trail", question={"action": "experiments.create_run"})
    for report in Report.objects.all():
        cancel_report(team.auditor, report)
    listed = page_of(team.auditor).get(home(team)).content.decode()
    found = re.findall(r'<td class="t2 lo"><span class="v" title="([^"]*)">\1</span></td>', listed)
    assert {html.unescape(one) for one in found if one} >= {
        "the whole project",
        f"gru ({run.readable_id})",
        "name = 'gru', deleted too",
        "1 experiment",
        "all runs",
        "experiments.create_run",
    }


def test_words_of_kinds_and_moments():
    at = dt.datetime(2026, 11, 22, 9, 5, tzinfo=dt.UTC)
    assert counted("access", 1) == "1 person"
    assert counted("trail", 31204) == "31,204 events"
    assert scope_for("access", "runs") == "project"
    assert default_title("trail", "", at) == "Audit-trail extract, November 2026"
    assert short_time(at, this=at) == "22 Nov 09:05"
    assert short_time(at, this=at.replace(year=2027)) == "22 Nov 2026 09:05"
    assert by_format([]) == []
    assert name_and_number("sepsis-risk v3") == name_and_number("sepsis-risk/3") == ("sepsis-risk", "3")
    with pytest.raises(Invalid, match="names no version"):
        name_and_number("v3")
