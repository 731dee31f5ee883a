"""Doing a transfer, by whoever has its lease; what goes wrong is said in the transfer.

Three attempts in a row that do not get further are the most: what was moved by then is what counts as further.

A worker that dies leaves its lease, which runs out; the next one goes on with what is not done yet.
"""

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from uuid import UUID

from django.db import connection

from kernel.actor import system
from kernel.errors import MledError, TooMany, Unavailable
from transfer import leasing
from transfer.actions.transfers import NotOurs, fail_transfer, start_transfer
from transfer.models import Transfer
from transfer.work import NotYet, Stopped, work_of

log = logging.getLogger(__name__)

ATTEMPTS = 3
AGAIN = "Begin it again: what was done stays done. If it happens again, the server's log says why."

Listener = Callable[[str, int, int | None], None]


class Told:
    """Progress as the row keeps it. keeper: writes it from a thread; without one it is written at once."""

    def __init__(
        self, transfer_id: UUID, lease: UUID, keeper: leasing.Keeper | None, listener: Listener | None
    ) -> None:
        self._transfer, self._lease, self._keeper, self._listener = transfer_id, lease, keeper, listener

    def at(self, stage: str, done: int, total: int | None = None) -> None:
        """Say how far it is. Raises Stopped."""
        if self._keeper is not None:
            self._keeper.note(stage, done, total)
        else:
            leasing.renew(self._transfer, self._lease, stage=stage, done=done, total=total)
        if self._listener is not None:
            self._listener(stage, done, total)


def carry(transfer_id: UUID, *, listener: Listener | None = None) -> bool:
    """Do one transfer as far as it goes; whether it is over. What goes wrong is said in it, and never raised."""
    taken = leasing.take(transfer_id)
    if taken is None:
        return False
    mine, attempt = taken
    if attempt > ATTEMPTS:
        where = Transfer.objects.get(pk=transfer_id).stage
        during = f" while it was at {where}" if where else ""
        return _give_up(transfer_id, mine, f"Its worker died {ATTEMPTS} times{during}. {AGAIN}")
    try:
        with nullcontext() if connection.in_atomic_block else leasing.Keeper(transfer_id, mine) as keeper:
            _attempt(transfer_id, Told(transfer_id, mine, keeper, listener), mine)
    except (Stopped, NotOurs):
        return False
    except NotYet:
        leasing.give_back(transfer_id, mine, uncounted=True)
        return False
    except Exception as error:
        return _failed(transfer_id, mine, attempt, error)
    return True


def carry_through(transfer_id: UUID, *, listener: Listener | None = None, every: float = 0.5) -> Transfer:
    """Do a transfer here and now, for commands: until it is over, whoever does it. Raises nothing that it says."""
    while True:
        carry(transfer_id, listener=listener)
        row = Transfer.objects.select_related("project", "requested_by").get(pk=transfer_id)
        if not row.is_open:
            return row
        if listener is not None:
            listener(row.stage, row.done, row.total)
        time.sleep(every)


def _attempt(transfer_id: UUID, progress: Told, mine: UUID) -> None:
    rows = Transfer.objects.select_related("project", "requested_by", "blob", "artifacts_blob")
    transfer = rows.get(pk=transfer_id)
    if transfer.state == Transfer.State.WAITING:
        transfer = start_transfer(system(), transfer, lease=mine)
    work_of(transfer.kind)(transfer, progress)


def _failed(transfer_id: UUID, mine: UUID, attempt: int, error: Exception) -> bool:
    """Give up at once where trying again cannot help; else after the last attempt."""
    told = isinstance(error, MledError)
    if not told:
        log.exception("Transfer %s", transfer_id, exc_info=error)
    if told and not isinstance(error, (Unavailable, TooMany)):
        return _give_up(transfer_id, mine, str(error))
    if attempt < ATTEMPTS or leasing.got_further(transfer_id):
        leasing.give_back(transfer_id, mine)
        return False
    return _give_up(transfer_id, mine, str(error) if told else f"Something went wrong. {AGAIN}")


def _give_up(transfer_id: UUID, mine: UUID, words: str) -> bool:
    transfer = Transfer.objects.select_related("project", "requested_by").get(pk=transfer_id)
    transfer.lease = mine
    try:
        fail_transfer(system(), transfer, failure=words)
    except NotOurs:
        return False
    return True
