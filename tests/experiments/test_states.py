"""Locked, deleted and sealed runs, asked at every action that there is for a run."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from accounts.decorators import ACTIONS
from artifacts.blobs import receive
from experiments.actions.batches import log_batch
from experiments.actions.files import delete_files, put_file
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.moves import move_run
from experiments.actions.notes import edit_notes
from experiments.actions.runs import (
    delete_run,
    delete_tag,
    lock_run,
    restore_run,
    set_tags,
    unlock_run,
    update_run,
)
from experiments.actions.seals import seal_run
from experiments.models import Run
from experiments.queries.runs import params_of, series_of, tags_of
from experiments.values import RunStatus
from kernel.actor import Actor, system
from kernel.errors import Conflict, Locked
from registry.actions.links import log_outputs, log_run_inputs
from registry.actions.logged_models import create_logged_model
from tests.factories import a_batch, a_file, curve, events_since

Act = Callable[[Actor, Run], Any]


def stored(content: bytes):
    return receive(io.BytesIO(content), expected=len(content))


# Every way of changing what is in a run, by the name of its action.
WRITES: dict[str, Act] = {
    "log_batch of params": lambda actor, run: log_batch(actor, run, batch=a_batch(params={"new": "1"})),
    "log_batch of tags": lambda actor, run: log_batch(actor, run, batch=a_batch(tags={"new": "1"})),
    "log_batch of points": lambda actor, run: log_batch(actor, run, batch=curve(3)),
    "update_run to a status": lambda actor, run: update_run(actor, run, status=RunStatus.KILLED),
    "update_run to a name": lambda actor, run: update_run(actor, run, name="other"),
    "edit_notes": lambda actor, run: edit_notes(actor, run, expected="*", note="other"),
    "set_tags": lambda actor, run: set_tags(actor, run, tags={"new": "1"}),
    "delete_tag": lambda actor, run: delete_tag(actor, run, key="kept"),
    "log_inputs": lambda actor, run: log_inputs(actor, run, inputs=[DatasetInput("new", "d")]),
    "log_run_inputs": lambda actor, run: log_run_inputs(actor, run, datasets=[DatasetInput("new", "d")]),
    "log_outputs": lambda actor, run: log_outputs(actor, run, outputs=[]),
    "put_file": lambda actor, run: put_file(actor, run, path="new.txt", stored=stored(b"new")),
    "delete_files": lambda actor, run: delete_files(actor, run, path="notes.txt"),
}
# What a run allows in some of these states, because it changes the state and not the content.
STATES = {"lock_run", "unlock_run", "delete_run", "restore_run", "seal_run", "take_for_dead"}
# What changes where a run stands, and refuses by itself: test_moves.
PLACES = {move_run.__name__}
# What stands beside a run and is none of its content.
BESIDE = {"star_run", "unstar_run", "add_comment", "note_export_of", "recreate", "keep_check", "note_bundle_of"}

# What an import from elsewhere adds: tests/transfer/test_mlflow_import.
IMPORTS = {"bring_in_more", "bring_in_links"}


@pytest.fixture
def full(ada, run) -> Run:
    """A finished run with something of each kind in it."""
    log_batch(ada, run, batch=a_batch(loss=[1.0], params={"lr": "0.1"}, tags={"kept": "yes"}))
    a_file(ada, run, "notes.txt")
    return update_run(ada, run, status=RunStatus.FINISHED)


def content(actor: Actor, run: Run) -> Any:
    fresh = Run.objects.get(pk=run.pk)
    files = list(fresh.artifact_root.files.values_list("path", "blob_id")) if fresh.artifact_root else []
    series = [(one.key, one.last_value) for one in series_of(actor, run)]
    return fresh.name, fresh.status, params_of(actor, run), tags_of(actor, run), series, files, fresh.inputs.count()


def test_every_action_on_a_run_is_known_here():
    on_runs = {
        action.verb.partition(".")[2]
        for action in ACTIONS.values()
        if action.on == "run" and not action.verb.startswith("compliance.")  # what they allow: tests/compliance
    }
    assert on_runs == {name.split()[0] for name in WRITES} | STATES | PLACES | BESIDE | IMPORTS


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_locked_run_refuses_every_write(ada, full, write):
    before = content(ada, full)
    lock_run(ada, full)

    def refused() -> None:
        for run in (full, Run.objects.get(pk=full.pk)):  # as it was read before the lock, and after
            with pytest.raises(Locked, match="locked and takes no writes"):
                write(ada, run)

    assert events_since(refused) == []
    assert content(ada, full) == before
    unlock_run(ada, full)
    write(ada, Run.objects.get(pk=full.pk))


def test_a_lock_stands_above_every_role(team, full):
    lock_run(team.scientist, full)
    for actor in (team.scientist, team.engineer):
        with pytest.raises(Locked):
            set_tags(actor, full, tags={"a": "1"})
    with pytest.raises(Locked):
        delete_run(team.scientist, full)
    with pytest.raises(Locked):
        delete_run(team.manager, full, reason="why not")


def test_a_locked_run_takes_no_new_model(ada, full):
    lock_run(ada, full)
    with pytest.raises(Locked):
        create_logged_model(ada, full.experiment, name="m", source_run=full)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_deleted_run_refuses_every_write(ada, full, write):
    before = content(ada, full)
    delete_run(ada, full)

    def refused() -> None:
        for run in (full, Run.objects.get(pk=full.pk)):
            with pytest.raises(Conflict, match="is deleted"):
                write(ada, run)

    assert events_since(refused) == []
    assert content(ada, full) == before
    restore_run(ada, full)
    write(ada, Run.objects.get(pk=full.pk))


@pytest.fixture
def sealed(full) -> Run:
    run = seal_run(system(), full)
    assert run.sealed_at is not None
    return run


CHANGES = {name: act for name, act in WRITES.items() if name not in ("log_outputs", "log_batch of points")}


@pytest.mark.parametrize("write", CHANGES.values(), ids=CHANGES)
def test_the_first_write_reopens_a_sealed_run_in_the_same_event(ada, sealed, write):
    (kept, *more) = events_since(lambda: write(ada, Run.objects.get(pk=sealed.pk)))
    assert kept.changed("experiments.run")["seal"] == [sealed.seal, ""]
    assert len(kept.changes) > 1 or len(kept.changed("experiments.run")) > 2
    assert more == []
    assert Run.objects.get(pk=sealed.pk).sealed_at is None


def test_points_leave_no_event_but_for_reopening_a_sealed_run(ada, sealed):
    (kept,) = events_since(lambda: log_batch(ada, sealed, batch=curve(5)))
    assert kept.verb == "experiments.log_batch"
    assert set(kept.changed("experiments.run")) == {"seal", "sealed_at"}
    assert events_since(lambda: log_batch(ada, sealed, batch=curve(6))) == []


def test_a_run_read_before_its_seal_reopens_it_all_the_same(ada, full):
    stale = Run.objects.get(pk=full.pk)
    seal_run(system(), full)
    log_batch(ada, stale, batch=curve(5))
    assert Run.objects.get(pk=full.pk).seal == ""


def test_a_seal_may_stand_on_a_locked_run(ada, full):
    lock_run(ada, full)
    assert seal_run(system(), full).seal
    assert Run.objects.get(pk=full.pk).is_locked


def test_a_running_run_gets_no_seal(ada, run):
    assert seal_run(system(), run).seal == ""


def test_sealing_twice_changes_nothing(sealed):
    assert events_since(lambda: seal_run(system(), sealed)) == []
