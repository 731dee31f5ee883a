"""The lineage of one thing as JSON: nodes and edges."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import RestView
from registry.queries.lineage import NODES_MAX, Graph, Ref, find_start, lineage_of

STEPS_MAX = 12


class NodeJson(serializers.Serializer[Any]):
    """One thing, or many of a kind as one."""

    key = serializers.CharField(help_text="'kind:id', as `of` takes it; 'fold:…' for many as one, as `open` takes it.")
    kind = serializers.CharField(help_text="dataset, run, model, version or alias.")
    id = serializers.CharField(allow_blank=True, help_text="Empty for many as one.")
    label = serializers.CharField()  # type: ignore[assignment]  # the metaclass takes it from the class
    words = serializers.CharField(allow_blank=True)
    depth = serializers.IntegerField(help_text="Steps from the start; negative towards the sources.")
    count = serializers.IntegerField(help_text="How many it stands for.")
    more = serializers.IntegerField(help_text="How many lie beyond it that are not shown.")
    recall = serializers.ChoiceField(
        choices=["", "recalled", "built_on_recalled"], source="flag", help_text="What a recall means for it."
    )
    recall_count = serializers.IntegerField(source="flagged", help_text="How many of them a recall concerns.")
    at = serializers.DateTimeField(allow_null=True)


class EdgeJson(serializers.Serializer[Any]):
    """`below` came from `above`."""

    above = serializers.CharField()
    below = serializers.CharField()
    role = serializers.CharField(source="words", allow_blank=True)


class LineageJson(serializers.Serializer[Any]):
    start = serializers.CharField()
    nodes = NodeJson(many=True)
    edges = EdgeJson(many=True)
    cut = serializers.IntegerField(help_text="How many are only counted, for want of room below `limit`.")


class LineageAsked(serializers.Serializer[Any]):
    of = serializers.CharField(
        max_length=200, help_text="dataset:<id>, run:<id>, model:<m-…>, version:<id>, alias:<id>"
    )
    up = serializers.IntegerField(min_value=0, max_value=STEPS_MAX, default=2)
    down = serializers.IntegerField(min_value=0, max_value=STEPS_MAX, default=2)
    limit = serializers.IntegerField(min_value=1, max_value=NODES_MAX, default=200)
    open = serializers.ListField(child=serializers.CharField(max_length=200), max_length=200, required=False)


class Lineage(RestView):
    """What a thing came from and what stands on it, so many steps each way."""

    needs = {"GET": "experiments.see"}
    serializer_class = LineageJson

    @extend_schema(
        parameters=[LineageAsked, OpenApiParameter("open", str, many=True, description="Keys of nodes to take apart.")],
        responses=LineageJson,
    )
    def get(self, request: Request, slug: str) -> Response:
        project = find_project(self.actor, slug)
        asked = LineageAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        ref = Ref.parse(given["of"])
        start = find_start(self.actor, ref, project=project)
        graph: Graph = lineage_of(
            self.actor,
            (ref.kind, start),
            up=given["up"],
            down=given["down"],
            limit=given["limit"],
            opened=given.get("open", ()),
        )
        return Response(LineageJson(graph).data)
