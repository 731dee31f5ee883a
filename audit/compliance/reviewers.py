"""Who may review in a project, and who may answer there: by the roles that people hold now."""

from accounts.models import Project, User
from accounts.queries.people import people_who

REVIEW, ANSWER = "compliance.decide_review", "compliance.answer"


def may_review(user: User, project: Project) -> bool:
    """Whether this person reviews in this project."""
    return any(one.pk == user.pk for one in people_who(REVIEW, project))


def may_answer(user: User, project: Project) -> bool:
    """Whether this person answers findings in this project."""
    return any(one.pk == user.pk for one in people_who(ANSWER, project))
