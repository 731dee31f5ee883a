"""What one does with runs."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction

from accounts.decorators import action
from audit.ledger.acting import current_act
from audit.ledger.inserting import insert_rows, set_rows
from experiments import hooks
from experiments.actions.writable import require_active, require_note_rights, writable_run
from experiments.gone import Gone, is_gone
from experiments.metrics.heartbeat import is_client
from experiments.metrics.numbering import Drawn, draw_run_number, next_run_number
from experiments.models import Experiment, Run, RunTag
from experiments.names import invented_name
from experiments.search.texts import stored_texts
from experiments.state import locked
from experiments.values import (
    BY_HAND,
    ENDED,
    SOURCE_TYPE,
    Lifecycle,
    RunStatus,
    checked_int64,
    checked_key,
    checked_text,
)
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import AlreadyExists, Conflict, Invalid, NotFound

RUN_NAME = "mlflow.runName"
PARENT = "mlflow.parentRunId"
TAG_KIND = "experiments.runtag"


def _parent_wanted(
    actor: Actor, experiment: Experiment, *, tags: Mapping[str, str] | None = None, **rest: object
) -> Run | None:
    """The run that a new one is to be nested in."""
    return _run_named(experiment.project_id, (tags or {}).get(PARENT, ""))


@dataclass(slots=True)
class _NewRun:
    """A run that was asked for, checked as far as no lock is needed; with its number where it was drawn beforehand."""

    run: Run
    tags: dict[str, str]
    drawn: Drawn | None = None


def _new_run(
    actor: Actor,
    experiment: Experiment,
    *,
    name: str = "",
    started_ms: int | None = None,
    tags: Mapping[str, str] | None = None,
    claimed_user: str = "",
    uid: uuid.UUID | None = None,
) -> _NewRun:
    asked: dict[str, Any] = {"name": name, "started_ms": started_ms, "tags": tags or {}, "claimed_user": claimed_user}
    columns, tags = columns_of_new(actor, experiment, **asked)
    run = Run(**columns)
    run.experiment = experiment
    if PARENT in tags:
        run.parent = _parent(run, tags[PARENT])
    if uid is not None:
        run.uid = free_uid(uid)
    return _NewRun(run, tags)


def columns_of_new(
    actor: Actor,
    experiment: Experiment,
    *,
    name: str,
    started_ms: int | None,
    tags: Mapping[str, str],
    claimed_user: str,
) -> tuple[dict[str, Any], dict[str, str]]:
    """What a new run holds besides defaults, its ids, number and parent, and its tags. Raises Invalid."""
    tags, moment = dict(tags), now()
    named = tags.get(RUN_NAME, "")
    if name and named and name != named:
        raise Invalid("The run's name and its tag mlflow.runName differ.", hint="Send one of them.", field="run_name")
    tags[RUN_NAME] = checked_text(name or named or invented_name(), "run_name", 500)
    for key, value in tags.items():
        checked_key(key, "tags.key")
        checked_text(value, f"tags.{key}")
    columns = {
        "experiment_id": experiment.pk,
        "project_id": experiment.project_id,
        "started_ms": None if started_ms is None else checked_int64(started_ms, "start_time"),
        "created_at": moment,
        "created_by_id": actor.user_id,
        "claimed_user": (claimed_user or tags.get("mlflow.user", ""))[:256],
        "heartbeat_at": moment if is_client(actor) and tags.get(SOURCE_TYPE) != BY_HAND else None,
        "source_name": "",
        "source_type": "",
        "git_commit": "",
    }
    return columns | _said_by_tags(tags), tags


def _new_run_with_number(actor: Actor, experiment: Experiment, **asked: Any) -> _NewRun:
    new = _new_run(actor, experiment, **asked)
    if experiment.lifecycle == Lifecycle.ACTIVE:  # else it is refused, and leaves no gap
        new.drawn = draw_run_number(experiment.project_id)
    return new


@action("experiments.log_run", on="experiment", within=_parent_wanted, before=_new_run_with_number)
def create_run(
    actor: Actor,
    experiment: Experiment,
    *,
    name: str = "",
    started_ms: int | None = None,
    tags: Mapping[str, str] | None = None,
    claimed_user: str = "",
    uid: uuid.UUID | None = None,
) -> Run:
    """Begin a run. Without a name it gets one; the name and the tag mlflow.runName are one thing.

    uid: its id where it had one elsewhere. Raises AlreadyExists where that is taken, whoever has it; Conflict in a
    deleted experiment, Invalid where name and tag differ.
    """
    asked: dict[str, Any] = {"name": name, "started_ms": started_ms, "tags": tags, "claimed_user": claimed_user}
    new: _NewRun = current_act().take_prepared() or _new_run(actor, experiment, **asked, uid=uid)
    require_active(experiment)
    run, act = new.run, current_act()
    if new.drawn is not None:
        run.number, run.pk = new.drawn
        run.insert_with_event()
        act.insert_later(*_tags_of(run, new.tags))
    else:
        run.number = next_run_number(experiment.project_id)
        run.save()
        insert_rows(_tags_of(run, new.tags))
    act.record(TAG_KIND, run.ledger_id, "set", {key: (None, value) for key, value in new.tags.items()})
    return run


def _tags_of(run: Run, tags: Mapping[str, str]) -> list[RunTag]:
    return [RunTag(run_id=run.pk, experiment_id=run.experiment_id, key=key, value=value) for key, value in tags.items()]


def free_uid(uid: uuid.UUID) -> uuid.UUID:
    """The id itself. Raises AlreadyExists where a run has it, in whichever project."""
    if Run.objects.filter(uid=uid).exists():
        raise AlreadyExists(f"The id {uid.hex} is taken.", hint="Leave it out: the run gets one.", field="run_id")
    return uid


def _take_from_tags(run: Run, tags: Mapping[str, str]) -> None:
    """Columns that the client speaks of in tags: source, commit, parent, name."""
    for column, value in _said_by_tags(tags).items():
        setattr(run, column, value)
    if PARENT in tags:
        run.parent = _parent(run, tags[PARENT])


_SAID_BY_TAGS = {
    RUN_NAME: ("name", 500),
    "mlflow.source.name": ("source_name", 1000),
    SOURCE_TYPE: ("source_type", 40),
    "mlflow.source.git.commit": ("git_commit", 64),
}


def _said_by_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The columns that are texts, as the tags say them."""
    return {name: tags[key][:limit] for key, (name, limit) in _SAID_BY_TAGS.items() if key in tags}


def _parent(run: Run, parent_uid: str) -> Run | None:
    """The run of the same project that a tag names, or None: nesting rests on the tag, whatever it holds."""
    found = _run_named(run.project_id, parent_uid)
    return None if found is None or found.pk == run.pk else found


def _run_named(project_id: uuid.UUID, uid: str) -> Run | None:
    try:
        wanted = uuid.UUID(hex=uid)
    except ValueError:
        return None
    found: Run | None = Run.objects.filter(project_id=project_id, uid=wanted).first()
    return found


@action("experiments.log_run", on="run")
def update_run(
    actor: Actor,
    run: Run,
    *,
    name: str | None = None,
    status: RunStatus | None = None,
    ended_ms: int | None = None,
) -> Run:
    """Change name, status or end. Any status may follow any; an ended run is sealed once this commits."""
    run = writable_run(run)
    if name and name != run.name:
        write_tags(actor, run, {RUN_NAME: name})
    if status is not None:
        run.status, run.lost_at = status, None
    if ended_ms is not None:
        run.ended_ms = checked_int64(ended_ms, "end_time")
    run.save()
    if run.status in ENDED:
        for after in hooks.run_ended:
            transaction.on_commit(partial(after, run.uid))
    return run


@action("experiments.log_run", on="run")
def set_tags(actor: Actor, run: Run, *, tags: Mapping[str, str]) -> None:
    """Set or overwrite tags of a run."""
    for key, value in tags.items():
        checked_key(key, "key")
        checked_text(value, "value")
    write_tags(actor, writable_run(run), tags)


@action("experiments.log_run", on="run")
def delete_tag(actor: Actor, run: Run, *, key: str) -> None:
    """Remove a tag, and what it said of the run (parent, source); the name stays. Raises NotFound if there is none."""
    require_note_rights(actor, run, frozenset({key}))
    run = writable_run(run)
    _keep_origin(run, {key: ""})
    tag = RunTag.objects.filter(run=run, key=key).first()
    if tag is None:
        raise NotFound(f"The run has no tag '{key}'.", field="key")
    tag.delete()
    current_act().record(TAG_KIND, run.ledger_id, "set", {key: (tag.value, None)})
    if key != RUN_NAME:
        _take_from_tags(run, {key: ""})
        run.save()


def write_tags(actor: Actor, run: Run, tags: Mapping[str, str]) -> None:
    """Part of an action on a run that is held: store tags that differ, and what they say of the run.

    Raises Refused where somebody else's name or note would change.
    """
    before, changed = _changed_tags(run, tags)
    require_note_rights(actor, run, frozenset(changed))
    store_tags(run, before, changed)


def _changed_tags(run: Run, tags: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What these tags hold, and what would change. An empty name changes nothing, as in `update_run`: a run has one."""
    before = stored_texts(RunTag, run, list(tags))
    changed = {key: value for key, value in tags.items() if before.get(key) != value}
    if changed.get(RUN_NAME) == "":
        del changed[RUN_NAME]
    return before, changed


def amend_tags(run: Run, tags: Mapping[str, str]) -> None:
    """Part of an amendment, which has its own rights: store tags that differ, and what they say of the run."""
    store_tags(run, *_changed_tags(run, tags))


def store_tags(run: Run, before: Mapping[str, str], changed: Mapping[str, str]) -> None:
    """Part of an action on a run that is held: write these tags, and what they say of the run."""
    if not changed:
        return
    _keep_origin(run, changed)
    if RUN_NAME in changed:
        checked_text(changed[RUN_NAME], "run_name", 500)
    set_rows(_tags_of(run, changed), unique=("run_id", "key"), changing="value")
    current_act().record(TAG_KIND, run.ledger_id, "set", {k: (before.get(k), v) for k, v in changed.items()})
    _take_from_tags(run, changed)
    run.save()


def _keep_origin(run: Run, changed: Mapping[str, str]) -> None:
    """Raise Conflict where a run that was recorded by hand would pass for one that was executed."""
    if run.source_type == BY_HAND and changed.get(SOURCE_TYPE, BY_HAND) != BY_HAND:
        raise Conflict("This run was recorded by hand, and its record keeps saying so.", field=SOURCE_TYPE)


@action("experiments.delete_run", on="run")
def delete_run(actor: Actor, run: Run, *, reason: str = "") -> Run:
    """Delete softly: all data stays. Deleting a deleted run changes nothing. Raises Locked, Refused."""
    run = _held(run)
    if run.is_locked:
        raise locked(run)
    if not run.is_deleted:
        for check in hooks.run_deletion:
            check(actor, Run.objects.filter(pk=run.pk))
        run.lifecycle, run.deleted_at = Lifecycle.DELETED, now()
        run.save()
    return run


@action("experiments.delete_run", on="run")
def restore_run(actor: Actor, run: Run, *, reason: str = "") -> Run:
    """Bring a deleted run back with everything in it. Restoring an active one changes nothing. Raises Gone."""
    run = _held(run)
    if is_gone(run):
        raise Gone(run)
    if run.is_deleted:
        run.lifecycle, run.deleted_at = Lifecycle.ACTIVE, None
        run.save()
    return run


@action("experiments.lock_run", on="run")
def lock_run(actor: Actor, run: Run, *, reason: str = "") -> Run:
    """Lock: from now on every write is refused, at every door. Raises Conflict while it is deleted."""
    run = _held(run)
    if run.is_deleted:
        raise Conflict("A deleted run cannot be locked.", hint="Restore it first.")
    if not run.is_locked:
        run.locked_at, run.locked_by_id = now(), actor.user_id
        run.save()
    return run


@action("experiments.lock_run", on="run")
def unlock_run(actor: Actor, run: Run, *, reason: str = "") -> Run:
    """Unlock: writes are taken again."""
    run = _held(run)
    if run.is_locked:
        run.locked_at, run.locked_by_id = None, None
        run.save()
    return run


def _held(run: Run) -> Run:
    held: Run = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    return held
