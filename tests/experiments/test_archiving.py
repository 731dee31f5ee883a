"""Who archives runs, and where people meet an archive: the clock, the operator's command, REST and the run's page."""

from __future__ import annotations

import hashlib
import re

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from artifacts.storage import blobs
from artifacts.storage.base import StorageFull
from experiments import archiving
from experiments.actions.archives import archive_run
from experiments.metrics.batch import Batch, by_series
from experiments.metrics.segments import append
from experiments.models import MetricArchive, Run
from experiments.queries import archives
from experiments.tasks import ARCHIVED_UP_TO, ARCHIVING, archive_ended_runs
from kernel import clock
from kernel.actor import system
from kernel.errors import Refused
from tests.experiments.test_archives import ended, fresh, wave
from tests.factories import a_run, a_team, a_token, events_since, log_batch, user_of

pytestmark = pytest.mark.django_db
DAY = 86_400


@pytest.fixture
def team(monkeypatch):
    monkeypatch.setattr(archives, "LEAST_POINTS", 10)
    cache.delete_many([ARCHIVING, ARCHIVED_UP_TO])
    return a_team()


def days_on(monkeypatch, days: float) -> None:
    later = clock._now() + days * DAY
    monkeypatch.setattr(clock, "_now", lambda: later)


def archived() -> set[int]:
    return set(MetricArchive.objects.values_list("run_id", flat=True))


def test_the_clock_archives_what_was_left_alone_for_long_enough(team, monkeypatch, settings):
    runs = [ended(team, wave(20)) for _ in range(3)]
    short, going_on = ended(team, wave(9)), a_run(team.scientist)
    log_batch(team.scientist, going_on, batch=late(20))
    assert archive_ended_runs() == 0, "nobody knows yet whether somebody goes on"
    days_on(monkeypatch, 31)
    settings.MLED_ARCHIVE_AFTER_DAYS = 0
    assert archive_ended_runs() == 0, "never"
    settings.MLED_ARCHIVE_AFTER_DAYS = 30
    monkeypatch.setattr(archives, "RUNS_AT_ONCE", 2)
    assert archive_ended_runs() == 3
    assert archived() == {run.pk for run in runs}
    assert short.pk not in archived(), "a file would take more room than it saves"
    assert events_since(archive_ended_runs) == []
    log_batch(team.scientist, fresh(runs[0]), batch=late(30))
    assert archive_ended_runs() == 0
    assert fresh(going_on).sealed_at is None


def late(count: int) -> Batch:
    return Batch(metrics=wave(count, first=1_000))


def test_a_round_that_ran_out_of_time_goes_on_where_it_stopped(team, monkeypatch):
    runs = [ended(team, wave(20)) for _ in range(3)]
    cache.set(ARCHIVED_UP_TO, runs[0].pk - 1, None)
    days_on(monkeypatch, 31)
    monkeypatch.setattr(archives, "RUNS_AT_ONCE", 1)
    monkeypatch.setattr("experiments.tasks.ARCHIVE_SECONDS", -1.0)
    assert [archive_ended_runs() for _ in range(12)].count(1) == 3
    cache.set(ARCHIVING, True, 60)
    ended(team, wave(20))
    assert archive_ended_runs() == 0, "somebody is at it"


def test_the_command_tells_archives_and_may_be_repeated(team, capsys):
    runs = [ended(team, wave(40)) for _ in range(3)]
    other = ended(a_team(), wave(40))
    slug = team.project.slug
    call_command("archive_runs", older_than=0, project=slug, dry_run=True)
    told = capsys.readouterr().out
    assert f"{runs[0].readable_id} {runs[0].name}" in told
    assert "3 runs would be archived." in told
    assert archived() == set()
    call_command("archive_runs", older_than=0, project=slug, limit=2)
    assert "Archived 2 runs" in (out := capsys.readouterr().out)
    assert "80 points" in out
    assert "bytes a point" in out
    call_command("archive_runs", older_than=0, project=slug)
    assert archived() == {run.pk for run in runs}
    call_command("archive_runs", older_than=0)
    assert other.pk in archived()
    call_command("archive_runs", older_than=0)
    assert re.search(r"Archived 0 runs in [\d.]+ s: 0 points in 0\.0 MB\.\n\Z", capsys.readouterr().out)
    with pytest.raises(CommandError, match="nowhere"):
        call_command("archive_runs", project="nowhere")


def test_a_run_that_cannot_be_archived_holds_up_no_other(team, capsys):
    first, second = ended(team, wave(40)), ended(team, wave(40))
    call_command("archive_runs", older_than=0, limit=1)
    blobs().remove(MetricArchive.objects.get(run=first).blob_id)
    log_late(team, first)
    with pytest.raises(SystemExit) as ended_with:
        call_command("archive_runs", older_than=0)
    assert ended_with.value.code == 1
    said = capsys.readouterr()
    assert f"{first.readable_id}: This file cannot be given out" in said.err
    assert "0 were written to meanwhile, 1 could not be archived." in said.out
    assert second.pk in archived()


def log_late(team, run: Run) -> None:
    """Points that came after the run's archive; sealed as it was, since its seal cannot be told."""
    append(run.pk, run.experiment_id, list(by_series(wave(30, first=100))))


def test_a_store_that_is_full_ends_the_round(team, monkeypatch):
    runs = [ended(team, wave(20)) for _ in range(3)]

    def full(run):
        raise StorageFull("The file store is full; nothing was kept.")

    monkeypatch.setattr("experiments.actions.archives.draw_up", full)
    told = list(archiving.archive_each(system(), runs))
    assert [one.error for one in told] == ["The file store is full; nothing was kept."]


def test_only_mled_and_its_operator_archive(team):
    run = ended(team, wave(20))
    with pytest.raises(Refused):
        archive_run(team.manager, fresh(run))
    assert archived() == set()


def test_the_file_is_told_and_given_to_who_may_have_files(team, client):
    run = ended(team, wave(200))
    page, points = f"/r/{run.uid.hex}/history", f"/r/{run.uid.hex}/points.parquet"
    api = f"/api/v1/runs/{run.uid.hex}/metric-archive/"
    token = {"HTTP_AUTHORIZATION": f"Bearer {a_token(team.scientist)[1]}"}
    assert client.get(api, **token).status_code == 404
    assert client.get(f"/api/v1/runs/{run.uid.hex}/", **token).json()["metric_archive"] is None
    call_command("archive_runs", older_than=0)
    archive = MetricArchive.objects.get(run=run)
    told = client.get(api, **token).json()
    assert (told["digest"], told["points"], told["series"], told["layout"]) == (archive.blob_id, 200, 1, 1)
    assert client.get(f"/api/v1/runs/{run.uid.hex}/", **token).json()["metric_archive"] == told
    sent = client.get(f"{api}file/", **token)
    content = b"".join(sent)
    assert hashlib.sha256(content).hexdigest() == archive.blob_id
    part = client.get(f"{api}file/", **token, HTTP_RANGE="bytes=0-3")
    assert (part.status_code, b"".join(part)) == (206, b"PAR1")
    client.force_login(user_of(team.scientist))
    shown = client.get(page, follow=True).content.decode()
    assert "Points archived" in shown
    assert archive.blob_id in shown
    (event,) = events_since(lambda: b"".join(client.get(points)))
    assert event.reason == f"Exported the archived points of the run {run.readable_id} as Parquet"
    stranger = a_team().scientist
    client.force_login(user_of(stranger))
    assert [client.get(address, follow=True).status_code for address in (page, points)] == [404, 404]
