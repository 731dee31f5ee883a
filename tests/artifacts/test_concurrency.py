"""Several senders at once, each with its own connection."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from django.db import connections

from accounts.roles import Role
from artifacts.models import ArtifactFile, ArtifactRoot, Blob
from audit.ledger.models import AuditEvent
from experiments.actions.batches import log_batch
from experiments.actions.files import delete_files, put_file
from experiments.actions.runs import update_run
from experiments.actions.seals import seal_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.models import Run
from experiments.values import RunStatus
from kernel.actor import system
from kernel.errors import Conflict, NotFound
from tests import world


def at_once(*jobs):
    def do(job):
        try:
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [done.result() for done in [pool.submit(do, job) for job in jobs]]


def make_runs(count):
    project = world.project("vision")
    user = world.person("ada", Role.DATA_SCIENTIST, project)
    experiment = world.default_experiment(project)
    return user, [world.run(world.at(user), experiment) for _ in range(count)]


def test_the_same_content_sent_to_many_runs_at_once_is_one_blob(committed_db):
    user, runs = make_runs(4)
    content = world.stored(b"the same weights")
    at_once(*(lambda run=run: put_file(world.at(user), run, path="model.bin", stored=content) for run in runs))
    assert Blob.objects.count() == 1
    assert ArtifactFile.objects.count() == 4


def test_many_files_of_one_run_at_once_share_its_root(committed_db):
    user, (run,) = make_runs(1)
    contents = [world.stored(str(number).encode()) for number in range(6)]
    stale = [Run.objects.get(pk=run.pk) for _ in contents]
    at_once(
        *(
            lambda one=one, n=n: put_file(world.at(user), one, path=f"f{n}", stored=contents[n])
            for n, one in enumerate(stale)
        )
    )
    assert ArtifactRoot.objects.count() == 1
    assert ArtifactFile.objects.count() == 6
    assert AuditEvent.objects.filter(verb="experiments.put_file").count() == 6


def test_a_file_and_a_folder_never_come_to_share_a_path(committed_db):
    user, (run,) = make_runs(1)
    one, two = world.stored(b"1"), world.stored(b"2")

    def put(path, content):
        with suppress(Conflict):
            put_file(world.at(user), Run.objects.get(pk=run.pk), path=path, stored=content)

    for turn in range(5):
        at_once(lambda t=turn: put(f"{t}/x", one), lambda t=turn: put(f"{t}", two), lambda t=turn: put(f"{t}/y", two))
        paths = set(ArtifactFile.objects.filter(path__startswith=str(turn)).values_list("path", flat=True))
        assert (str(turn) in paths) != (bool(paths - {str(turn)})), paths


def test_putting_and_deleting_at_once_leaves_one_of_both(committed_db):
    user, (run,) = make_runs(1)
    content = world.stored(b"again")

    def delete():
        with suppress(NotFound):
            delete_files(world.at(user), Run.objects.get(pk=run.pk), path="a")

    for _ in range(5):
        at_once(lambda: put_file(world.at(user), Run.objects.get(pk=run.pk), path="a", stored=content), delete, delete)
        assert ArtifactFile.objects.count() in (0, 1)


def test_many_writers_that_meet_a_fresh_seal_reopen_the_run_once(committed_db):
    """They have all read the run before it was sealed."""
    user, (run,) = make_runs(1)
    for turn in range(6):
        update_run(world.at(user), run, status=RunStatus.FINISHED, ended_ms=turn)
        stale = [Run.objects.get(pk=run.pk) for _ in range(6)]
        for one in stale:
            one.sealed_at, one.seal = None, ""
            one.remember()
        seal_run(system(), run)
        at_once(*(partial(log_batch, world.at(user), one, batch=point(turn, n)) for n, one in enumerate(stale)))
        run.refresh_from_db()
        assert run.sealed_at is None
    assert AuditEvent.objects.filter(verb="experiments.log_batch").count() == 6


def point(turn, number):
    return Batch([MetricPoint("loss", float(number), turn, number)])
