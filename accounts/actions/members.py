"""Who has which role. Nobody holds both auditor and a writing role in one project."""

from uuid import UUID

from django.db.models import Q

from accounts.decorators import action
from accounts.models import Group, GroupMember, Membership, Project, User
from accounts.roles import SITE_ROLES, WRITING_ROLES, Role
from accounts.texts import checked_line
from kernel.actor import Actor
from kernel.errors import AlreadyExists, Conflict, Invalid, NotFound, Refused

MANAGED = frozenset({Role.DATA_SCIENTIST, Role.ML_ENGINEER, Role.PROJECT_MANAGER})  # given by a project's manager
APPOINTED = frozenset({Role.PROJECT_MANAGER, Role.AUDITOR})  # given by an administrator


_SHORT = {
    "scientist": "data_scientist",
    "engineer": "ml_engineer",
    "manager": "project_manager",
    "admin": "administrator",
}


def parsed_role(text: str) -> Role:
    """The role by its name or the short form that people say ('scientist'). Raises Invalid."""
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    try:
        return Role(_SHORT.get(word, word))
    except ValueError:
        names = ", ".join(role.value for role in Role)
        raise Invalid(f"'{text[:40]}' is not a role.", hint=f"Roles are {names}.", field="role") from None


@action("members.manage", on="project")
def add_member(
    actor: Actor,
    project: Project,
    *,
    role: Role,
    user: User | None = None,
    group: Group | None = None,
    reason: str = "",
) -> Membership:
    """A manager gives a user or a group a role in the project. Raises Refused, Conflict, AlreadyExists."""
    _check_role(role, MANAGED)
    return _add(actor, project, role, user, group)


@action("members.appoint", on="project")
def appoint_member(
    actor: Actor,
    project: Project,
    *,
    role: Role,
    user: User | None = None,
    group: Group | None = None,
    reason: str = "",
) -> Membership:
    """An administrator appoints a manager or an auditor of the project. Raises Refused, Conflict, AlreadyExists."""
    _check_role(role, APPOINTED)
    return _add(actor, project, role, user, group)


@action("members.manage", on="membership")
def remove_member(actor: Actor, membership: Membership, *, reason: str = "") -> None:
    """A manager takes a role away, but not their own and not an auditor's."""
    _check_role(Role(membership.role), MANAGED)
    _remove(actor, membership)


@action("members.appoint", on="membership")
def dismiss_member(actor: Actor, membership: Membership, *, reason: str = "") -> None:
    """An administrator takes a manager's or an auditor's role away."""
    _check_role(Role(membership.role), APPOINTED)
    _remove(actor, membership)


@action("members.manage", on="membership")
def change_role(actor: Actor, membership: Membership, *, role: Role, reason: str = "") -> Membership:
    """A manager gives the holder of a membership another role instead, in one act."""
    held = Role(membership.role)
    _check_role(held, MANAGED)
    _check_role(role, MANAGED)
    if held is role:
        return membership
    project = _project_of(membership)
    _hold(project)
    _check_not_self(actor, membership.user, membership.group)
    if held is Role.PROJECT_MANAGER:
        _check_manager_stays(membership)
    for person in _people(membership.user, membership.group):
        _check_separation(person, project.pk, role, leaving_out=membership.pk)
    _check_new(project, membership.user, membership.group, role)
    membership.role = role
    membership.save()
    return membership


def _check_role(role: Role, given: frozenset[Role]) -> None:
    if role not in given:
        who = "an administrator" if given is MANAGED else "a manager of the project"
        raise Refused(f"The role {role.label} is given and taken by {who}.", hint=f"Ask {who}.", field="role")


def _check_not_self(actor: Actor, user: User | None, group: Group | None = None) -> None:
    """Raise Refused for one's own role, also where it comes by a group that one is in."""
    me = actor.user_id
    if me is None:
        return
    by_group = group is not None and GroupMember.objects.filter(group=group, user_id=me).exists()
    if by_group or (user is not None and user.id == me):
        raise Refused("Nobody changes their own role.", hint="Ask another manager or an administrator.")


def _check_new(project: Project, user: User | None, group: Group | None, role: Role) -> None:
    if Membership.objects.filter(project=project, user=user, group=group, role=role).exists():
        raise AlreadyExists(f"{user or group} has that role already.", field="email")


def _hold(project: Project) -> None:
    """One change of a project's members at a time: what was checked still holds when it is written."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def _check_manager_stays(membership: Membership) -> None:
    managers = Membership.objects.filter(project=membership.project, role=Role.PROJECT_MANAGER)
    if not managers.exclude(pk=membership.pk).exists():
        raise Conflict("A project keeps at least one manager.", hint="Add another one first.")


def _project_of(membership: Membership) -> Project:
    if membership.project is None:
        raise Invalid("This is a role of the whole site, not of a project.")
    return membership.project


def _add(actor: Actor, project: Project, role: Role, user: User | None, group: Group | None) -> Membership:
    if (user is None) == (group is None):
        raise Invalid("Name one user or one group.", field="email")
    _hold(project)
    people = _people(user, group)
    _check_not_self(actor, user, group)
    for person in people:
        _check_separation(person, project.pk, role)
    _check_new(project, user, group, role)
    membership = Membership(project=project, user=user, group=group, role=role)
    membership.save()
    return membership


def _remove(actor: Actor, membership: Membership) -> None:
    _hold(_project_of(membership))
    _check_not_self(actor, membership.user, membership.group)
    if membership.role == Role.PROJECT_MANAGER:
        _check_manager_stays(membership)
    membership.delete()


@action("users.create")
def appoint(actor: Actor, *, user: User, role: Role, reason: str = "") -> Membership:
    """Give a user a role on the whole site: administrator, auditor or project manager."""
    if role not in SITE_ROLES:
        raise Invalid(f"{role.label} is a role in a project, not of the whole site.", field="role")
    if user.id == actor.user_id:
        raise Refused("Nobody changes their own role.", hint="Ask another administrator.")
    for person in _people(user, None):
        _check_separation(person, None, role)
    if Membership.objects.filter(project=None, user=user, role=role).exists():
        raise AlreadyExists(f"{user} has that role already.", field="email")
    membership = Membership(project=None, user=user, role=role)
    membership.save()
    return membership


@action("users.create")
def dismiss(actor: Actor, *, membership: Membership, reason: str = "") -> None:
    """Take a site-wide role away. One administrator always stays."""
    if membership.project_id is not None:
        raise Invalid("This is a role in a project.")
    if membership.user_id == actor.user_id:
        raise Refused("Nobody changes their own role.", hint="Ask another administrator.")
    administrators = Membership.objects.select_for_update().filter(project=None, role=Role.ADMINISTRATOR).order_by("pk")
    if membership.role == Role.ADMINISTRATOR and not set(administrators) - {membership}:
        raise Conflict("One administrator always stays.", hint="Appoint another one first.")
    membership.delete()


def _people(user: User | None, group: Group | None) -> list[User]:
    """Whom a role of this user or group concerns, held until the commit: nobody else gives them another meanwhile."""
    if group is not None:
        Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    who = User.objects.filter(pk=user.pk) if user else User.objects.filter(group_memberships__group=group)
    return list(who.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _roles_of(user: User, project_id: UUID | None, leaving_out: int | None = None) -> set[Role]:
    mine = Q(user=user) | Q(group__members__user=user)
    where = Q(project=None) | Q(project_id=project_id) if project_id else Q()
    rows = Membership.objects.filter(mine & where).exclude(pk=leaving_out)
    return {Role(role) for role in rows.values_list("role", flat=True)}


def _check_separation(user: User, project_id: UUID | None, role: Role, leaving_out: int | None = None) -> None:
    """Raise Conflict where somebody would both write and audit. A site-wide role counts in every project."""
    held = _roles_of(user, project_id, leaving_out)
    clash = (role is Role.AUDITOR and held & WRITING_ROLES) or (role in WRITING_ROLES and Role.AUDITOR in held)
    if clash:
        raise Conflict(
            f"{user} would both write and audit here.", hint="Give the auditor's role to somebody else.", field="role"
        )


@action("groups.manage")
def create_group(actor: Actor, *, name: str) -> Group:
    """Make a group of people who get roles together."""
    called = checked_line(name, "A group's name", 120, field="name")
    if Group.objects.filter(name=called).exists():
        raise AlreadyExists(f"There is a group '{called}' already.", field="name")
    group = Group(name=called)
    group.save()
    return group


@action("groups.manage")
def add_to_group(actor: Actor, *, group: Group, user: User) -> GroupMember:
    """Put somebody else into a group; its roles are theirs from now on. Raises Refused, Conflict, AlreadyExists."""
    if user.id == actor.user_id:
        raise Refused(
            "Nobody puts themselves into a group: its roles would be theirs.", hint="Ask another administrator."
        )
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if GroupMember.objects.filter(group=group, user=user).exists():
        raise AlreadyExists(f"{user} is in this group already.", field="email")
    for project_id, role in Membership.objects.filter(group=group).values_list("project_id", "role"):
        _check_separation(user, project_id, Role(role))
    member = GroupMember(group=group, user=user)
    member.save()
    return member


@action("groups.manage")
def remove_from_group(actor: Actor, *, group: Group, user: User) -> None:
    """Take somebody out of a group."""
    member = GroupMember.objects.filter(group=group, user=user).first()
    if member is None:
        raise NotFound(f"{user} is not in this group.", field="email")
    member.delete()
