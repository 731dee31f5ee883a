"""What one does with runs."""

import uuid
from collections.abc import Mapping
from functools import partial

from django.db import transaction

from accounts.decorators import action
from audit.ledger.acting import current_act
from experiments import hooks
from experiments.actions.writable import require_active, require_note_rights, writable_run
from experiments.gone import Gone, is_gone
from experiments.metrics.holding import next_run_number
from experiments.models import Experiment, Run, RunTag
from experiments.names import invented_name
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
from kernel.errors import Conflict, Invalid, NotFound

RUN_NAME = "mlflow.runName"
PARENT = "mlflow.parentRunId"
TAG_KIND = "experiments.runtag"


@action("experiments.log_run", on="experiment")
def create_run(
    actor: Actor,
    experiment: Experiment,
    *,
    name: str = "",
    started_ms: int | None = None,
    tags: Mapping[str, str] | None = None,
    claimed_user: str = "",
) -> Run:
    """Begin a run. Without a name it gets one; the name and the tag mlflow.runName are one thing.

    Raises Conflict in a deleted experiment, Invalid where name and tag differ.
    """
    require_active(experiment)
    tags = dict(tags or {})
    named = tags.get(RUN_NAME, "")
    if name and named and name != named:
        raise Invalid("The run's name and its tag mlflow.runName differ.", hint="Send one of them.", field="run_name")
    tags[RUN_NAME] = checked_text(name or named or invented_name(), "run_name", 500)
    for key, value in tags.items():
        checked_key(key, "tags.key")
        checked_text(value, f"tags.{key}")
    run = Run(
        experiment=experiment,
        project_id=experiment.project_id,
        name=tags[RUN_NAME],
        started_ms=None if started_ms is None else checked_int64(started_ms, "start_time"),
        created_by_id=actor.user_id,
        claimed_user=(claimed_user or tags.get("mlflow.user", ""))[:256],
    )
    _take_from_tags(run, tags)
    run.number = next_run_number(experiment.project_id)
    run.save()
    RunTag.objects.bulk_create(
        RunTag(run=run, experiment=experiment, key=key, value=value) for key, value in tags.items()
    )
    current_act().record(TAG_KIND, run.ledger_id, "set", {key: (None, value) for key, value in tags.items()})
    return run


def _take_from_tags(run: Run, tags: Mapping[str, str]) -> None:
    """Columns that the client speaks of in tags: source, commit, parent, name."""
    if RUN_NAME in tags:
        run.name = tags[RUN_NAME][:500]
    if "mlflow.source.name" in tags:
        run.source_name = tags["mlflow.source.name"][:1000]
    if SOURCE_TYPE in tags:
        run.source_type = tags[SOURCE_TYPE][:40]
    if "mlflow.source.git.commit" in tags:
        run.git_commit = tags["mlflow.source.git.commit"][:64]
    if PARENT in tags:
        run.parent = _parent(run, tags[PARENT])


def _parent(run: Run, parent_uid: str) -> Run | None:
    """The run of the same project that a tag names, or None: nesting rests on the tag, whatever it holds."""
    try:
        uid = uuid.UUID(hex=parent_uid)
    except ValueError:
        return None
    found: Run | None = Run.objects.filter(project_id=run.project_id, uid=uid).exclude(pk=run.pk).first()
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
        run.status = status
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
    before = dict(RunTag.objects.filter(run=run, key__in=list(tags)).values_list("key", "value"))
    return before, {key: value for key, value in tags.items() if before.get(key) != value}


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
    RunTag.objects.bulk_create(
        [RunTag(run=run, experiment_id=run.experiment_id, key=key, value=value) for key, value in changed.items()],
        update_conflicts=True,
        update_fields=["value"],
        unique_fields=["run", "key"],
    )
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
