"""Reading webhooks and what became of their messages."""

from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from accounts.models import Project
from kernel.actor import Actor
from kernel.errors import NotFound
from registry.models import Delivery, Webhook


def webhooks_of(viewer: Actor, project: Project) -> QuerySet[Webhook]:
    """The webhooks of a project, the oldest first, each with `failing` (messages given up) and `last_at`."""
    rows: QuerySet[Webhook] = Webhook.objects.visible_to(viewer)
    failing = Count("deliveries", filter=Q(deliveries__state=Delivery.State.FAILED))
    counted = rows.filter(project=project).annotate(failing=failing, last_at=Max("deliveries__created_at"))
    return counted.select_related("project", "created_by").order_by("created_at", "pk")


def get_webhook(viewer: Actor, webhook_id: UUID) -> Webhook:
    """One webhook. Raises NotFound."""
    rows: QuerySet[Webhook] = Webhook.objects.visible_to(viewer)
    found = rows.filter(pk=webhook_id).select_related("project", "created_by").first()
    if found is None:
        raise NotFound("No such webhook was found.")
    return found


def deliveries_of(viewer: Actor, webhook: Webhook) -> QuerySet[Delivery]:
    """What a webhook was sent, or will be, the newest first."""
    rows: QuerySet[Delivery] = Delivery.objects.visible_to(viewer)
    return rows.filter(webhook=webhook).select_related("webhook__project").order_by("-created_at", "pk")


def get_delivery(viewer: Actor, delivery_id: UUID) -> Delivery:
    """One message and its fate. Raises NotFound."""
    rows: QuerySet[Delivery] = Delivery.objects.visible_to(viewer)
    found = rows.filter(pk=delivery_id).select_related("webhook__project").first()
    if found is None:
        raise NotFound("No such delivery was found.")
    return found
