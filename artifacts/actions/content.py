"""Looking after stored content: what reading it again found, and clearing away what nothing names."""

import logging
from collections.abc import Sequence

from django.db.models import Q

from accounts.decorators import action
from accounts.models import GroupMember, Membership, User
from accounts.notices import tell
from accounts.roles import Role
from artifacts import collecting
from artifacts.models import Blob, BlobCheck, UnnamedBlob
from artifacts.queries.content import KEEP, places_of
from artifacts.storage import Condition, Held, StoredBlob
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.clock import now

AT_ONCE = 100  # blobs that one act takes away

log = logging.getLogger(__name__)


@action(KEEP)
def note_check(actor: Actor, *, blob: StoredBlob, found: Condition) -> bool:
    """Keep what reading a blob again found. Bad news, and that it is over, is an event; administrators are told.

    Returns whether there is news. A blob that was cleared away meanwhile, or is about to be, is none.
    """
    if not Blob.objects.filter(pk=blob.digest).exists() or UnnamedBlob.objects.filter(pk=blob.digest).exists():
        return False
    before = BlobCheck.objects.filter(pk=blob.digest).values_list("outcome", flat=True).first()
    BlobCheck.objects.update_or_create(blob_id=blob.digest, defaults={"outcome": found.value, "at": now()})
    is_news: bool = (before or BlobCheck.Outcome.SOUND) != found.value
    if is_news:
        _report(actor, blob, found)
    return is_news


@action(KEEP)
def mark_unnamed_blobs(actor: Actor, *, strays: Sequence[Held] = ()) -> int:
    """Say of content that nothing names since when that is so. strays: content without a row. Returns how many wait."""
    return collecting.mark(strays)


@action(KEEP)
def collect_blobs(actor: Actor) -> list[StoredBlob]:
    """Take away some of what had no name for the time of grace; the event says which. Empty when there is no more."""
    gone = collecting.take_away(AT_ONCE)
    if gone:
        act = current_act()
        act.always = True
        listed = ", ".join(f"sha256:{blob.digest} ({blob.size_bytes} bytes)" for blob in gone)
        act.reason = f"Nothing named this content any more: {listed}."
    return gone


def _report(actor: Actor, blob: StoredBlob, found: Condition) -> None:
    words = f"Content sha256:{blob.digest} ({blob.size_bytes:,} bytes) {_SAID[found]}"
    places = places_of(actor, blob.digest)
    act = current_act()
    act.always = True
    act.reason = f"{words}. Files: {'; '.join(places) or 'none'}."
    if found is Condition.SOUND:
        log.warning("%s", words)
        return
    log.error("%s. Files: %s", words, "; ".join(places) or "none")
    tell(_administrators(), kind="content.damaged", text=f"{words}. First file: {places[0] if places else 'none'}.")


_SAID = {
    Condition.MISSING: "is missing from the store",
    Condition.CHANGED: "was changed in the store",
    Condition.SOUND: "is sound again",
}


def _administrators() -> list[User]:
    """Everybody who administers the site, by a role of their own or of a group."""
    roles = Membership.objects.filter(project=None, role=Role.ADMINISTRATOR)
    by_group = GroupMember.objects.filter(group__in=roles.filter(group__isnull=False).values("group_id"))
    direct = roles.filter(user__isnull=False)
    return list(User.objects.filter(Q(pk__in=direct.values("user_id")) | Q(pk__in=by_group.values("user_id"))))
