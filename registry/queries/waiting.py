"""What waits for somebody's decision."""

from django.db.models import Q

from accounts.access import can
from accounts.models import Project
from kernel.actor import Actor
from registry.models import PromotionRequest
from registry.promoting.makers import DECIDE
from registry.queries.promotions import may_decide

LOOKED_AT = 50


def waiting_for(viewer: Actor, *, limit: int = 8) -> list[PromotionRequest]:
    """The promotions that this viewer may decide about, in all projects, the oldest first."""
    asked = PromotionRequest.objects.visible_to(viewer).filter(state=PromotionRequest.State.ASKED)
    rows = asked.exclude(_made_by(viewer)).select_related(
        "model__project", "version__model__project", "version__run", "version__logged_model__source_run", "created_by"
    )
    able: dict[Project, bool] = {}
    found: list[PromotionRequest] = []
    for request in rows.order_by("created_at", "pk")[:LOOKED_AT]:
        project = request.model.project
        if project not in able:
            able[project] = bool(can(viewer, DECIDE, project))
        if able[project] and may_decide(viewer, request):
            found.append(request)
        if len(found) == limit:
            break
    return found


def _made_by(viewer: Actor) -> Q:
    """What the viewer asked for or made, so that nobody has to look into the log for it."""
    run, model = "version__run", "version__logged_model"
    made = ("created_by", "version__created_by", f"{run}__created_by", f"{model}__created_by")
    conditions = Q()
    for maker in (*made, f"{model}__source_run__created_by"):
        conditions |= Q(**{maker: viewer.user_id})
    return conditions
