"""Who has which role in a project: managers add, change and remove; administrators appoint and dismiss."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import can, find_project, require
from accounts.actions.members import (
    MANAGED,
    add_member,
    appoint_member,
    change_role,
    dismiss_member,
    remove_member,
)
from accounts.actions.users import find_user
from accounts.models import Group, Membership, Project
from accounts.queries.people import find_group_to_add, groups_to_add
from accounts.queries.projects import find_member, members_of
from accounts.rest.door import RestView
from accounts.rest.projects import MemberJson
from accounts.rest.role_choices import ROLE_BY_MANAGER, ROLE_IN_PROJECT
from accounts.roles import Role
from kernel.actor import Actor

REASON_MAX = 2000


class WhyGiven(serializers.Serializer[Any]):
    reason = serializers.CharField(allow_blank=True, default="", max_length=REASON_MAX, help_text="Kept in the log.")


class MemberWanted(WhyGiven):
    """One person or one group, and the role."""

    email = serializers.EmailField(
        max_length=254, required=False, allow_blank=True, default="", help_text="Of somebody who has an account here."
    )
    group = serializers.CharField(
        max_length=120, required=False, allow_blank=True, default="", help_text="Or the name of a group."
    )
    role = serializers.ChoiceField(ROLE_IN_PROJECT)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["email"]) == bool(attrs["group"]):
            raise serializers.ValidationError({"email": "Name one person or one group."})
        return attrs


class RoleWanted(WhyGiven):
    role = serializers.ChoiceField(ROLE_BY_MANAGER)


class GroupNameJson(serializers.ModelSerializer[Group]):
    class Meta:
        model = Group
        fields = ["id", "name"]
        read_only_fields = fields


class Members(ListAPIView[Membership], RestView):
    """Who has which role in a project, by membership."""

    needs = {"GET": "projects.see", "POST": "members.manage"}
    queryset = Membership.objects.none()
    serializer_class = MemberJson

    def get_queryset(self) -> QuerySet[Membership]:
        return members_of(self.actor, find_project(self.actor, self.kwargs["slug"]))

    @extend_schema(request=MemberWanted, responses={201: MemberJson})
    def post(self, request: Request, slug: str) -> Response:
        """Give a person or a group a role. Managers give those of scientists, engineers and managers; administrators
        appoint managers and auditors, signed in."""
        project, asked = find_project(self.actor, slug), self.parsed(MemberWanted)
        check_may_give(self.actor, project)
        role = Role(asked["role"])
        group = find_group_to_add(self.actor, project, asked["group"]) if asked["group"] else None
        user = None if group else find_user(asked["email"])
        give = add_member if role in MANAGED and can(self.actor, "members.manage", project) else appoint_member
        made = give(self.actor, project, role=role, user=user, group=group, reason=asked["reason"])
        return Response(MemberJson(made).data, status=201)


class OneMember(RestView):
    """One role of one person or group in a project."""

    needs = {"GET": "projects.see", "PATCH": "members.manage", "DELETE": "members.manage"}
    serializer_class = MemberJson

    @extend_schema(responses={200: MemberJson})
    def get(self, request: Request, slug: str, member: int) -> Response:
        return Response(MemberJson(self._found()).data)

    @extend_schema(request=RoleWanted, responses={200: MemberJson})
    def patch(self, request: Request, slug: str, member: int) -> Response:
        """Give another role instead, in one act."""
        found, asked = self._found(), self.parsed(RoleWanted)
        changed = change_role(self.actor, found, role=Role(asked["role"]), reason=asked["reason"])
        return Response(MemberJson(changed).data)

    @extend_schema(request=WhyGiven, responses={204: None})
    def delete(self, request: Request, slug: str, member: int) -> Response:
        """Take the role away; it is gone at the next call of whoever had it."""
        found, asked = self._found(), self.parsed(WhyGiven)
        managed = Role(found.role) in MANAGED and can(self.actor, "members.manage", found)
        (remove_member if managed else dismiss_member)(self.actor, found, reason=asked["reason"])
        return Response(status=204)

    def _found(self) -> Membership:
        project = find_project(self.actor, self.kwargs["slug"])
        return find_member(self.actor, project, self.kwargs["member"])


class GroupsToAdd(ListAPIView[Group], RestView):
    """The groups that one could give a role in the project, by name."""

    needs = {"GET": "members.manage"}
    queryset = Group.objects.none()
    cursor_order = ("name",)
    serializer_class = GroupNameJson

    def get_queryset(self) -> QuerySet[Group]:
        project = find_project(self.actor, self.kwargs["slug"])
        check_may_give(self.actor, project)
        return groups_to_add(self.actor, project)


def check_may_give(actor: Actor, project: Project) -> None:
    """Whoever may give no role at all learns nothing of who has an account or which groups there are."""
    if not can(actor, "members.appoint", project):
        require(actor, "members.manage", project)
