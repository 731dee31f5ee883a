"""Reading people and groups."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.access import can, require
from accounts.models import Group, Membership, Project, ProjectUserObjectPermission, User
from accounts.roles import roles_with
from kernel.actor import Actor
from kernel.errors import NotFound


def people_in(memberships: Iterable[Membership]) -> list[User]:
    """Everybody who has a role by these memberships, directly or by a group, by name, each once."""
    people: dict[object, User] = {}
    for membership in memberships:
        if membership.user is not None:
            people[membership.user.pk] = membership.user
        elif membership.group is not None:
            people |= {member.user.pk: member.user for member in membership.group.members.all()}
    return sorted(people.values(), key=lambda user: user.name.lower())


def people_who(permission: str, project: Project) -> list[User]:
    """Everybody whose role gives them this permission in the project, by name; service accounts are left out."""
    rows = Membership.objects.filter(Q(project=project) | Q(project=None), role__in=roles_with(permission))
    people = people_in(rows.select_related("user", "group").prefetch_related("group__members__user"))
    return [user for user in people if user.is_active and not user.is_service]


def groups_to_add(viewer: Actor, project: Project) -> QuerySet[Group]:
    """The groups that this viewer could give a role in the project; none for others."""
    may = can(viewer, "members.manage", project) or can(viewer, "members.appoint", project)
    return Group.objects.order_by("name") if may else Group.objects.none()


def guests_of(viewer: Actor, project: Project) -> QuerySet[User]:
    """The people who see a project without a role in it, for those who manage members. Raises Refused, NotFound."""
    require(viewer, "members.manage", project)
    grants = ProjectUserObjectPermission.objects.filter(content_object=project)
    guests: QuerySet[User] = User.objects.filter(pk__in=grants.values("user_id"))
    return guests


def find_guest(viewer: Actor, project: Project, user_id: UUID) -> User:
    """One guest of a project. Raises NotFound."""
    guest = guests_of(viewer, project).filter(pk=user_id).first()
    if guest is None:
        raise NotFound("No such guest was found.")
    return guest
