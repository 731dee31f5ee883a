"""Reading people and groups."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.access import can, require
from accounts.models import ApiToken, Group, Membership, Project, ProjectUserObjectPermission, User
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


def my_account(viewer: Actor) -> User:
    """One's own row. Raises NotFound for whoever is no person."""
    found: User | None = User.objects.filter(pk=viewer.user_id).first() if viewer.user_id else None
    if found is None:
        raise NotFound("Only a signed-in person has an account.")
    return found


def my_groups(viewer: Actor) -> list[str]:
    """The names of the groups that one is in."""
    return list(Group.objects.filter(members__user=viewer.user_id).order_by("name").values_list("name", flat=True))


def directory(viewer: Actor) -> QuerySet[User]:
    """Everybody who has or had an account here, with groups and roles. Raises Refused."""
    require(viewer, "users.see")
    everybody: QuerySet[User] = User.objects.prefetch_related("group_memberships__group", "memberships__project")
    return everybody


def find_person(viewer: Actor, user_id: UUID) -> User:
    """One person of the directory. Raises Refused, NotFound."""
    found = directory(viewer).filter(pk=user_id).first()
    if found is None:
        raise NotFound("No such person was found.")
    return found


def groups_with_people(viewer: Actor) -> QuerySet[Group]:
    """All groups and who is in them. Raises Refused."""
    require(viewer, "users.see")
    return Group.objects.prefetch_related("members__user")


def find_group(viewer: Actor, group_id: UUID) -> Group:
    """One group with who is in it. Raises Refused, NotFound."""
    found = groups_with_people(viewer).filter(pk=group_id).first()
    if found is None:
        raise NotFound("No such group was found.")
    return found


def find_group_to_add(viewer: Actor, project: Project, name: str) -> Group:
    """A group by its name, for whoever could give it a role in the project. Raises NotFound."""
    found = groups_to_add(viewer, project).filter(name=name.strip()).first()
    if found is None:
        raise NotFound(f"There is no group '{name[:80]}'.", hint="An administrator makes groups.", field="group")
    return found


def roles_of_the_site(viewer: Actor) -> QuerySet[Membership]:
    """Who has a role on the whole site. Raises Refused."""
    require(viewer, "users.see")
    return Membership.objects.filter(project=None).select_related("user", "group")


def find_role_of_the_site(viewer: Actor, membership_id: int) -> Membership:
    """One of them. Raises Refused, NotFound."""
    found = roles_of_the_site(viewer).filter(pk=membership_id).first()
    if found is None:
        raise NotFound("No such role was found.")
    return found


def tokens_of(viewer: Actor, user: User) -> QuerySet[ApiToken]:
    """What one may know of somebody's tokens, newest first. Raises Refused."""
    require(viewer, "tokens.revoke_others")
    return ApiToken.objects.filter(user=user).select_related("default_project")


def find_token_of(viewer: Actor, user: User, token_id: UUID) -> ApiToken:
    """One of somebody's tokens. Raises Refused, NotFound."""
    found = tokens_of(viewer, user).filter(pk=token_id).first()
    if found is None:
        raise NotFound("No such token was found.")
    return found
