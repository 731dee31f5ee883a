"""What one does with what one was told."""

from collections.abc import Sequence

from django.db.models import Q

from accounts.decorators import action
from accounts.models import Notice
from kernel.actor import Actor
from kernel.clock import now


@action("account.edit")
def mark_notices_read(actor: Actor, *, notices: Sequence[int] | None = None) -> int:
    """Note that one has read these notices of one's own, or all of them; returns how many were unread.

    Ids of other people's notices are passed over.
    """
    mine = Notice.objects.filter(Q(user_id=actor.user_id), read_at=None)
    return mine.filter(pk__in=notices).update(read_at=now()) if notices is not None else mine.update(read_at=now())
