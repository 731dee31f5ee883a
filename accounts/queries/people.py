"""Reading people and groups."""

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.access import can
from accounts.models import Group, Membership, Project, User
from kernel.actor import Actor


def people_in(memberships: Iterable[Membership]) -> list[User]:
    """Everybody who has a role by these memberships, directly or by a group, by name, each once."""
    people: dict[object, User] = {}
    for membership in memberships:
        if membership.user is not None:
            people[membership.user.pk] = membership.user
        elif membership.group is not None:
            people |= {member.user.pk: member.user for member in membership.group.members.all()}
    return sorted(people.values(), key=lambda user: user.name.lower())


def groups_to_add(viewer: Actor, project: Project) -> QuerySet[Group]:
    """The groups that this viewer could give a role in the project; none for others."""
    may = can(viewer, "members.manage", project) or can(viewer, "members.appoint", project)
    return Group.objects.order_by("name") if may else Group.objects.none()
