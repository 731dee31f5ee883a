"""Groups: people who get roles together. Administrators keep them, signed in."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.members import add_to_group, create_group, remove_from_group
from accounts.actions.users import find_user
from accounts.models import Group
from accounts.queries.people import find_group, find_person, groups_with_people
from accounts.rest.door import RestView
from accounts.rest.projects import PersonJson


class GroupJson(serializers.ModelSerializer[Group]):
    people = serializers.SerializerMethodField(help_text="Who is in it.")

    class Meta:
        model = Group
        fields = ["id", "name", "people"]
        read_only_fields = fields

    @extend_schema_field(PersonJson(many=True))
    def get_people(self, group: Group) -> Any:
        people = sorted((member.user for member in group.members.all()), key=lambda one: one.name.lower())
        return PersonJson(people, many=True).data


class GroupWanted(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)


class PersonWanted(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254, help_text="Of somebody who has an account here.")


class Groups(ListAPIView[Group], RestView):
    """All groups by name: for administrators and auditors of the whole site."""

    needs = {"GET": "users.see", "POST": "groups.manage"}
    queryset = Group.objects.none()
    cursor_order = ("name",)
    serializer_class = GroupJson

    def get_queryset(self) -> QuerySet[Group]:
        return groups_with_people(self.actor)

    @extend_schema(request=GroupWanted, responses={201: GroupJson})
    def post(self, request: Request) -> Response:
        """Make a group; nobody is in it yet."""
        return Response(GroupJson(create_group(self.actor, **self.parsed(GroupWanted))).data, status=201)


class OneGroup(RestView):
    """One group."""

    needs = {"GET": "users.see"}
    serializer_class = GroupJson

    @extend_schema(responses={200: GroupJson})
    def get(self, request: Request, group: UUID) -> Response:
        return Response(GroupJson(find_group(self.actor, group)).data)


class GroupPeople(RestView):
    """Who is in a group."""

    needs = {"POST": "groups.manage"}
    serializer_class = GroupJson

    @extend_schema(request=PersonWanted, responses={200: GroupJson})
    def post(self, request: Request, group: UUID) -> Response:
        """Put somebody else into it; its roles are theirs from now on."""
        found = find_group(self.actor, group)
        add_to_group(self.actor, group=found, user=find_user(self.parsed(PersonWanted)["email"]))
        return Response(GroupJson(find_group(self.actor, group)).data)


class OneInGroup(RestView):
    """One person in a group."""

    needs = {"DELETE": "groups.manage"}
    serializer_class = GroupJson

    @extend_schema(responses={200: GroupJson})
    def delete(self, request: Request, group: UUID, person: UUID) -> Response:
        """Take somebody out of it."""
        remove_from_group(self.actor, group=find_group(self.actor, group), user=find_person(self.actor, person))
        return Response(GroupJson(find_group(self.actor, group)).data)
