"""Changing the key that signs the log.

The successor is laid down beside the key and trusted; then one event tells of it, and the checkpoint over that event
is signed by both. With that commit the change is made: whoever signs next finds the newest checkpoint signed by the new
key and goes on with it. Only then does the successor take the place of the old private key, which is gone. Cut short
before the commit, the old key signs on; after it, a sequencer finishes (`sequencer.settle_key`).

A key that is lost cannot sign its successor in. The first event under the new key then holds the last head of the old.
"""

from uuid import UUID

from django.conf import settings

from audit.ledger import checkpoints, keys
from audit.ledger.acting import acting
from audit.ledger.keys import KeyRefused, SigningKey
from audit.ledger.models import Checkpoint
from audit.ledger.sequencer import Sequencer, settle_key
from audit.ledger.signers import KIND, REPLACED, ROTATED
from audit.ledger.values import Subject
from kernel.actor import Actor


def rotate_key(actor: Actor, *, reason: str, to: SigningKey | None = None) -> SigningKey:
    """Sign the log with a new key from now on. to: the new one, where MLED_SIGNING_KEY holds the key.

    Raises KeyRefused, LogBroken.
    """
    settle_key()
    with keys.changing_keys():
        last = _newest()
        old = keys.key_with_id(last.key_id)
        if old is None:
            raise KeyRefused(
                f"The log was last signed with key {last.key_id}, which is not here. Bring it back, "
                "or say that it is lost: manage.py rotate_key --lost."
            )
        new = _successor(old.origin, to)
        if new.public.id == old.public.id:
            raise KeyRefused("This is the key that signs the log already.")
        _change(actor, ROTATED, Sequencer(old), new, old.public.id, reason)
    Sequencer(new).run_until_empty()
    return new


def replace_lost_key(actor: Actor, *, reason: str) -> SigningKey:
    """Go on with a new key after the old one was lost; verify_ledger tells of it from then on. Raises KeyRefused."""
    settle_key()
    with keys.changing_keys():
        last = _newest()
        if keys.key_with_id(last.key_id) is not None:
            raise KeyRefused(f"Key {last.key_id} is not lost. Change it with manage.py rotate_key.")
        origin = checkpoints.parse(last.note).head.origin
        given = keys.parse_signing_key(settings.MLED_SIGNING_KEY) if settings.MLED_SIGNING_KEY else None
        new = _successor(origin, given)
        _change(actor, REPLACED, Sequencer(new), new, last.key_id, reason)
    Sequencer(new).run_until_empty()
    return new


def _newest() -> Checkpoint:
    last = Checkpoint.objects.order_by("-size", "-id").first()
    if last is None:
        raise KeyRefused("Nothing is signed yet, so there is no key to change. Start MLED first.")
    return last


def _successor(origin: str, given: SigningKey | None) -> SigningKey:
    """The new key: the one that was given, or the one laid down by a change that was cut short, or a fresh one."""
    if given is not None:
        if given.origin != origin:
            raise KeyRefused(f"The new key is of the log {given.origin}, this one is {origin}.")
        return given
    if settings.MLED_SIGNING_KEY:
        raise KeyRefused(
            "The key of this installation comes from MLED_SIGNING_KEY, so its successor has to be kept there as well. "
            "Make one with manage.py rotate_key --make, keep it, and give it to manage.py rotate_key --key-stdin."
        )
    key = keys.next_key()
    if key is None:
        key = keys.new_key(origin)
        keys.keep_next(key)
    return key


def _change(actor: Actor, verb: str, sequencer: Sequencer, new: SigningKey, before: str, reason: str) -> None:
    keys.publish(new.public)

    def write_event(head: checkpoints.Head) -> UUID:
        with acting(actor, verb) as act:
            act.speaks_of(Subject(KIND, new.public.id))
            act.reason = reason
            told = {"public": new.public.line(), "after": before, "size": head.size, "root": head.root.hex()}
            act.record(KIND, new.public.id, "set", {name: (None, value) for name, value in told.items()})
        return act.event_id

    sequencer.change_key(new, write_event, is_lost=verb == REPLACED)
    if not settings.MLED_SIGNING_KEY:
        keys.adopt_next()
