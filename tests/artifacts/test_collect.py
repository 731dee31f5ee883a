"""Clearing away what nothing names, and never anything else."""

import datetime as dt
import os
import threading

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from accounts.roles import Role
from artifacts import collecting
from artifacts.actions.content import collect_blobs, mark_unnamed_blobs
from artifacts.actions.uploads import append_upload, begin_upload, drop_upload, finish_upload
from artifacts.blobs import know
from artifacts.models import ArtifactFile, Blob, UnnamedBlob
from artifacts.queries.content import content_health
from artifacts.storage import StoredBlob, blobs
from artifacts.tasks import collect_content
from audit.ledger.acting import acting
from audit.ledger.models import AuditEvent
from experiments.actions.files import delete_files, put_file
from kernel import clock
from kernel.actor import operator, system
from kernel.errors import Refused, Unavailable
from tests import world
from tests.factories import an_administrator, events_since
from tests.together import together


@pytest.fixture
def later(monkeypatch):
    """Let so many hours pass."""
    passed = dt.timedelta()

    def pass_by(hours):
        nonlocal passed
        passed += dt.timedelta(hours=hours)
        moment = (dt.datetime.now(dt.UTC) + passed).timestamp()
        monkeypatch.setattr(clock, "_now", lambda: moment)

    return pass_by


def lies_in_store(blob):
    return blobs().has(blob)


def has_row(blob):
    return Blob.objects.filter(pk=blob.digest).exists()


def placed(actor, run, path="a.bin", content=None):
    stored = world.stored(content or os.urandom(50))
    put_file(actor, run, path=path, stored=stored)
    return stored


def test_content_whose_last_file_is_gone_goes_after_the_grace_and_not_before(ada, run, later):
    stored = placed(ada, run)
    delete_files(ada, run, path="a.bin")
    collect_content.apply()
    later(24 * 7 - 1)
    collect_content.apply()
    assert lies_in_store(stored)
    later(2)
    (event,) = events_since(collect_content.apply)
    assert (event.verb, event.event.actor_kind) == ("artifacts.collect_blobs", "system")
    assert f"sha256:{stored.digest} (50 bytes)" in event.reason
    assert not lies_in_store(stored)
    assert not has_row(stored)
    assert not UnnamedBlob.objects.filter(pk=stored.digest).exists()


def test_content_that_has_a_name_stays_for_ever(ada, run, later):
    kept, shared = placed(ada, run), placed(ada, run, "b.bin", b"shared")
    placed(ada, run, "c.bin", b"shared")
    delete_files(ada, run, path="b.bin")
    for _ in range(3):
        collect_content.apply()
        later(24 * 30)
    assert lies_in_store(kept)
    assert lies_in_store(shared)


def test_content_that_got_a_name_again_within_the_grace_stays(ada, run, later):
    stored = placed(ada, run)
    delete_files(ada, run, path="a.bin")
    collect_content.apply()
    later(24)
    put_file(ada, run, path="again.bin", stored=stored)
    later(24 * 30)
    collect_content.apply()
    assert lies_in_store(stored)
    delete_files(ada, run, path="again.bin")
    collect_content.apply()
    assert lies_in_store(stored), "the grace begins anew"


def test_bytes_that_no_row_ever_spoke_of_go_as_well(db, later):
    stored = world.stored(os.urandom(60))
    collect_content.apply()
    assert not has_row(stored), "an upload may be on its way to its name"
    later(24 * 7 + 1)
    collect_content.apply()
    assert lies_in_store(stored)
    later(24 * 7 + 1)
    collect_content.apply()
    assert not lies_in_store(stored)
    assert not has_row(stored)


def test_a_finished_upload_keeps_its_content(ada, vision, later):
    import io

    upload = begin_upload(ada, vision, size_bytes=6)
    append_upload(ada, upload, offset=0, incoming=io.BytesIO(b"upload"))
    stored = StoredBlob(finish_upload(ada, upload).digest, 6)
    for _ in range(3):
        collect_content.apply()
        later(24 * 8)
    assert lies_in_store(stored)
    drop_upload(ada, upload)
    for _ in range(2):
        collect_content.apply()
        later(24 * 8)
    assert not lies_in_store(stored)


def test_no_grace_is_shorter_than_a_transaction(settings):
    settings.MLED_BLOBS_GRACE_HOURS = 0
    assert collecting.grace() >= dt.timedelta(hours=1)


def test_every_table_that_points_to_content_keeps_it(db):
    from django.apps import apps
    from django.db.models import ForeignKey

    pointing = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is Blob
    }
    asked = str(collecting.unnamed_blobs().query)
    about_it = {"artifacts_blobcheck", "artifacts_unnamedblob"}
    assert {table for table in pointing if f'"{table}"' in asked} == pointing - about_it
    assert pointing >= {"artifacts_artifactfile", "artifacts_upload"}


def test_only_who_looks_after_the_installation_clears_away(ada, mia):
    for person in (ada, mia):
        for act in (mark_unnamed_blobs, collect_blobs, content_health):
            with pytest.raises(Refused):
                act(person)
    assert collect_blobs(an_administrator()) == []


def test_clearing_nothing_away_leaves_no_event(ada, run):
    placed(ada, run)
    before = AuditEvent.objects.count()
    collect_content.apply()
    assert AuditEvent.objects.count() == before


def test_the_command_says_what_it_took_away(ada, run, later, capsys):
    stored = placed(ada, run)
    delete_files(ada, run, path="a.bin")
    call_command("collect_blobs")
    assert "Took away 0 blobs" in capsys.readouterr().out
    later(24 * 8)
    call_command("collect_blobs")
    assert "Took away 1 blobs" in capsys.readouterr().out
    assert not lies_in_store(stored)


# --- At the same moment


def unnamed_content(content=None):
    """Content that was marked long ago."""
    stored = world.stored(content or os.urandom(80))
    with acting(system(), "test.unnamed"):
        know(stored)
        UnnamedBlob(blob_id=stored.digest, since=clock.now() - dt.timedelta(days=30)).save()
    return stored


def test_a_name_that_is_being_given_wins_over_clearing_away(committed_db):
    """Whoever names the blob removes its mark first; the collector passes over it, or waits and finds it gone."""
    stored = unnamed_content()
    vision = world.project("vision")
    ada = world.at(world.person("ada", Role.DATA_SCIENTIST, vision))
    run = world.run(ada, world.default_experiment(vision))
    named, may_commit = threading.Event(), threading.Event()

    def naming():
        with transaction.atomic():
            put_file(ada, run, path="a.bin", stored=stored)
            named.set()
            assert may_commit.wait(20)

    def clearing():
        assert named.wait(20)
        if connection.vendor == "sqlite":  # writers take turns there: it waits until the name is committed
            may_commit.set()
        gone = collect_blobs(operator())
        may_commit.set()
        return gone

    outcomes = together(naming, clearing)
    assert [one.error for one in outcomes] == [None, None]
    assert outcomes[1].value == []
    assert lies_in_store(stored)
    assert ArtifactFile.objects.get(path="a.bin").blob_id == stored.digest


def test_a_name_that_comes_too_late_is_refused_and_sending_again_is_right(committed_db):
    stored = unnamed_content(b"sent long ago")
    vision = world.project("vision")
    ada = world.at(world.person("ada", Role.DATA_SCIENTIST, vision))
    run = world.run(ada, world.default_experiment(vision))
    assert collect_blobs(operator()) == [stored]
    with pytest.raises(Unavailable, match="cleared away"):
        put_file(ada, run, path="a.bin", stored=stored)
    assert not ArtifactFile.objects.exists()
    assert not has_row(stored)
    put_file(ada, run, path="a.bin", stored=world.stored(b"sent long ago"))
    assert lies_in_store(stored)


def test_senders_of_the_same_content_and_the_collector_at_once_lose_nothing(committed_db):
    vision = world.project("vision")
    ada = world.person("ada", Role.DATA_SCIENTIST, vision)
    runs = [world.run(world.at(ada), world.default_experiment(vision)) for _ in range(3)]
    for turn in range(8):
        content = f"content {turn}".encode() * 50
        stored = unnamed_content(content)

        def sending(run, content=content, turn=turn):
            for _ in range(50):
                try:
                    return put_file(world.at(ada), run, path=f"{turn}.bin", stored=world.stored(content))
                except Unavailable:
                    continue
            raise AssertionError("never got through")

        def clearing():
            for _ in range(3):
                collect_blobs(operator())

        outcomes = together(*[lambda run=run: sending(run) for run in runs], clearing, clearing)
        assert [one.error for one in outcomes if one.error] == []
        assert lies_in_store(stored)
        assert has_row(stored)
        assert ArtifactFile.objects.filter(blob_id=stored.digest).count() == 3
