"""What those who keep workers do with them, and how one on another machine gets in."""

import datetime as dt
import secrets
from typing import Final

from accounts.decorators import action
from accounts.models import Project
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.clock import now
from kernel.digests import sha256_hex
from kernel.errors import Conflict, NotFound, Refused, Unauthenticated
from runner.elsewhere import require_reachable
from runner.models import Admission, Worker
from runner.names import checked_name
from runner.waiting import is_there

MANAGE: Final = "runner.manage_workers"
ADMIT: Final = "runner.admit_worker"
GOOD_FOR: Final = dt.timedelta(hours=1)


@action(MANAGE, on="at")
def drain_worker(actor: Actor, at: Project | None, *, worker: Worker, draining: bool, reason: str = "") -> Worker:
    """Have it take no more jobs, or take some again; those under way go on. at: the project whose workers one keeps;
    None for all. Saying it again changes nothing."""
    held = _held(worker)
    held.is_draining = draining
    held.save()
    return held


@action(MANAGE, on="at")
def take_off_worker(actor: Actor, at: Project | None, *, worker: Worker, reason: str = "") -> Worker:
    """Take a worker that is gone off the list; should it come back, it stands there again. Raises Conflict."""
    held = _held(worker)
    if is_there(held):
        raise Conflict(f"{held.name} is there.", hint="Drain it and stop it first; then it leaves the list by itself.")
    if held.left_at is None:
        held.left_at = now()
        held.save()
        current_act().always = True
    return held


def new_word() -> str:
    """The one-time word of an admission: 160 random bits."""
    return f"mledw_{secrets.token_urlsafe(20)}"


@action(ADMIT)
def admit_worker(actor: Actor, *, name: str, word: str) -> Admission:
    """Let one worker on another machine in, within the hour. word: a `new_word()`, which only the caller shows.

    Raises Conflict where no worker elsewhere could work, or one of that name is there; Invalid.
    """
    require_reachable()
    wanted = checked_name(name.strip())
    worker = Worker.objects.filter(name=wanted).first()
    if worker is not None and is_there(worker):
        raise Conflict(f"A worker named {wanted} is there already.", hint="Give this one another name.", field="name")
    admission = Admission(
        name=wanted, digest=sha256_hex(word.encode()), created_by_id=actor.user_id, expires_at=now() + GOOD_FOR
    )
    admission.save()
    return admission


@action(ADMIT)
def withdraw_admission(actor: Actor, *, admission: Admission) -> Admission:
    """The word is good for nothing from now on. Raises Conflict where it was used."""
    held: Admission = Admission.objects.select_for_update(no_key=True).get(pk=admission.pk)
    if held.used_at is not None:
        raise Conflict("This word was used.", hint="Drain the worker, and change what it was given.")
    if held.expires_at > now():
        held.expires_at = now()
        held.save()
    return held


@action(ADMIT)
def use_admission(actor: Actor, *, word: str, address: str) -> Admission:
    """A worker comes with its word: good once, and within the hour. Called by MLED for who has it.

    Raises Unauthenticated, the same for unknown, used and old ones.
    """
    if actor.is_person:
        raise Refused("A worker says this word, from its own machine.")
    rows = Admission.objects.select_for_update(no_key=True)
    held: Admission | None = rows.filter(digest=sha256_hex(word.encode())).first()
    if held is None or held.used_at is not None or held.expires_at <= now():
        raise Unauthenticated(
            "This word is not good: unknown, used, or older than an hour.",
            hint="An administrator makes a new one on the page Workers.",
        )
    require_reachable()
    held.used_at, held.used_from = now(), address[:64]
    held.save()
    return held


def _held(worker: Worker) -> Worker:
    held: Worker | None = Worker.objects.select_for_update(no_key=True).filter(pk=worker.pk).first()
    if held is None:
        raise NotFound("No such worker was found.")
    return held
