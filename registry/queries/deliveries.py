"""What webhooks were told of one version."""

from django.db.models import QuerySet

from kernel.actor import Actor
from registry.models import Delivery, ModelVersion


def deliveries_of_version(viewer: Actor, version: ModelVersion) -> QuerySet[Delivery]:
    """Messages that spoke of this version, newest first. The key stands in the facts of each; see webhooks.events."""
    rows: QuerySet[Delivery] = Delivery.objects.visible_to(viewer)
    of_project = rows.filter(webhook__project=version.model.project_id).select_related("webhook__project")
    return of_project.filter(body__contains=f'"version_id":{version.pk},').order_by("-created_at", "pk")
