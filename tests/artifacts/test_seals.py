"""Seals: given when a run has ended, cleared by the next write, and proof against a change of the points in SQL."""

import datetime as dt
import math

import pytest
from django.db import connection

from audit.ledger.evidence import checks
from audit.ledger.models import AuditEvent, AuditPayload
from audit.ledger.verify import verify_ledger
from experiments import tasks
from experiments.actions.batches import log_batch
from experiments.actions.runs import lock_run, set_tags, update_run
from experiments.actions.seals import seal_run
from experiments.metrics.batch import Batch, MetricPoint
from experiments.metrics.seal import seal_of
from experiments.models import MetricSegment
from experiments.queries.seals import broken_seals, runs_to_seal
from experiments.values import RunStatus
from kernel import clock
from kernel.actor import system
from kernel.errors import Locked, NotFound, Refused


@pytest.fixture
def trained(ada, run, put):
    """A run with a bit of everything, still running."""
    points = [MetricPoint("loss", 1 / (step + 1), 1000 + step, step) for step in range(50)]
    odd = [MetricPoint("odd", value, 5, 0) for value in (math.nan, math.inf, -math.inf, -0.0, 0.0)]
    log_batch(ada, run, batch=Batch(points + odd, params=[("lr", "0.1")], tags=[("note", "ünïcode")]))
    put("model.bin", "weights")
    return run


@pytest.fixture
def sealed(ada, trained):
    update_run(ada, trained, status=RunStatus.FINISHED, ended_ms=9)
    seal_run(system(), trained)
    return trained


def fresh(run):
    return type(run).objects.get(pk=run.pk)


def broken():
    return [problem.what for problem in broken_seals()]


def test_ending_a_run_seals_it(ada, trained, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        update_run(ada, trained, status=RunStatus.FINISHED, ended_ms=9)
    run = fresh(trained)
    assert run.sealed_at is not None
    assert run.seal == seal_of(run)
    event = AuditEvent.objects.get(verb="experiments.seal_run")
    assert (event.actor_kind, event.subject_id) == ("system", run.uid.hex)
    assert run.seal in AuditPayload.objects.get(event_id=event.id).body


def test_ending_a_run_does_not_fail_where_the_broker_is_away(ada, trained, monkeypatch, caplog):
    from kombu.exceptions import OperationalError

    def away(*_):
        raise OperationalError("no broker")

    asked = []
    monkeypatch.setattr(tasks.seal, "delay", lambda uid: asked.append(uid) or away())
    monkeypatch.setattr(tasks, "_away_until", 0.0)
    tasks.queue_seal(trained.uid)
    assert "waits for the next round" in caplog.text
    tasks.queue_seal(trained.uid)
    assert asked == [trained.uid.hex]  # a broker that is away is not asked at once again


def test_a_running_run_is_not_sealed(trained):
    seal_run(system(), trained)
    assert fresh(trained).sealed_at is None


def test_sealing_twice_is_no_news(sealed):
    before = AuditEvent.objects.count()
    seal_run(system(), sealed)
    assert AuditEvent.objects.count() == before


def test_only_those_who_may_lock_may_seal(eve, mia, trained):
    with pytest.raises(NotFound):
        seal_run(eve, trained)
    with pytest.raises(Refused):
        seal_run(world_bob(trained), trained)


def world_bob(run):
    from accounts.roles import Role
    from tests import world

    return world.at(world.person("bob", Role.DATA_SCIENTIST, run.project))


@pytest.mark.parametrize(
    "write",
    [
        lambda ada, run, put: log_batch(ada, run, batch=Batch([MetricPoint("loss", 0.5, 2000, 50)])),
        lambda ada, run, put: log_batch(ada, run, batch=Batch(params=[("new", "1")])),
        lambda ada, run, put: set_tags(ada, run, tags={"note": "other"}),
        lambda ada, run, put: put("more.txt", into=run),
    ],
    ids=["point", "param", "tag", "file"],
)
def test_the_first_write_after_the_end_clears_the_seal_and_it_comes_again(ada, sealed, put, write):
    first = fresh(sealed).seal
    write(ada, sealed, put)
    assert (fresh(sealed).seal, fresh(sealed).sealed_at) == ("", None)
    assert broken() == []
    seal_run(system(), sealed)
    assert fresh(sealed).seal not in ("", first)


def test_a_replayed_point_leaves_the_digest_as_it_was(ada, sealed):
    first = fresh(sealed).seal
    log_batch(ada, sealed, batch=Batch([MetricPoint("loss", 1.0, 1000, 0)]))
    seal_run(system(), sealed)
    assert fresh(sealed).seal == first


def test_the_seal_does_not_know_how_points_came(ada, vision, run):
    from tests import world

    other = world.run(ada, run.experiment)
    points = [MetricPoint("loss", float(step), step, step) for step in range(20)]
    for run_of, batches in ((run, [points]), (other, [points[15:], points[:5], points[3:17]])):
        for batch in batches:
            log_batch(ada, run_of, batch=Batch(batch))
    arrays = {tuple(row) for row in digest_rows(run)} ^ {tuple(row) for row in digest_rows(other)}
    assert arrays == set()


def digest_rows(run):
    from experiments.metrics.seal import _series

    return _series([run])[run.pk]


def test_a_locked_run_is_sealed_too(ada, trained):
    update_run(ada, trained, status=RunStatus.FINISHED, ended_ms=9)
    lock_run(ada, trained)
    seal_run(system(), fresh(trained))
    assert fresh(trained).sealed_at is not None
    with pytest.raises(Locked):
        log_batch(ada, fresh(trained), batch=Batch([MetricPoint("loss", 0.5, 2000, 50)]))


def test_runs_left_alone_are_sealed_by_the_clock(ada, trained, monkeypatch):
    update_run(ada, trained, status=RunStatus.FINISHED, ended_ms=9)
    assert list(runs_to_seal(system())) == [], "somebody wrote a moment ago"
    later = clock._now() + 600
    monkeypatch.setattr(clock, "_now", lambda: later)
    tasks.seal_idle_runs.apply()
    assert fresh(trained).sealed_at == dt.datetime.fromtimestamp(later, tz=dt.UTC)
    assert list(runs_to_seal(system())) == []


def in_sql(statement, *values):
    """As the owner of the database, who can switch its triggers off."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute(statement, values or None)
        assert cursor.rowcount == 1


def change_a_point(run):
    segment = MetricSegment.objects.filter(series__run=run, series__key="loss").first()
    values = bytearray(segment.values)
    values[0] ^= 1
    in_sql('UPDATE experiments_metricsegment SET "values" = %s WHERE id = %s', bytes(values), segment.pk)


def drop_a_segment(run):
    in_sql("DELETE FROM experiments_metricsegment WHERE id = %s", MetricSegment.objects.filter(series__run=run)[0].pk)


@pytest.mark.parametrize("forge", [change_a_point, drop_a_segment])
def test_verification_names_the_run_whose_points_were_changed_in_sql(ada, sealed, vision, forge):
    from tests import world

    world.run(ada, sealed.experiment, name="untouched")
    assert broken() == []
    assert "seals of runs" in checks()
    forge(sealed)
    (said,) = broken()
    assert f"VIS-{sealed.number}" in said
    assert "first try" in said
    problems = [problem for problem in verify_ledger(limit=1000).problems if problem.field == "seal"]
    assert [problem.id for problem in problems] == [sealed.uid.hex]


def test_a_forged_seal_meets_its_event(sealed):
    change_a_point(sealed)
    in_sql("UPDATE experiments_run SET seal = %s WHERE id = %s", seal_of(sealed), sealed.pk)
    assert broken() == []
    found = [(p.kind, p.id, p.field) for p in verify_ledger(limit=1000).problems]
    assert ("experiments.run", sealed.uid.hex, "seal") in found


def rows_at_odds():
    kinds = ("ledger.", "anchor")
    return [problem for problem in verify_ledger(limit=1000).problems if not problem.kind.startswith(kinds)]


def test_what_actions_wrote_agrees_with_the_ledger(ada, sealed, put):
    put("model.bin", "other weights", into=sealed)
    assert rows_at_odds() == []


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE experiments_param SET value = '0.2' WHERE key = 'lr'", "experiments.param"),
        ("UPDATE experiments_runtag SET value = 'x' WHERE key = 'note'", "experiments.runtag"),
        ("UPDATE artifacts_artifactfile SET path = 'other.bin'", "artifacts.artifactfile"),
        ("UPDATE artifacts_blob SET size_bytes = 1", "artifacts.blob"),
    ],
)
def test_verification_names_a_row_changed_in_sql(trained, statement, kind):
    assert rows_at_odds() == []
    in_sql(statement)
    assert kind in {problem.kind for problem in rows_at_odds()}


def test_a_write_through_a_copy_read_before_the_seal_reopens_the_run_all_the_same(ada, trained):
    read_before = fresh(trained)
    update_run(ada, trained, status=RunStatus.FINISHED, ended_ms=9)
    seal_run(system(), fresh(trained))
    set_tags(ada, read_before, tags={"later": "yes"})
    assert fresh(trained).sealed_at is None
    assert broken() == []
