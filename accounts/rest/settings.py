"""How one likes one's pages: what a page keeps, a script may read and set as well."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.actions.settings import keep_setting
from accounts.models import PersonalSetting
from accounts.queries.settings import all_settings_of
from accounts.rest.door import RestView


class SettingJson(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=60)
    project = serializers.SlugField(
        source="project__slug", allow_null=True, default=None, help_text="Null: for all projects."
    )
    value = serializers.JSONField()
    changed_at = serializers.DateTimeField(read_only=True)


class Settings(RestView):
    """One's own settings."""

    needs = {"GET": "settings.keep", "POST": "settings.keep"}
    serializer_class = SettingJson
    queryset = PersonalSetting.objects.none()
    pagination_class = None

    @extend_schema(responses={200: SettingJson(many=True)})
    def get(self, request: Request) -> Response:
        return Response(SettingJson(all_settings_of(self.actor), many=True).data)

    @extend_schema(responses={200: SettingJson})
    def post(self, request: Request) -> Response:
        """Keep one setting, in place of what it was."""
        asked = self.parsed(SettingJson)
        slug = asked.pop("project__slug")
        kept = keep_setting(self.actor, project=find_project(self.actor, slug) if slug else None, **asked)
        told = {"name": kept.name, "project__slug": slug, "value": kept.value, "changed_at": kept.changed_at}
        return Response(SettingJson(told).data)
