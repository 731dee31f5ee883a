"""Exports end: when their time is over, and where what they hold was purged, forgotten or erased."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db.models import QuerySet
from django.test import Client

from accounts.actions.erasing import erase_payloads
from accounts.actions.forgetting import forget
from accounts.templatetags.mled import on_date
from artifacts.collecting import unnamed_blobs
from artifacts.models import Blob
from audit.compliance.actions.purges import ask_purge, carry_out_purge
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.runs import update_run
from experiments.models import Run
from experiments.values import RunStatus
from kernel import clock
from kernel.actor import system
from kernel.errors import NotFound, Refused
from tests.factories import a_file, a_run, a_team, an_experiment, events, events_since, user_of
from tests.keeping import a_team_that_keeps_shortly, two_years_on
from tests.ledger.conftest import data  # noqa: F401 - keys and anchors of a test's own
from tests.transfer.moving import content, exported, imported
from transfer import ending, leasing
from transfer.actions.ending import end_export
from transfer.actions.transfers import NotOurs, begin, finish_transfer
from transfer.models import Transfer, TransferFile
from transfer.queries.transfers import files_of, get_transfer_file, standing_of
from transfer.tasks import end_exports

pytestmark = pytest.mark.django_db
BASIS = "GDPR 17(1)(b)"


@pytest.fixture
def team():
    return a_team_that_keeps_shortly()


@pytest.fixture
def later(monkeypatch):
    two_years_on(monkeypatch)


def the(transfer: Transfer) -> Transfer:
    return Transfer.objects.select_related("project", "requested_by").get(pk=transfer.pk)


def made_days_ago(transfer: Transfer, days: float) -> Transfer:
    at = transfer.finished_at - dt.timedelta(days=days)
    QuerySet(Transfer).filter(pk=transfer.pk).update(finished_at=at)
    return the(transfer)


def an_ended_run(team, experiment=None, name="old one") -> Run:
    run = a_run(team.scientist, experiment or an_experiment(team.scientist), name=name)
    a_file(team.scientist, run, "console.txt", name.encode())
    return update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=1_700_000_060_000)


def purge(team, *runs: Run) -> None:
    asked = ask_purge(team.manager, team.project, runs=runs, reason="The study is over.")
    carry_out_purge(team.administrator, asked, reason="Retention ran out.")


def is_fetchable(actor, transfer: Transfer, name: str) -> bool:
    client = Client()
    client.force_login(user_of(actor), backend="accounts.backends.EmailBackend")
    page = client.get(f"/p/{transfer.project.slug}/transfers/{transfer.pk}/files/{name}")
    rest = client.get(f"/api/v1/transfers/{transfer.pk}/files/{name}")
    assert {page.status_code, rest.status_code} in ({200}, {404}), (page.status_code, rest.status_code)
    return page.status_code == 200


def test_an_export_ends_after_its_days_with_an_event_and_tells_until_when(team, settings):
    settings.MLED_EXPORTS_DAYS = 7
    an_ended_run(team)
    young, old = exported(team.manager, team.project), exported(team.manager, team.project, with_files=False)
    name = files_of(team.manager, young)[0].name
    old = made_days_ago(old, 7.01)
    assert end_exports() == 1
    assert end_exports() == 0
    (kept,) = events(verb="transfer.end_export")
    assert {change["type"] for change in kept.changes} == {"transfer.transfer", "transfer.transferfile"}
    assert is_fetchable(team.manager, young, name)
    assert not is_fetchable(team.manager, old, name)
    assert not TransferFile.objects.filter(transfer=old).exists()
    client = Client()
    client.force_login(user_of(team.manager), backend="accounts.backends.EmailBackend")
    until = young.finished_at + dt.timedelta(days=7)
    page = client.get(f"/p/{team.project.slug}/transfers/{young.pk}/").content.decode()
    assert f"Here until {on_date(until)}, or" in page
    told = client.get(f"/api/v1/transfers/{young.pk}/").json()
    assert (told["kept_until"][:16], told["removed_at"]) == (f"{until:%Y-%m-%dT%H:%M}", None)
    page = client.get(f"/p/{team.project.slug}/transfers/{old.pk}/").content.decode()
    assert "The files of this export are gone. Its time ran out." in page
    told = client.get(f"/api/v1/transfers/{old.pk}/").json()
    assert (told["kept_until"], told["files"], told["removed_why"]) == (None, [], "Its time ran out")


def test_what_ran_out_is_not_given_out_though_nobody_has_cleared_it_away_yet(team, settings):
    settings.MLED_EXPORTS_DAYS = 7
    done = made_days_ago(exported(team.manager, team.project), 8)
    assert TransferFile.objects.filter(transfer=done).exists()
    assert files_of(team.manager, done) == []
    with pytest.raises(NotFound, match="files of this export are gone"):
        get_transfer_file(team.manager, done, TransferFile.objects.get(transfer=done).name)
    assert "its time ran out" in standing_of(team.manager, done).words


def test_a_clock_that_is_wrong_on_one_machine_ends_nothing(team, settings, monkeypatch):
    """The worker's clock jumps a year; the database's does not."""
    settings.MLED_EXPORTS_DAYS = 7
    exported(team.manager, team.project)
    real = clock._now
    monkeypatch.setattr(clock, "_now", lambda: real() + 365 * 86_400)
    assert end_exports() == 0


def test_with_no_days_exports_stay(team, settings):
    settings.MLED_EXPORTS_DAYS = 0
    done = made_days_ago(exported(team.manager, team.project), 4000)
    assert end_exports() == 0
    assert files_of(team.manager, done)


def test_nobody_ends_an_export_by_hand_and_none_that_is_open_ends(team):
    opened = begin(team.manager, team.project, kind="export")
    with pytest.raises(Refused):
        end_export(team.manager, opened)
    assert end_export(system(), opened).removed_at is None


def test_what_an_import_came_from_goes_alike_and_is_not_imported_again(team, settings):
    settings.MLED_EXPORTS_DAYS = 7
    an_ended_run(team)
    archive = content(exported(team.manager, team.project))
    there = a_team()
    checked = imported(there.scientist, there.project, archive, dry_run=True)
    checked = made_days_ago(checked, 8)
    assert end_exports() == 1
    assert the(checked).blob is None
    client = Client()
    client.force_login(user_of(there.scientist), backend="accounts.backends.EmailBackend")
    page = client.get(f"/p/{there.project.slug}/transfers/{checked.pk}/")
    assert page.status_code == 200
    assert "Import it now" not in page.content.decode()


def test_a_purge_ends_the_exports_that_may_hold_the_run_and_no_others(team, later):
    vision, language = an_experiment(team.scientist), an_experiment(team.scientist)
    earlier = exported(team.manager, team.project)
    run = an_ended_run(team, vision)
    whole = exported(team.manager, team.project)
    own = exported(team.manager, team.project, experiments=[vision.pk])
    other = exported(team.manager, team.project, experiments=[language.pk])
    elsewhere = a_team()
    an_ended_run(elsewhere)
    foreign = exported(elsewhere.manager, elsewhere.project)
    names = {one.pk: TransferFile.objects.get(transfer=one).name for one in (whole, own, other, earlier, foreign)}
    blob = Blob.objects.get(pk=TransferFile.objects.get(transfer=whole).blob_id)
    (kept,) = (one for one in events_since(lambda: purge(team, run)) if one.verb.endswith("carry_out_purge"))
    assert {"transfer.transfer", "transfer.transferfile"} <= {change["type"] for change in kept.changes}
    for gone in (whole, own):
        assert not is_fetchable(team.manager, the(gone), names[gone.pk])
        assert the(gone).removed_why == ending.RUN_PURGED
    for stays, who in ((other, team), (earlier, team), (foreign, elsewhere)):
        assert is_fetchable(who.manager, the(stays), names[stays.pk])
    assert blob in unnamed_blobs()
    Sequencer().run_until_empty()
    assert verify_ledger().is_sound


def test_a_purge_gives_up_an_export_that_may_have_read_the_run_already(team, later):
    run = an_ended_run(team)
    under_way = begin(team.manager, team.project, kind="export")
    taken = leasing.take(under_way.pk)
    assert taken is not None
    purge(team, run)
    assert (the(under_way).state, the(under_way).failure) == (
        "failed",
        "A run that it may hold was purged: what was gathered so far may hold it. Begin the export again.",
    )
    under_way.lease = taken[0]
    with pytest.raises(NotOurs):
        finish_transfer(system(), under_way, counts={})


def test_a_purge_lets_go_of_the_archive_that_the_run_was_brought_in_from(team, later):
    an_ended_run(team, name="from afar")
    archive = content(exported(team.manager, team.project))
    there = a_team_that_keeps_shortly()
    brought = imported(there.scientist, there.project, archive)
    assert brought.state == "done", brought.failure
    run = Run.objects.get(project=there.project, name="from afar")
    assert brought.blob_id
    purge(there, run)
    assert (the(brought).blob_id, the(brought).removed_why) == (None, ending.RUN_PURGED)


def test_forgetting_a_person_ends_exports_of_the_projects_where_they_were(team):
    an_ended_run(team)
    here = exported(team.manager, team.project)
    elsewhere = a_team()
    foreign = exported(elsewhere.manager, elsewhere.project)
    gone = user_of(team.scientist)
    told = events_since(lambda: forget(team.administrator, user=gone, basis=BASIS))
    (kept,) = (one for one in told if one.verb == "transfer.end_exports_of")
    assert (kept.event.actor_id, kept.event.project_id, kept.reason) == (
        team.administrator.user_id, team.project.pk, BASIS,
    )  # fmt: skip
    assert the(here).removed_why == ending.PERSON_FORGOTTEN
    assert files_of(team.manager, the(here)) == []
    assert files_of(elsewhere.manager, the(foreign))
    Sequencer().run_until_empty()
    assert verify_ledger().is_sound


def test_erasing_what_the_log_says_ends_the_exports_that_hold_the_log(team):
    run = an_ended_run(team)
    with_log, without = exported(team.manager, team.project, with_log=True), exported(team.manager, team.project)
    assert with_log.state == "done", with_log.failure
    event = events(project_id=team.project.pk, subject_id=run.ledger_id)[-1].event
    erase_payloads(team.administrator, events=[event.id], reason=BASIS)
    assert the(with_log).removed_why == ending.LOG_ERASED
    assert files_of(team.manager, the(without))
