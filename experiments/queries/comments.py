"""What people say about a run, and whom they can speak to."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.access import not_found, require
from accounts.models import Membership, User
from accounts.queries.people import people_in
from accounts.roles import roles_with
from experiments.models import Comment, Run
from kernel.actor import Actor


def comments_of(viewer: Actor, run: Run) -> QuerySet[Comment]:
    """The comments on a run, the oldest first; of removed ones the place."""
    rows: QuerySet[Comment] = Comment.objects.visible_to(viewer).filter(run=run)
    return rows.select_related("created_by", "removed_by").order_by("created_at", "pk")


def get_comment(viewer: Actor, run: Run, comment_id: UUID) -> Comment:
    """One comment on a run. Raises NotFound, the same for absent, invisible and one of another run."""
    rows = Comment.objects.visible_to(viewer).filter(run=run, pk=comment_id)
    found: Comment | None = rows.select_related("created_by", "removed_by", "run__project").first()
    if found is None:
        raise not_found(Comment)
    return found


def people_to_mention(viewer: Actor, run: Run) -> list[User]:
    """Everybody who sees the run by a role and can be told so, by name. Raises NotFound."""
    require(viewer, "experiments.see", run)
    roles = Membership.objects.filter(project=run.project_id) | Membership.objects.filter(project=None)
    seeing = roles.filter(role__in=roles_with("experiments.see"))
    people = people_in(seeing.select_related("user", "group").prefetch_related("group__members__user"))
    return [user for user in people if user.is_active and not user.is_service]
