"""The directory of people, and what administrators do with accounts, signed in."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.members import appoint, dismiss
from accounts.actions.tokens import revoke_others_token
from accounts.actions.users import EMAIL_MAX, NAME_MAX, create_user, deactivate_user, find_user, reactivate_user
from accounts.models import ApiToken, Membership, User
from accounts.queries.people import (
    directory,
    find_person,
    find_role_of_the_site,
    find_token_of,
    roles_of_the_site,
    tokens_of,
)
from accounts.rest.door import RestView
from accounts.rest.members import REASON_MAX, WhyGiven
from accounts.rest.projects import PersonJson
from accounts.rest.role_choices import ROLE_OF_SITE
from accounts.rest.tokens import TokenJson
from accounts.roles import Role


class HeldRoleJson(serializers.ModelSerializer[Membership]):
    project = serializers.CharField(
        source="project.slug", allow_null=True, default=None, help_text="Null: the whole site."
    )

    class Meta:
        model = Membership
        fields = ["id", "project", "role", "since_at"]
        read_only_fields = fields


class DirectoryJson(serializers.ModelSerializer[User]):
    groups = serializers.SerializerMethodField()
    roles = HeldRoleJson(source="memberships", many=True, help_text="Held directly; those of groups come with them.")

    class Meta:
        model = User
        fields = ["id", "email", "name", "is_active", "is_service", "joined_at", "last_login", "groups", "roles"]
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_groups(self, user: User) -> list[str]:
        return sorted(member.group.name for member in user.group_memberships.all())


class DirectoryFilter(filters.FilterSet):  # type: ignore[misc]  # it brings no types
    q = filters.CharFilter(method="named", label="A part of the name or the address.")
    is_active = filters.BooleanFilter()
    is_service = filters.BooleanFilter()

    class Meta:
        model = User
        fields = ["is_active", "is_service"]

    def named(self, people: QuerySet[User], name: str, value: str) -> QuerySet[User]:
        return people.filter(Q(name__icontains=value) | Q(email__icontains=value))


class UserWanted(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=EMAIL_MAX)
    name = serializers.CharField(
        max_length=NAME_MAX, allow_blank=True, default="", help_text="Empty: from the address."
    )
    is_service = serializers.BooleanField(default=False, help_text="A service account has tokens and no password.")


class WhyNeeded(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=REASON_MAX, help_text="Kept in the log.")


class SiteRoleJson(serializers.ModelSerializer[Membership]):
    user = PersonJson(allow_null=True)

    class Meta:
        model = Membership
        fields = ["id", "role", "user", "since_at"]
        read_only_fields = fields


class SiteRoleWanted(WhyGiven):
    email = serializers.EmailField(max_length=EMAIL_MAX, help_text="Of somebody who has an account here.")
    role = serializers.ChoiceField(ROLE_OF_SITE)


class Users(ListAPIView[User], RestView):
    """Everybody who has or had an account, by address: for administrators and auditors of the whole site."""

    needs = {"GET": "users.see", "POST": "users.create"}
    queryset = User.objects.none()
    cursor_order = ("email",)
    serializer_class = DirectoryJson
    filterset_class = DirectoryFilter

    def get_queryset(self) -> QuerySet[User]:
        return directory(self.actor)

    @extend_schema(request=UserWanted, responses={201: DirectoryJson})
    def post(self, request: Request) -> Response:
        """Make an account. Its owner sets the password by 'Forgot your password?'."""
        made = create_user(self.actor, **self.parsed(UserWanted))
        return Response(DirectoryJson(find_person(self.actor, made.pk)).data, status=201)


class OneUser(RestView):
    """One person."""

    needs = {"GET": "users.see"}
    serializer_class = DirectoryJson

    @extend_schema(responses={200: DirectoryJson})
    def get(self, request: Request, person: UUID) -> Response:
        return Response(DirectoryJson(find_person(self.actor, person)).data)


class Deactivate(RestView):
    """Lock an account."""

    needs = {"POST": "users.deactivate"}
    serializer_class = DirectoryJson

    @extend_schema(request=WhyNeeded, responses={200: DirectoryJson})
    def post(self, request: Request, person: UUID) -> Response:
        """Lock somebody out at once: sign-in, sessions and tokens."""
        deactivate_user(self.actor, user=find_person(self.actor, person), **self.parsed(WhyNeeded))
        return Response(DirectoryJson(find_person(self.actor, person)).data)


class Reactivate(RestView):
    """Open a locked account."""

    needs = {"POST": "users.deactivate"}
    serializer_class = DirectoryJson

    @extend_schema(request=WhyNeeded, responses={200: DirectoryJson})
    def post(self, request: Request, person: UUID) -> Response:
        """Let somebody in again; tokens that were revoked stay so."""
        reactivate_user(self.actor, user=find_person(self.actor, person), **self.parsed(WhyNeeded))
        return Response(DirectoryJson(find_person(self.actor, person)).data)


class TheirTokens(ListAPIView[ApiToken], RestView):
    """What one may know of somebody's tokens, newest first."""

    needs = {"GET": "tokens.revoke_others"}
    queryset = ApiToken.objects.none()
    cursor_order = ("-created_at",)
    serializer_class = TokenJson

    def get_queryset(self) -> QuerySet[ApiToken]:
        return tokens_of(self.actor, find_person(self.actor, self.kwargs["person"]))


class RevokeTheirs(RestView):
    """End somebody's token."""

    needs = {"POST": "tokens.revoke_others"}
    serializer_class = TokenJson

    @extend_schema(request=WhyNeeded, responses={200: TokenJson})
    def post(self, request: Request, person: UUID, token: UUID) -> Response:
        """Revoke it, at once and for good."""
        found = find_token_of(self.actor, find_person(self.actor, person), token)
        return Response(TokenJson(revoke_others_token(self.actor, token=found, **self.parsed(WhyNeeded))).data)


class SiteRoles(ListAPIView[Membership], RestView):
    """Who has a role on the whole site, newest first."""

    needs = {"GET": "users.see", "POST": "users.create"}
    queryset = Membership.objects.none()
    serializer_class = SiteRoleJson

    def get_queryset(self) -> QuerySet[Membership]:
        return roles_of_the_site(self.actor)

    @extend_schema(request=SiteRoleWanted, responses={201: SiteRoleJson})
    def post(self, request: Request) -> Response:
        """Make somebody an administrator, or an auditor or manager of every project."""
        roles_of_the_site(self.actor)  # whoever may not see them learns nothing of who has an account
        asked = self.parsed(SiteRoleWanted)
        user = find_user(asked["email"])
        made = appoint(self.actor, user=user, role=Role(asked["role"]), reason=asked["reason"])
        return Response(SiteRoleJson(made).data, status=201)


class OneSiteRole(RestView):
    """One role on the whole site."""

    needs = {"DELETE": "users.create"}
    serializer_class = SiteRoleJson

    @extend_schema(request=WhyGiven, responses={204: None})
    def delete(self, request: Request, member: int) -> Response:
        """Take it away. One administrator always stays."""
        dismiss(self.actor, membership=find_role_of_the_site(self.actor, member), **self.parsed(WhyGiven))
        return Response(status=204)
