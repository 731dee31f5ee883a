"""Who can see or do what in a project and why: everybody with a role, by a group, as a guest, or by a token."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import can, not_found, require, roles_in
from accounts.models import ApiToken, Project, User
from accounts.roles import Role
from audit.compliance.access_table import PersonAccess, TokenUse, conflicts_of, is_dormant, last_seen
from audit.compliance.access_ways import DIRECT, EXPERIMENT, GROUP, PROJECT, Way, ways_into
from audit.compliance.models import AccessReview
from audit.compliance.rights import rights_of
from kernel.actor import Actor

SEES = "compliance.see_access"


def access_of(viewer: Actor, project: Project) -> list[PersonAccess]:
    """Everybody who can see or do anything in a project, by name. Raises NotFound, Refused.

    The number of questions to the database does not grow with the people.
    """
    require(viewer, SEES, project)
    ways = ways_into(project)
    tokens = _tokens_by_owner(project, ways)
    found = [_person(viewer, project, user, tuple(why), tokens.get(user.pk, [])) for user, why in ways.items()]
    return sorted(found, key=lambda one: (_place(one), str(one.user).lower(), one.user.pk))


def _place(person: PersonAccess) -> int:
    """Members first, then guests, then those whose role is on the whole site."""
    kinds = {way.kind for way in person.ways}
    return 0 if kinds & {DIRECT, GROUP} else 1 if kinds & {PROJECT, EXPERIMENT} else 2


def _tokens_by_owner(project: Project, people: Iterable[User]) -> dict[UUID, list[ApiToken]]:
    """The live tokens of these people, good for the project or not: using any shows that an account is in use."""
    found: dict[UUID, list[ApiToken]] = {}
    for token in ApiToken.objects.filter(user__in=[one.pk for one in people], run_uid=None).order_by(
        "created_at", "pk"
    ):
        found.setdefault(token.user_id, []).append(token)
    return found


def _person(
    viewer: Actor, project: Project, user: User, ways: tuple[Way, ...], tokens: Sequence[ApiToken]
) -> PersonAccess:
    kinds = {way.kind for way in ways}
    roles = [Role(way.role) for way in ways if way.role]
    sight = {"sees_project": PROJECT in kinds, "sees_experiments": EXPERIMENT in kinds}
    good = [one for one in tokens if one.is_live and (one.projects is None or project.pk.hex in one.projects)]
    seen_at = last_seen(user, tokens)
    return PersonAccess(
        user=user,
        ways=ways,
        rights=rights_of(roles if user.is_active else (), **(sight if user.is_active else {})),
        token_ids=tuple(one.pk.hex for one in good),
        tokens=tuple(map(_use, good)) if _sees_tokens_of(viewer, project, user) else (),
        last_seen_at=seen_at,
        is_dormant=user.is_active and is_dormant(user, seen_at),
        conflicts=tuple(conflicts_of(user, ways, good)),
    )


def _sees_tokens_of(viewer: Actor, project: Project, user: User) -> bool:
    """Auditors see everybody's, managers those of service accounts, everybody their own."""
    if not viewer.is_person or user.pk == viewer.user_id or user.is_service:
        return True
    return Role.AUDITOR in roles_in(viewer, project.pk)


def _use(token: ApiToken) -> TokenUse:
    return TokenUse(
        token.pk, token.name, token.prefix, tuple(token.scopes), token.projects is None, token.last_used_at,
        token.expires_at,
    )  # fmt: skip


def sign_offs_in(viewer: Actor, project: Project) -> QuerySet[AccessReview]:
    """Every sign-off of who may do what. Raises NotFound, Refused."""
    require(viewer, SEES, project)
    rows = AccessReview.objects.visible_to(viewer).filter(project=project)
    return rows.select_related("by", "project")


def sign_offs(viewer: Actor, project: Project) -> list[AccessReview]:
    """When somebody signed off who may do what, newest first. Raises NotFound, Refused."""
    return list(sign_offs_in(viewer, project).order_by("-at", "-pk"))


def get_sign_off(viewer: Actor, project: Project, number: UUID) -> AccessReview:
    """One sign-off with its table. Raises NotFound, Refused."""
    found = next((one for one in sign_offs(viewer, project) if one.pk == number), None)
    if found is None:
        raise not_found(AccessReview)
    return found


def names_in(viewer: Actor, project: Project, tables: Iterable[Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """How the people in these tables are called today, by the ids that stand in them. Raises NotFound, Refused."""
    require(viewer, SEES, project)
    ids = {one for table in tables for row in table for one in (row["user"], *(way["by"] for way in row["ways"]))}
    known = User.objects.filter(pk__in=[UUID(hex=one) for one in ids if len(one) == 32])
    return {one.pk.hex: str(one) for one in known}


def may_sign_off(viewer: Actor, project: Project) -> bool:
    """Whether this viewer signs off who may do what."""
    return bool(can(viewer, "compliance.review_access", project))
