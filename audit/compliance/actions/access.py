"""Signing off who may do what in a project."""

from accounts.decorators import action
from accounts.models import Project
from audit.compliance.access_table import as_table, digest_of_grants, digest_of_table
from audit.compliance.models import AccessReview
from audit.compliance.queries.access import access_of
from audit.compliance.texts import kept_text
from kernel.actor import Actor
from kernel.errors import Conflict


@action("compliance.review_access", on="project")
def review_access(actor: Actor, project: Project, *, note: str, seen: str = "") -> AccessReview:
    """Record that the rights of everybody in a project were looked at, with the table of them.

    seen: the digest of the rights that the signer looked at (digest_of_grants), where a page showed it. Raises Invalid
    without a note, Conflict where a right came or went meanwhile.
    """
    text = kept_text(note, field="note", ask="Say what was looked at, and what follows from it.")
    table = as_table(access_of(actor, project))
    if seen and seen != digest_of_grants(table):
        raise Conflict("Rights changed since you looked at them.", hint="Look at what changed, then sign off.")
    review = AccessReview(project=project, table=table, digest=digest_of_table(table), note=text, by_id=actor.user_id)
    review.save()
    return review
