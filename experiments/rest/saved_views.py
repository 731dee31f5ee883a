"""Kept views of a project's run table: one's own, and those that are shared."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import actor_of
from experiments.actions.saved_views import (
    DEFAULT,
    QUERY_MAX,
    SAVE,
    change_view,
    delete_view,
    save_view,
    set_default_view,
)
from experiments.models import SavedView
from experiments.queries.saved_views import get_view, views_of
from experiments.rest.experiments import InProject

EXAMPLE = {"name": "Best so far", "query": "q=metrics.acc%20%3E%200.9&sort=-metrics.acc", "is_shared": True}


class ViewJson(serializers.ModelSerializer[SavedView]):
    created_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)
    is_mine = serializers.SerializerMethodField()

    class Meta:
        model = SavedView
        fields = [
            "id", "name", "query", "is_shared", "is_default", "version", "created_at", "updated_at", "created_by",
            "is_mine",
        ]  # fmt: skip
        read_only_fields = fields

    def get_is_mine(self, view: SavedView) -> bool:
        return view.created_by_id == actor_of(self.context["request"]).user_id


class ViewWanted(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    query = serializers.CharField(
        allow_blank=True, default="", max_length=QUERY_MAX, help_text="The query string of the table's address."
    )
    is_shared = serializers.BooleanField(default=False, help_text="With everybody who sees the project.")


class ViewChange(serializers.Serializer[Any]):
    version = serializers.IntegerField(
        min_value=1, help_text="The one that you read: where it is another now, nothing is written (409)."
    )
    name = serializers.CharField(required=False, max_length=120)
    query = serializers.CharField(required=False, allow_blank=True, max_length=QUERY_MAX)
    is_shared = serializers.BooleanField(required=False, allow_null=True, default=None)


class DefaultView(serializers.Serializer[Any]):
    view = serializers.IntegerField(allow_null=True, help_text="The id of a shared view; null for none.")


class _Views(InProject):
    serializer_class: Any = ViewJson

    def view(self) -> SavedView:
        """The view in the address, if one may use it."""
        return get_view(self.actor, self.project(), self.kwargs["view"])

    def view_shown(self, view: SavedView, status: int = 200) -> Response:
        """A view as it is now."""
        fresh = get_view(self.actor, self.project(), view.pk)
        return Response(ViewJson(fresh, context=self.get_serializer_context()).data, status=status)


class Views(ListAPIView[SavedView], _Views):
    """The views that one may use, by name."""

    needs = {"GET": "experiments.see", "POST": SAVE}
    queryset = SavedView.objects.none()
    cursor_order = ("name", "pk")

    def get_queryset(self) -> QuerySet[SavedView]:
        return views_of(self.actor, self.project())

    @extend_schema(
        request=ViewWanted, responses={201: ViewJson}, examples=[OpenApiExample("Shared", EXAMPLE, request_only=True)]
    )
    def post(self, request: Request, slug: str) -> Response:
        """Keep a view under a name; of what the query says, only what makes a view is kept."""
        project = self.project()
        return self.view_shown(save_view(self.actor, project, **self.parsed(ViewWanted)), status=201)


class OneView(_Views):
    """One view."""

    needs = {"GET": "experiments.see", "PATCH": SAVE, "DELETE": SAVE}

    def get(self, request: Request, slug: str, view: int) -> Response:
        return self.view_shown(self.view())

    @extend_schema(request=ViewChange, responses={200: ViewJson})
    def patch(self, request: Request, slug: str, view: int) -> Response:
        """Change one's own: its name, what it asks, whether it is shared."""
        found = self.view()
        return self.view_shown(change_view(self.actor, found, **self.parsed(ViewChange)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, view: int) -> Response:
        """Remove one's own; no run changes."""
        delete_view(self.actor, self.view())
        return Response(status=204)


class ProjectDefaultView(_Views):
    """What the project's run table opens with."""

    needs = {"GET": "experiments.see", "PUT": DEFAULT}
    serializer_class = DefaultView

    @extend_schema(responses={200: DefaultView})
    def get(self, request: Request, slug: str) -> Response:
        """The view's id, or null."""
        found = views_of(self.actor, self.project()).filter(is_default=True).first()
        return Response({"view": found.pk if found else None})

    @extend_schema(request=DefaultView, responses={200: DefaultView})
    def put(self, request: Request, slug: str) -> Response:
        """Let it open with a shared view, or with none."""
        project, chosen = self.project(), self.parsed(DefaultView)["view"]
        view = None if chosen is None else get_view(self.actor, project, chosen)
        set_default_view(self.actor, project, view=view)
        return Response({"view": chosen})
