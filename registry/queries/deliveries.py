"""What webhooks were told of one version."""

from django.db.models import QuerySet

from kernel.actor import Actor
from registry.models import Delivery, ModelVersion


def deliveries_of_version(viewer: Actor, version: ModelVersion) -> QuerySet[Delivery]:
    """Messages that spoke of this version, newest first."""
    rows: QuerySet[Delivery] = Delivery.objects.visible_to(viewer)
    of_project = rows.filter(webhook__project=version.model.project_id).select_related("webhook__project")
    return of_project.filter(of_version=version.pk).order_by("-created_at", "pk")
