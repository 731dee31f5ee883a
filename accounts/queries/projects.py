"""Reading projects and their members."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.access import find_project, roles_in, standing
from accounts.models import ApiToken, Membership, Project
from accounts.roles import Role
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import NotFound

__all__ = [
    "MyProject",
    "find_member",
    "find_my_token",
    "find_project",
    "members_of",
    "my_job_tokens",
    "my_projects",
    "my_tokens",
    "visible_projects",
]


@dataclass(frozen=True, slots=True)
class MyProject:
    """A project with the viewer's roles in it."""

    project: Project
    roles: Sequence[Role]


def visible_projects(viewer: Actor) -> QuerySet[Project]:
    """The projects that the viewer may see, by name."""
    projects: QuerySet[Project] = Project.objects.visible_to(viewer).order_by("name")
    return projects


def my_projects(viewer: Actor) -> list[MyProject]:
    """The visible projects with one's own roles; those where one has a role first."""
    mine = standing(viewer)
    listed = [MyProject(project, sorted(roles_in(viewer, project.pk))) for project in visible_projects(viewer)]
    return sorted(listed, key=lambda one: (one.project.pk not in mine, one.project.name.lower()))


def members_of(viewer: Actor, project: Project) -> QuerySet[Membership]:
    """Who has which role in a project."""
    rows: QuerySet[Membership] = (
        Membership.objects.visible_to(viewer)
        .filter(project=project)
        .select_related("user", "group")
        .prefetch_related("group__members__user")
        .order_by("role", "user__name", "group__name")
    )
    return rows


def find_member(viewer: Actor, project: Project, membership_id: int) -> Membership:
    """One role of one person or group in a project. Raises NotFound."""
    found = members_of(viewer, project).filter(pk=membership_id).first()
    if found is None:
        raise NotFound("No such member was found.")
    return found


def my_tokens(viewer: Actor) -> QuerySet[ApiToken]:
    """One's own tokens, newest first, revoked and expired ones too; not those that jobs were given."""
    return _tokens(viewer).filter(run_uid=None)


def my_job_tokens(viewer: Actor) -> QuerySet[ApiToken]:
    """Tokens that act as oneself and that jobs under way were given, newest first: those that are still good."""
    good = Q(expires_at=None) | Q(expires_at__gt=now())
    return _tokens(viewer).filter(good, run_uid__isnull=False, revoked_at=None)


def find_my_token(viewer: Actor, token_id: UUID) -> ApiToken:
    """One token that acts as oneself, also a job's. Raises NotFound."""
    found = _tokens(viewer).filter(pk=token_id).first()
    if found is None:
        raise NotFound("No such token was found.")
    return found


def _tokens(viewer: Actor) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(user=viewer.user_id).select_related("default_project").order_by("-created_at")
