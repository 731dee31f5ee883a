"""Webhooks of a project, and what became of each message."""

from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from accounts.access import not_found, require
from accounts.models import Project
from kernel.actor import Actor
from registry.models import Delivery, ModelVersion, Webhook


def webhooks_of(viewer: Actor, project: Project) -> list[Webhook]:
    """The project's webhooks, newest first, with `sent`, `failed` and `last_at` of their messages. Raises Refused."""
    require(viewer, "webhooks.see", project)
    failed = Count("deliveries", filter=Q(deliveries__state=Delivery.State.FAILED))
    rows = Webhook.objects.visible_to(viewer).filter(project=project).select_related("created_by")
    counted = rows.annotate(sent=Count("deliveries"), failed=failed, last_at=Max("deliveries__created_at"))
    return list(counted.order_by("-is_active", "-created_at"))


def get_webhook(viewer: Actor, project: Project, webhook: UUID) -> Webhook:
    """One webhook of the project. Raises NotFound, Refused."""
    require(viewer, "webhooks.see", project)
    rows = Webhook.objects.visible_to(viewer).filter(project=project, pk=webhook)
    found: Webhook | None = rows.select_related("project", "created_by").first()
    if found is None:
        raise not_found(Webhook)
    return found


def deliveries_of(viewer: Actor, webhook: Webhook) -> QuerySet[Delivery]:
    """The messages of a webhook, newest first."""
    rows: QuerySet[Delivery] = Delivery.objects.visible_to(viewer)
    return rows.filter(webhook=webhook).select_related("webhook").order_by("-created_at", "-pk")


def deliveries_of_version(viewer: Actor, version: ModelVersion) -> QuerySet[Delivery]:
    """Messages that spoke of this version, newest first."""
    rows: QuerySet[Delivery] = Delivery.objects.visible_to(viewer)
    of_project = rows.filter(webhook__project=version.model.project_id).select_related("webhook")
    return of_project.filter(body__contains=f'"version_id":{version.pk}').order_by("-created_at", "-pk")
