"""Webhooks and what became of their messages."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import can, find_project
from accounts.rest.door import RestView
from registry.actions.webhooks import create_webhook, edit_webhook, ping_webhook, resend_delivery, rotate_secret
from registry.models import Delivery, Webhook
from registry.queries.webhooks import deliveries_of, get_delivery, get_webhook, webhooks_of
from registry.webhooks.addresses import URL_MAX
from registry.webhooks.events import EVENTS
from registry.webhooks.secrets import new_secret


class WebhookJson(serializers.ModelSerializer[Webhook]):
    project = serializers.CharField(source="project.slug")
    events = serializers.ListField(child=serializers.CharField(), help_text="None named: all of them.")
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)

    class Meta:
        model = Webhook
        fields = ["id", "project", "url", "events", "is_active", "created_at", "created_by"]
        read_only_fields = fields


class NewWebhookJson(WebhookJson):
    secret = serializers.CharField(help_text="Shown this once. It signs every message (Standard Webhooks, v1).")

    class Meta(WebhookJson.Meta):
        fields = [*WebhookJson.Meta.fields, "secret"]
        read_only_fields = fields


class WebhookWanted(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=URL_MAX, help_text="https, to a public address.")
    events = serializers.ListField(child=serializers.ChoiceField(list(EVENTS)), max_length=len(EVENTS), default=list)


class WebhookEdits(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=URL_MAX, required=False)
    events = serializers.ListField(child=serializers.ChoiceField(list(EVENTS)), max_length=len(EVENTS), required=False)
    is_active = serializers.BooleanField(required=False)


class DeliveryJson(serializers.ModelSerializer[Delivery]):
    body = serializers.CharField(help_text="The message as it is sent and signed.")

    class Meta:
        model = Delivery
        fields = [
            "id", "event", "state", "attempts", "status_code", "error", "created_at", "next_at", "done_at", "body",
        ]  # fmt: skip
        read_only_fields = fields

    def to_representation(self, delivery: Delivery) -> dict[str, Any]:
        """Whoever keeps webhooks without reading what is logged gets no message: it names models and reasons."""
        said: dict[str, Any] = super().to_representation(delivery)
        reads = can(self.context["view"].actor, "experiments.see", delivery.webhook.project)
        return said if reads else said | {"body": ""}


class Webhooks(ListAPIView[Webhook], RestView):
    """The webhooks of a project."""

    needs = {"GET": "webhooks.see", "POST": "webhooks.manage"}
    queryset = Webhook.objects.none()
    cursor_order = ("created_at",)
    serializer_class = WebhookJson

    def get_queryset(self) -> QuerySet[Webhook]:
        return webhooks_of(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(request=WebhookWanted, responses={201: NewWebhookJson})
    def post(self, request: Request, slug: str) -> Response:
        """Tell an address of registry events; the answer shows the secret this once."""
        asked, secret = self.parsed(WebhookWanted), new_secret()
        made = create_webhook(self.actor, find_project(self.actor, slug), **asked, secret=secret)
        return Response(_with_secret(made, secret), status=201)


class OneWebhook(RestView):
    """One webhook."""

    needs = {"GET": "webhooks.see", "PATCH": "webhooks.manage"}
    serializer_class = WebhookJson

    def get(self, request: Request, webhook: UUID) -> Response:
        return Response(self.get_serializer(get_webhook(self.actor, webhook)).data)

    @extend_schema(request=WebhookEdits, responses={200: WebhookJson})
    def patch(self, request: Request, webhook: UUID) -> Response:
        """Change it, or switch it off and on; what is left out stays."""
        asked = self.parsed(WebhookEdits)
        return Response(self.get_serializer(edit_webhook(self.actor, get_webhook(self.actor, webhook), **asked)).data)


class NewSecret(RestView):
    """The secret of a webhook."""

    needs = {"POST": "webhooks.manage"}
    serializer_class = NewWebhookJson

    @extend_schema(request=None, responses={200: NewWebhookJson})
    def post(self, request: Request, webhook: UUID) -> Response:
        """Make a new one; the answer shows it this once, and the old one signs nothing more."""
        secret = new_secret()
        return Response(
            _with_secret(rotate_secret(self.actor, get_webhook(self.actor, webhook), secret=secret), secret)
        )


class Ping(RestView):
    """Trying a webhook out."""

    needs = {"POST": "webhooks.manage"}
    serializer_class = DeliveryJson

    @extend_schema(request=None, responses={201: DeliveryJson})
    def post(self, request: Request, webhook: UUID) -> Response:
        """Send a message that says nothing but hello."""
        made = ping_webhook(self.actor, get_webhook(self.actor, webhook))
        return Response(self.get_serializer(made).data, status=201)


class Deliveries(ListAPIView[Delivery], RestView):
    """What a webhook was sent, newest first."""

    needs = {"GET": "webhooks.see"}
    queryset = Delivery.objects.none()
    cursor_order = ("-created_at",)
    serializer_class = DeliveryJson

    def get_queryset(self) -> QuerySet[Delivery]:
        return deliveries_of(self.actor, get_webhook(self.actor, self.kwargs["webhook"]))


class Resend(RestView):
    """Sending a message again."""

    needs = {"POST": "webhooks.manage"}
    serializer_class = DeliveryJson

    @extend_schema(request=None, responses={201: DeliveryJson})
    def post(self, request: Request, delivery: UUID) -> Response:
        """The same message, with the same id, as a delivery of its own."""
        made = resend_delivery(self.actor, get_delivery(self.actor, delivery))
        return Response(self.get_serializer(made).data, status=201)


def _with_secret(webhook: Webhook, secret: str) -> Any:
    return {**WebhookJson(webhook).data, "secret": secret}
