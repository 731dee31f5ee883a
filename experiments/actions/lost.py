"""Running runs that nothing is heard of any more are taken for dead; one that speaks again runs on (`writable_run`)."""

import datetime as dt
import logging

from django.db import transaction

from accounts.decorators import action
from audit.ledger.acting import current_act
from experiments import hooks
from experiments.actions.writable import hold_to_change
from experiments.models import Run
from experiments.queries.silent import is_silent, silent_runs
from experiments.values import RunStatus
from kernel.actor import Actor, system
from kernel.clock import now
from kernel.errors import MledError, Refused

log = logging.getLogger(__name__)


@action("experiments.log_run", on="run")
def take_for_dead(actor: Actor, run: Run, *, since: dt.datetime, reason: str = "") -> Run:
    """Fail a running run of which nothing was heard since then; one that was heard meanwhile stays as it is.

    Called by the system. It ended when it was last heard. Raises Conflict where it is deleted, Locked.
    """
    if actor.is_person:
        raise Refused("MLED finds out by itself which runs are dead.", hint="Set the run's status, if you know it.")
    hold_to_change(run, alone=True)
    run.refresh_from_db()
    if not is_silent(run, since) or run.heartbeat_at is None:
        return run
    run.status, run.lost_at = RunStatus.FAILED, now()
    run.ended_ms = max(int(run.heartbeat_at.timestamp() * 1000), run.started_ms or 0)
    run.save()
    current_act().reason = reason or f"Nothing was heard of it since {run.heartbeat_at:%Y-%m-%d %H:%M} UTC."
    for after in hooks.run_ended:
        transaction.on_commit(lambda after=after: after(run.uid))  # type: ignore[misc]
    return run


def take_silent_for_dead() -> int:
    """A bounded number of them; how many it were. What is left, the next round finds."""
    count, actor = 0, system()
    for run, since in silent_runs(actor):
        try:
            count += take_for_dead(actor, run, since=since).lost_at is not None
        except MledError as error:  # deleted or locked meanwhile
            log.info("Run %s is left as it is: %s", run.uid.hex, error)
    return count
