"""One's own API tokens."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.actions.tokens import DAYS_MAX, create_token, new_secret, revoke_token
from accounts.models import ApiToken, Project
from accounts.queries.projects import find_my_token, my_job_tokens, my_tokens
from accounts.rest.door import RestView
from accounts.roles import Scope
from kernel.actor import Actor


class TokenJson(serializers.ModelSerializer[ApiToken]):
    scopes = serializers.ListField(child=serializers.ChoiceField([scope.value for scope in Scope]))
    projects = serializers.ListField(child=serializers.UUIDField(), allow_null=True)
    default_project = serializers.CharField(source="default_project.slug", allow_null=True, default=None)
    run = serializers.CharField(
        source="run_uid.hex",
        allow_null=True,
        default=None,
        help_text="Of a job's token: the one run that it may write.",
    )

    class Meta:
        model = ApiToken
        fields = [
            "id", "name", "prefix", "scopes", "projects", "default_project", "run",
            "created_at", "expires_at", "last_used_at", "revoked_at", "is_live",
        ]  # fmt: skip
        read_only_fields = fields


class NewTokenJson(TokenJson):
    secret = serializers.CharField(help_text="Shown this once.")

    class Meta(TokenJson.Meta):
        fields = [*TokenJson.Meta.fields, "secret"]
        read_only_fields = fields


class TokenWanted(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField([scope.value for scope in Scope]),
        required=False,
        min_length=1,
        help_text="Left out: read and log; read alone for who only audits or administers, and may give no more.",
    )
    days = serializers.IntegerField(min_value=1, max_value=DAYS_MAX, default=90)
    projects = serializers.ListField(
        child=serializers.SlugField(), allow_null=True, default=None, help_text="Slugs; null: all of one's own."
    )
    default_project = serializers.SlugField(allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nothing that is meant to narrow a token gets lost: `scope` for `scopes` would make one that may log."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError({unknown[0][:40]: ["A token has nothing of this name."]})
        return attrs


class TokensAsked(serializers.Serializer[Any]):
    jobs = serializers.BooleanField(default=False, help_text="Those that jobs under way were given, instead.")


class Tokens(ListAPIView[ApiToken], RestView):
    """One's tokens, newest first, revoked and expired ones too."""

    needs = {"GET": "tokens.manage", "POST": "tokens.manage"}
    queryset = ApiToken.objects.none()
    cursor_order = ("-created_at",)
    serializer_class = TokenJson

    def get_queryset(self) -> QuerySet[ApiToken]:
        return my_job_tokens(self.actor) if self.asked(TokensAsked)["jobs"] else my_tokens(self.actor)

    @extend_schema(parameters=[TokensAsked])
    def get(self, request: Request) -> Response:
        return self.list(request)

    @extend_schema(request=TokenWanted, responses={201: NewTokenJson})
    def post(self, request: Request) -> Response:
        """Make a token; the answer shows its secret this once."""
        asked = self.parsed(TokenWanted)
        secret = new_secret()
        slugs = asked.pop("projects")
        home = asked.pop("default_project")
        token = create_token(
            self.actor,
            secret=secret,
            projects=None if slugs is None else [find_project(self.actor, slug) for slug in slugs],
            default_project=_project(self.actor, home),
            **asked,
        )
        token.secret = secret  # type: ignore[attr-defined]  # for this answer only; no column
        return Response(NewTokenJson(token).data, status=201)


class OneToken(RestView):
    """One of one's tokens."""

    needs = {"GET": "tokens.manage", "DELETE": "tokens.manage"}
    serializer_class = TokenJson

    def get(self, request: Request, token: UUID) -> Response:
        return Response(self.get_serializer(find_my_token(self.actor, token)).data)

    @extend_schema(responses={200: TokenJson})
    def delete(self, request: Request, token: UUID) -> Response:
        """Revoke it, at once. It stays in the list as revoked."""
        found = find_my_token(self.actor, token)
        return Response(self.get_serializer(revoke_token(self.actor, token=found)).data)


def _project(actor: Actor, slug: str | None) -> Project | None:
    return None if slug is None else find_project(actor, slug)
