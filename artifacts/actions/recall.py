"""Recalling a dataset version: nothing new may be built on it, and whoever built on it is told. It can be undone."""

from accounts.decorators import action
from accounts.notices import tell
from artifacts import hooks
from artifacts.actions.datasets import checked_words, held
from artifacts.actions.records import record_held
from artifacts.models import DatasetVersion, VersionRecord
from artifacts.versions import page_of, recall_words
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid

ACTIVE, WITHDRAWN = VersionRecord.State.ACTIVE, VersionRecord.State.WITHDRAWN
REASON_MAX = 2000
NOTICE_KINDS = {True: "dataset.recalled", False: "dataset.reinstated"}


@action("datasets.recall", on="version")
def withdraw_version(actor: Actor, version: DatasetVersion, *, reason: str) -> DatasetVersion:
    """Recall a version: new uses are refused, what was built on it is flagged, and its owners are told.

    The same recall again changes nothing; after somebody else's it is a Conflict. Raises Invalid without a reason.
    """
    return _turn(actor, version, WITHDRAWN, reason)


@action("datasets.recall", on="version")
def reinstate_version(actor: Actor, version: DatasetVersion, *, reason: str) -> DatasetVersion:
    """Take a recall back, with a reason: it may be used again, and those who were told are told so.

    The same again changes nothing. Raises Invalid without a reason, Conflict for one that was never recalled.
    """
    return _turn(actor, version, ACTIVE, reason)


def _turn(actor: Actor, version: DatasetVersion, state: VersionRecord.State, reason: str) -> DatasetVersion:
    reason = checked_words(reason, "reason", REASON_MAX)
    if not reason:
        what = "recalled" if state is WITHDRAWN else "reinstated"
        raise Invalid(f"Say why the version is {what}; it is kept.", field="reason")
    dataset = held(version.dataset)
    current_act().speaks_of(version.ledger_subject)
    record = record_held(version)
    if record.state == state:
        _check_replay(actor, record, reason)
        return version
    record.state, record.state_reason = state, reason
    record.state_at, record.state_by_id = now(), actor.user_id
    record.save()
    version.dataset, version.record = dataset, record
    _tell_its_maker(actor, version)
    for hook in hooks.version_recalled:
        hook(actor, version, state is WITHDRAWN)
    return version


def _check_replay(actor: Actor, record: VersionRecord, reason: str) -> None:
    """Nothing to do where the same person said the same before; else say who was first."""
    if record.state_at is not None and (record.state_by_id, record.state_reason) == (actor.user_id, reason):
        return
    if record.state == ACTIVE and record.state_at is None:
        raise Conflict("This version is not recalled.", hint="There is nothing to take back.")
    what = "recalled" if record.state == WITHDRAWN else "reinstated"
    by = str(record.state_by) if record.state_by else "MLED"
    raise Conflict(
        f"This version was {what} already, on {record.state_at:%Y-%m-%d} by {by}: {record.state_reason}",
        hint="Look at its page again.",
    )


def _tell_its_maker(actor: Actor, version: DatasetVersion) -> None:
    maker = version.created_by
    if maker is None or maker.pk == actor.user_id:
        return
    is_recalled = version.record.state == WITHDRAWN
    words = f"{recall_words(version, is_recalled=is_recalled)} You made this version."
    tell([maker], kind=NOTICE_KINDS[is_recalled], text=words, url=page_of(version), project=version.dataset.project)
