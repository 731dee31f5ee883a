"""Telling people what happened: a line on their home page, and by mail if they do not read it there."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Q

from accounts.models import GroupMember, Membership, Notice, Project, User
from accounts.roles import THE_TABLE
from audit.ledger.acting import current_act

TEXT_MAX = 500
_ROWS_AT_ONCE = 500
_SEEING = [role for role, grants in THE_TABLE.items() if "experiments.see" in grants]


def tell(users: Iterable[User], *, kind: str, text: str, url: str = "", project: Project | None = None) -> list[Notice]:
    """Part of an act: one notice to each of these people, once to each, whoever named them.

    kind: what happened, such as 'dataset.recalled'. url: the path of the page that shows it. project: only those are
    told who see its experiments by a role, so that who left learns nothing more of it. Deactivated people and service
    accounts are not told; a text that is too long ends in '…'.
    """
    current_act()
    listeners = {user.pk: user for user in users if user.is_active and not user.is_service}
    if project is not None:
        inside = _inside(project, listeners)
        listeners = {pk: user for pk, user in listeners.items() if pk in inside}
    line = text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
    notices = [Notice(user=user, project=project, kind=kind, text=line, url=url) for user in listeners.values()]
    return Notice.objects.bulk_create(notices, batch_size=_ROWS_AT_ONCE)


def _inside(project: Project, people: Collection[UUID]) -> set[UUID]:
    """Who of them sees the project's experiments today, by a role of their own or of a group."""
    roles = Membership.objects.filter(Q(project=project) | Q(project=None), role__in=_SEEING)
    direct = roles.filter(user__in=people).values_list("user_id", flat=True)
    groups = roles.filter(group__isnull=False).values("group_id")
    by_group = GroupMember.objects.filter(group__in=groups, user__in=people).values_list("user_id", flat=True)
    return set(direct) | set(by_group)
