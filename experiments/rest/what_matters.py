"""How the params of the runs that match go with one result, and which of them matter most."""

from typing import Any

import numpy as np
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.rest.door import Number, RestView, said
from experiments.actions.exports import note_taken
from experiments.compare.correlation import TOO_FEW
from experiments.compare.importance import METHOD
from experiments.compare.matrix import Figure
from experiments.compare.relations import Relation, related
from experiments.exporting.fields import Field, Kind
from experiments.exporting.texts import as_csv
from experiments.queries.experiments import metric_directions
from experiments.queries.relations import PARAMS_MAX, gather, results_of
from experiments.rest.questions import Question, WhereAsked
from experiments.rest.tables import Anything, also_as, format_parameter, kind_of, streamed

NUMBERS = ("pearson", "spearman", "eta_squared", "importance", "importance_error")
CSV_FIELDS = (
    Field("param"),
    Field("kind"),
    Field("n", Kind.INTEGER),
    *(Field(name, Kind.NUMBER) for name in NUMBERS),
)


class MattersAsked(WhereAsked):
    project = None  # type: ignore[assignment]  # the address names it
    result = serializers.CharField(max_length=250, trim_whitespace=False, help_text="The metric.")
    figure = serializers.ChoiceField(choices=[one.value for one in Figure], default=Figure.BEST.value)


class RelationJson(serializers.Serializer[Any]):
    param = serializers.CharField()
    kind = serializers.ChoiceField(choices=["number", "words"])
    n = serializers.IntegerField(help_text="Runs behind the figures.")
    pearson = Number(allow_null=True)
    spearman = Number(allow_null=True)
    eta_squared = Number(allow_null=True, help_text="Of words: the share of the variance between their groups.")
    importance = Number(allow_null=True)
    importance_error = Number(allow_null=True)


class MattersJson(serializers.Serializer[Any]):
    n = serializers.IntegerField(help_text="Runs with a finite result.")
    more = serializers.BooleanField(help_text="More runs match; the newest were looked at.")
    too_few = serializers.IntegerField(help_text="Below so many runs a figure says little.")
    method = serializers.CharField(help_text="How importance is reckoned.")
    relations = RelationJson(many=True, help_text="What matters most comes first.")


class WhatMatters(RestView):
    """What matters for a result among the runs of a project. Figures say what goes together, never what causes what."""

    needs = {"GET": "experiments.see"}
    serializer_class = MattersJson
    content_negotiation_class = Anything

    @extend_schema(parameters=[MattersAsked, format_parameter("json", "csv")], responses=also_as(MattersJson, "csv"))
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Correlation of each param with the result, and its share in what a model of them explains."""
        project = find_project(self.actor, slug)
        asked = self.asked(MattersAsked)
        question = Question.of(self.actor, asked, project)
        held = gather(self.actor, project, **question.scope)
        direction = metric_directions(self.actor, project).get(asked["result"])
        y = results_of(self.actor, held.runs, asked["result"], Figure(asked["figure"]), direction)
        _, relations = related(held.params, y, PARAMS_MAX)
        rows = [_row(one) for one in relations]
        if kind_of(request, "json", "csv") == "csv":
            about = f", query: {asked['q']}" if asked["q"] else ""
            words = f"Exported what matters for '{asked['result']}' as CSV, {len(held.runs)} runs{about}"
            note_taken(self.actor, project, what=words)
            return streamed(as_csv(CSV_FIELDS, rows), "csv", f"{slug}-what-matters")
        names = [field.name for field in CSV_FIELDS]
        told = [dict(zip(names, map(_said, row), strict=True)) for row in rows]
        n = int(np.isfinite(y).sum())
        return Response({"n": n, "more": held.more, "too_few": TOO_FEW, "method": METHOD, "relations": told})


def _said(value: Any) -> Any:
    return said(value) if isinstance(value, float) else value


def _row(one: Relation) -> list[str | int | float | None]:
    correlation, grouping, importance = one.correlation, one.grouping, one.importance
    return [
        one.name,
        one.kind,
        one.n,
        correlation.pearson if correlation else None,
        correlation.spearman if correlation else None,
        grouping.eta_squared if grouping else None,
        importance.share if importance else None,
        importance.error if importance else None,
    ]
