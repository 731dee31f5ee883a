"""Whose turn it is to read the files of a version, what is kept of it, and what a client says of data outside."""

import datetime as dt
import io
from pathlib import Path

import pytest
from django.conf import settings

from artifacts.actions.versions import add_external_version
from artifacts.models import ArtifactFile, DatasetVersion, VersionProfile
from artifacts.profiling import jobs, running
from artifacts.profiling.jobs import profile_version, waiting_versions
from artifacts.profiling.running import read_version
from artifacts.queries.versions import get_version
from artifacts.tables import table_of
from artifacts.tasks import profile, profile_waiting_versions
from experiments.actions.inputs import DatasetInput, log_inputs
from kernel.clock import now
from tests.factories import a_dataset, a_run, a_team, a_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


# --- Whose turn it is


@pytest.fixture
def waiting(team):
    return a_version(team.scientist, files={"a.csv": b"x\n1\n"})


def state_of(version):
    return VersionProfile.objects.get(version=version)


def test_a_version_is_read_when_it_is_made(team, django_capture_on_commit_callbacks):
    """With tasks inline, the profile is there when the action returns."""
    with django_capture_on_commit_callbacks(execute=True):
        version = a_version(team.scientist, files={"a.csv": b"x\n1\n"})
    assert (state_of(version).state, state_of(version).row_count) == ("done", 1)


def test_a_version_without_tables_wakes_nobody(team, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as woken:
        a_version(team.scientist, files={"a.png": b"x"})
    assert woken == []


def test_the_task_reads_what_waits_and_a_second_message_does_nothing(waiting, monkeypatch):
    profile(waiting.pk.hex)
    done = state_of(waiting)
    assert (done.state, done.row_count, done.attempts, done.lease_until) == ("done", 1, 1, None)
    monkeypatch.setattr(jobs, "read_version", lambda version: pytest.fail("It was read again."))
    profile(waiting.pk.hex)
    assert state_of(waiting).attempts == 1


def test_what_a_worker_holds_is_left_to_it(waiting, monkeypatch):
    VersionProfile.objects.filter(version=waiting).update(state="running", lease_until=now() + jobs.LEASE, attempts=1)
    monkeypatch.setattr(jobs, "read_version", lambda version: pytest.fail("Two read it at once."))
    profile_version(waiting.pk)
    assert state_of(waiting).state == "running"


def test_the_clock_finds_what_was_lost(waiting, team):
    assert list(waiting_versions()) == []  # its message may still come
    earlier = now() - dt.timedelta(minutes=20)
    orphan = a_version(team.scientist, files={"b.csv": b"x\n1\n2\n"})
    VersionProfile.objects.filter(version=orphan).update(state="running", lease_until=earlier, attempts=1)
    assert list(waiting_versions()) == [orphan.pk]
    profile_waiting_versions()
    assert (state_of(orphan).state, state_of(orphan).row_count, state_of(orphan).attempts) == ("done", 2, 2)


def test_one_that_never_ends_is_given_up(waiting):
    VersionProfile.objects.filter(version=waiting).update(
        state="running", lease_until=now() - dt.timedelta(minutes=1), attempts=jobs.ATTEMPTS
    )
    profile_version(waiting.pk)
    assert state_of(waiting).state == "failed"
    assert "never ended" in state_of(waiting).error


def test_a_result_that_comes_after_the_lease_is_thrown_away(waiting, monkeypatch):
    def slow(version):
        """Meanwhile the lease ran out, and another worker has begun and is done."""
        VersionProfile.objects.filter(version=version).update(lease_until=now() - dt.timedelta(seconds=1))
        monkeypatch.setattr(jobs, "read_version", read_version)
        profile_version(version.pk)
        return running.Outcome("failed", "too late")

    monkeypatch.setattr(jobs, "read_version", slow)
    profile_version(waiting.pk)
    assert (state_of(waiting).state, state_of(waiting).row_count, state_of(waiting).attempts) == ("done", 1, 2)


def test_values_that_no_database_keeps_are_kept_as_marks(team):
    lines = b'{"a\\u0000b": "x\\u0000y"}\n{"a\\u0000b": "z"}\n'
    version = a_version(team.scientist, files={"odd.jsonl": lines})
    profile_version(version.pk)
    kept = VersionProfile.objects.get(version=version)
    assert (kept.state, kept.row_count) == ("done", 2)
    (column,) = kept.columns
    assert column["name"] == "a\ufffdb"
    assert ["x\ufffdy", 1] in column["top"]


def test_content_that_is_damaged_is_a_failure_in_words(waiting):
    file = ArtifactFile.objects.get(root=waiting.root)
    (place,) = Path(settings.MLED_BLOBS).rglob(file.blob_id)
    place.unlink()
    profile_version(waiting.pk)
    assert state_of(waiting).state == "failed"
    assert "cannot be given out" in state_of(waiting).error


def test_content_of_a_store_without_files_is_copied_first(waiting, monkeypatch):
    """As on S3: what opens there is no file of this machine."""
    monkeypatch.setattr(running.blobs, "open_file", lambda file: io.BytesIO(b"x\n1\n2\n"))
    profile_version(waiting.pk)
    assert (state_of(waiting).state, state_of(waiting).row_count) == ("done", 2)


# --- What pages get


def test_a_page_reads_the_profile_as_a_table(waiting, team):
    profile_version(waiting.pk)
    table = table_of(get_version(team.manager, waiting.dataset, 1))
    (column,) = table.columns
    assert (table.state, table.row_count, table.is_known) == ("done", 1, True)
    assert (column.name, column.kind, column.mean, column.histogram.counts, column.is_numeric) == (
        "x", "integer", 1.0, (1,), True,
    )  # fmt: skip


def test_for_data_outside_the_table_is_what_the_client_said(team):
    schema = '{"mlflow_colspec": [{"type": "double", "name": "x", "required": true}, {"type": "weird"}, 3]}'
    said = DatasetInput("lake", "d1", "s3", "s3://x", schema=schema, profile='{"num_rows": 150}')
    log_inputs(team.scientist, a_run(team.scientist), inputs=[said])
    table = table_of(DatasetVersion.objects.get(digest="d1"))
    assert (table.state, table.row_count) == ("said", 150)
    assert [(one.name, one.kind) for one in table.columns] == [("x", "number"), ("", "mixed")]


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"mlflow_colspec": 3, "num_rows": "x"}', "[" * 100_000])
def test_whatever_a_client_says_breaks_nothing(team, text):
    said = DatasetInput("lake", "d1", "s3", "s3://x", schema=text, profile=text)
    log_inputs(team.scientist, a_run(team.scientist), inputs=[said])
    table = table_of(DatasetVersion.objects.get(digest="d1"))
    assert (table.state, table.is_known) == ("", False)


def test_data_outside_is_never_opened(team):
    version = add_external_version(
        team.scientist, a_dataset(team.scientist), digest="d", source="https://x.example/a.csv"
    )
    assert not VersionProfile.objects.filter(version=version).exists()
    profile_version(version.pk)
    assert not VersionProfile.objects.filter(version=version).exists()
