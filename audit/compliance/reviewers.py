"""Who may review in a project, and who may answer there: by the roles that people hold now."""

from django.db.models import Q

from accounts.models import Membership, Project, User
from accounts.queries.people import people_in
from accounts.roles import roles_with

REVIEW, ANSWER = "compliance.decide_review", "compliance.answer"


def people_who(permission: str, project: Project) -> list[User]:
    """Everybody whose role gives them this permission in the project, by name; service accounts are left out."""
    rows = Membership.objects.filter(Q(project=project) | Q(project=None), role__in=roles_with(permission))
    people = people_in(rows.select_related("user", "group").prefetch_related("group__members__user"))
    return [user for user in people if user.is_active and not user.is_service]


def may_review(user: User, project: Project) -> bool:
    """Whether this person reviews in this project."""
    return any(one.pk == user.pk for one in people_who(REVIEW, project))


def may_answer(user: User, project: Project) -> bool:
    """Whether this person answers findings in this project."""
    return any(one.pk == user.pk for one in people_who(ANSWER, project))
