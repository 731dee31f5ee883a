"""May this actor do that to this thing? One function answers, with a reason for each refusal.

In order: user active; token scope and project list narrow; site role; project role (direct or by group); guardian
grant; object state. Upper rooms register what they know of state and grants; this room never asks them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from accounts import claims
from accounts.facts import Facts, Standing, facts
from accounts.models import Project, ProjectUserObjectPermission
from accounts.one_run import beyond_its_run, may_be_asked
from accounts.roles import (
    PERMISSIONS,
    READS_BY_TOKEN,
    REASON_NEEDED,
    THE_TABLE,
    Permission,
    Reach,
    Role,
    Scope,
    roles_with,
)
from accounts.scoping import ProjectScoped
from kernel.actor import Actor, ActorKind, TokenGrant
from kernel.errors import MledError, NotFound, Refused, Unauthenticated

StateCheck = Callable[[Actor, str, Any], MledError | None]

_state_checks: dict[type, list[StateCheck]] = defaultdict(list)
_experiment_grants: list[Callable[[UUID], Mapping[int, UUID]]] = []
GRANTABLE = frozenset({"projects.see", "experiments.see", "experiments.download"})


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes. needs_reason: only together with a reason."""

    needs_reason: bool = False

    def __bool__(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Denied:
    """No, and why, as the error that a door may show to whoever can see the thing."""

    error: MledError

    def __bool__(self) -> bool:
        return False

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        return str(self.error)


@dataclass(frozen=True, slots=True)
class Sight:
    """How far a viewer sees: everything, or these projects and single experiments; in others what is their own."""

    everything: bool
    projects: frozenset[UUID]
    experiments: frozenset[int]
    own_in: frozenset[UUID] = frozenset()
    viewer_id: UUID | None = None


NOTHING = Sight(False, frozenset(), frozenset())


def register_state_check(model: type, check: StateCheck) -> None:
    """Let a room refuse acts on its rows by their state (locked, submitted). check returns the error, or None."""
    _state_checks[model].append(check)


def register_experiment_grants(grants: Callable[[UUID], Mapping[int, UUID]]) -> None:
    """Let the experiments room say which single experiments a user was granted sight of, with their projects' ids."""
    _experiment_grants.append(grants)


def facts_for(actor: Actor) -> Facts:
    """What this process knows of rights, asked once in the actor's request."""
    known: Facts | None = actor.memo.get("facts")
    if known is None:
        known = actor.memo["facts"] = facts()
    return known


def standing(actor: Actor) -> Standing:
    """The actor's roles by project id (None: site-wide), direct and by group."""
    if not actor.is_person or actor.user_id is None:
        return {}
    return facts_for(actor).standing(actor.user_id)


def roles_in(actor: Actor, project_id: UUID | None) -> frozenset[Role]:
    """Every role that counts for the actor in this project, site-wide ones included."""
    roles = standing(actor)
    return roles.get(None, frozenset()) | (roles.get(project_id, frozenset()) if project_id else frozenset())


def roles_text(actor: Actor, project_id: UUID | None) -> str:
    """The roles as an event keeps them."""
    return ",".join(sorted(roles_in(actor, project_id)))


def acts_in_person_only(actor: Actor) -> bool:
    """Whether no role of the actor, anywhere, lets a token do more than read. Whoever has no role yet may get one."""
    held = frozenset[Role]().union(*standing(actor).values())
    return bool(held) and held <= READS_BY_TOKEN


def can(
    actor: Actor, permission: str, subject: ProjectScoped | None = None, *, within: ProjectScoped | None = None
) -> Allowed | Denied:
    """Whether the actor may; a Denied says why not.

    within: the row that the act makes something in, which counts for a job's token.
    """
    wanted = PERMISSIONS[permission]
    verdict = _may(actor, wanted, subject, within)
    if verdict and subject is not None:
        for check in _state_checks.get(type(subject), ()):
            error = check(actor, permission, subject)
            if error is not None:
                return Denied(error)
    return verdict


def _may(
    actor: Actor, wanted: Permission, subject: ProjectScoped | None, within: ProjectScoped | None = None
) -> Allowed | Denied:
    if actor.kind in (ActorKind.OPERATOR, ActorKind.SYSTEM):
        return Allowed()
    if not actor.is_person:
        nobody = Denied(Unauthenticated("You are not signed in.", hint="Sign in, or send a token."))
        return _as_guest(actor, wanted, subject, nobody)
    if not actor.is_active:
        return Denied(Unauthenticated("This account is deactivated.", hint="Ask an administrator."))
    project_id = subject.scope_project_id if subject is not None else None
    narrowed = _narrowed_by_token(actor, wanted, subject, within)
    if narrowed is not None:
        return narrowed
    if wanted.own_account and (subject is None or subject.owner_id == actor.user_id):
        return Allowed()
    verdict = _by_role(actor, wanted, subject, project_id)
    if not verdict and (wanted.name == claims.MEET or not roles_in(actor, project_id)):
        return _as_guest(actor, wanted, subject, verdict)
    return verdict


def _as_guest(
    actor: Actor, wanted: Permission, subject: ProjectScoped | None, otherwise: Allowed | Denied
) -> Allowed | Denied:
    """What holds for people without a role where the project is a public board; elsewhere what holds otherwise."""
    if not wanted.guests or subject is None or subject.scope_project_id is None:
        return otherwise
    project = facts_for(actor).project(subject.scope_project_id)
    if project is None or not project.is_board:
        return otherwise
    error = claims.judged(actor, wanted.name, subject)
    return Allowed() if error is None else Denied(error)


def refused_to_token(token: TokenGrant, wanted: Permission) -> Refused | None:
    """What a token is told that is not for this at all, whatever it is asked of; None where it may be."""
    if not may_be_asked(token, wanted):
        what = f"The token '{token.name}' is a job's: it reads, and writes its own run. It may not {wanted.means}."
        return Refused(what, hint="Do it with a token of your own, or on the page.")
    if wanted.scope not in token.scopes:
        held = ", ".join(sorted(token.scopes)) or "none"
        what = f"The token '{token.name}' may not {wanted.means}: that needs the scope '{wanted.scope}', it has {held}."
        return Refused(what, hint="Use a token with that scope.")
    return None


def _narrowed_by_token(
    actor: Actor, wanted: Permission, subject: ProjectScoped | None, within: ProjectScoped | None
) -> Denied | None:
    token = actor.token
    if token is None:
        return None
    refused = refused_to_token(token, wanted) or beyond_its_run(actor, token, wanted, within or subject)
    if refused is not None:
        return Denied(refused)
    if subject is not None and token.projects is not None and subject.scope_project_id not in token.projects:
        return Denied(Refused(f"The token '{token.name}' is not good for this project.", hint="Use another token."))
    return None


def _by_role(
    actor: Actor, wanted: Permission, subject: ProjectScoped | None, project_id: UUID | None
) -> Allowed | Denied:
    roles = roles_in(actor, project_id)
    own = subject is not None and subject.owner_id is not None and subject.owner_id == actor.user_id
    granting = [role for role in roles if _reaches(role, wanted, own, by_token=actor.token is not None)]
    if granting:
        return Allowed(needs_reason=not own and all((role, wanted.name) in REASON_NEEDED for role in granting))
    if wanted.name in GRANTABLE and subject is not None and _granted(actor, subject):
        return Allowed()
    return Denied(_refusal(wanted, roles, own_only=any(wanted.name in THE_TABLE[role] for role in roles)))


def _reaches(role: Role, wanted: Permission, own: bool, *, by_token: bool) -> bool:
    if by_token and role in READS_BY_TOKEN and wanted.scope is not Scope.READ:
        return False
    reach = THE_TABLE[role].get(wanted.name)
    return reach is Reach.ANY or (reach is Reach.OWN and own)


def _granted(actor: Actor, subject: ProjectScoped) -> bool:
    seen = _granted_to(actor)
    return subject.scope_project_id in seen.projects or subject.scope_experiment_id in seen.experiments


def _granted_to(actor: Actor) -> Sight:
    """Single projects and experiments that guardian's grants open to this user, within the token's list."""
    known: Sight | None = actor.memo.get("grants")
    if known is None:
        known = actor.memo["grants"] = _read_grants(cast("UUID", actor.user_id), actor.token)
    return known


def _read_grants(user_id: UUID, token: TokenGrant | None) -> Sight:
    rows = ProjectUserObjectPermission.objects.filter(user_id=user_id, permission__codename="view_project")
    projects = frozenset(rows.values_list("content_object_id", flat=True))
    experiments: dict[int, UUID] = {}
    for grants in _experiment_grants:
        experiments |= grants(user_id)
    if token is not None and token.projects is not None:
        projects &= token.projects
        experiments = {pk: project_id for pk, project_id in experiments.items() if project_id in token.projects}
    return Sight(False, projects, frozenset(experiments))


def _refusal(wanted: Permission, roles: frozenset[Role], *, own_only: bool) -> MledError:
    held = " and ".join(sorted(role.label for role in roles)) or "no role"
    if own_only:
        what = f"As {held} you may {wanted.means} only where you created them."
    else:
        able = " or ".join(role.label for role in roles_with(wanted.name)) or "the operator of this server"
        what = f"You may not {wanted.means.replace(' and ', ' or ')}: that is for {able}, and you have {held} here."
    if Role.ADMINISTRATOR in roles:
        return Refused(what, hint="Ask somebody who has that role: keeping the system does not bring it.")
    return Refused(what, hint="Ask a manager of the project, or an administrator.")


def sight(viewer: Actor, permission: str) -> Sight:
    """How far the viewer sees with this permission: what `visible_to` filters by. `can` gives the same answer."""
    seen = _sight_by_role(viewer, permission)
    if seen.everything:
        return seen
    if PERMISSIONS[permission].guests:
        return replace(seen, projects=seen.projects | _boards_for(viewer, PERMISSIONS[permission]))
    if not _may_have_grants(viewer, permission):
        return seen
    granted = _granted_to(viewer)
    return replace(seen, projects=seen.projects | granted.projects, experiments=granted.experiments)


def _boards_for(viewer: Actor, wanted: Permission) -> frozenset[UUID]:
    """The public boards of which somebody without a role sees this."""
    token = viewer.token
    if viewer.is_person and (not viewer.is_active or (token and refused_to_token(token, wanted))):
        return frozenset()
    boards = Project.objects.filter(visibility=Project.Visibility.BOARD)
    if token is not None and token.projects is not None:
        boards = boards.filter(pk__in=token.projects)
    if wanted.name == claims.MEET:
        return frozenset(boards.values_list("pk", flat=True))
    opened = boards.filter(pk__in=claims.opened_to(viewer)).values_list("pk", flat=True)
    return frozenset(pk for pk in opened if not roles_in(viewer, pk))


def sees_whole(viewer: Actor, permission: str, project_id: UUID) -> bool:
    """Whether a role alone shows the viewer all of a project, which costs no look at grants; those may yet."""
    seen = _sight_by_role(viewer, permission)
    return seen.everything or project_id in seen.projects


def _may_have_grants(viewer: Actor, permission: str) -> bool:
    token = viewer.token
    may_ask = viewer.is_person and viewer.is_active and not (token and refused_to_token(token, PERMISSIONS[permission]))
    return may_ask and permission in GRANTABLE


def _sight_by_role(viewer: Actor, permission: str) -> Sight:
    if viewer.kind in (ActorKind.OPERATOR, ActorKind.SYSTEM):
        return Sight(True, frozenset(), frozenset())
    wanted, token = PERMISSIONS[permission], viewer.token
    if not viewer.is_person or not viewer.is_active or (token and refused_to_token(token, wanted)):
        return NOTHING
    roles = standing(viewer)
    limit = token.projects if token else None
    if Reach.ANY in _reach(roles.get(None, ()), permission):
        return Sight(True, frozenset(), frozenset()) if limit is None else Sight(False, limit, frozenset())
    reach = {pid: _reach(held, permission) for pid, held in roles.items() if pid and (limit is None or pid in limit)}
    projects = frozenset(pid for pid, found in reach.items() if Reach.ANY in found)
    own_in = frozenset(pid for pid, found in reach.items() if Reach.OWN in found) - projects
    return Sight(False, projects, frozenset(), own_in, viewer.user_id)


def _reach(roles: Iterable[Role], permission: str) -> set[Reach]:
    return {THE_TABLE[role][permission] for role in roles if permission in THE_TABLE[role]}


def require(
    actor: Actor, permission: str, subject: ProjectScoped | None = None, *, within: ProjectScoped | None = None
) -> Allowed:
    """Allowed, or the error: NotFound where the actor may not even see the subject, else the refusal itself."""
    verdict = can(actor, permission, subject, within=within)
    if isinstance(verdict, Allowed):
        return verdict
    if subject is not None and not isinstance(verdict.error, Unauthenticated) and not can_see(actor, subject):
        raise not_found(subject)
    raise verdict.error


def can_see(actor: Actor, subject: ProjectScoped) -> bool:
    """Whether the subject exists for this actor."""
    return bool(_may(actor, PERMISSIONS[subject.see_permission], subject))


def not_found(subject: ProjectScoped | type[ProjectScoped], name: object = "") -> NotFound:
    """The one answer for absent and invisible."""
    noun = str(subject._meta.verbose_name)
    return NotFound(f"No {noun} '{name}' was found." if name else f"No such {noun} was found.")


def find_project(viewer: Actor, slug: str) -> Project:
    """The project by its slug, if the viewer may see it. Raises NotFound."""
    project = facts_for(viewer).project(slug)
    if project is None or not can_see(viewer, project):
        raise not_found(Project, slug)
    return project


def find_project_by_id(viewer: Actor, project_id: UUID) -> Project:
    """The project by its id, if the viewer may see it. Raises NotFound."""
    project = facts_for(viewer).project(project_id)
    if project is None or not can_see(viewer, project):
        raise not_found(Project)
    return project
