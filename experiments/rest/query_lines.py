"""The query line itself: whether it is good and what it says, and what may be written next."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.door import RestView
from experiments.offers import Scope, of_field, offers
from experiments.queries.search import count_runs
from experiments.rest.questions import Question, WhereAsked
from experiments.search.columns import Dialect
from experiments.search.completion import place_at
from experiments.search.errors import QueryError
from experiments.search.grammar import parse
from experiments.search.tree import comparisons
from experiments.search.vocabularies import RUNS

TYPED_MAX = 4_000


class MistakeJson(serializers.Serializer[Any]):
    message = serializers.CharField()
    start = serializers.IntegerField(help_text="The place in the line, counted from 0.")
    length = serializers.IntegerField()
    suggestion = serializers.CharField(help_text="What may stand there instead, or empty.")
    hint = serializers.CharField()


class CheckedJson(serializers.Serializer[Any]):
    good = serializers.BooleanField()
    reads = serializers.CharField(help_text="The line as it is understood; empty where it is not.")
    conditions = serializers.ListField(child=serializers.CharField(), help_text="Its single conditions.")
    mistake = MistakeJson(allow_null=True)


class CompletionAsked(WhereAsked):
    q = serializers.CharField(allow_blank=True, default="", max_length=TYPED_MAX, trim_whitespace=False)
    at = serializers.IntegerField(required=False, min_value=0, max_value=TYPED_MAX, help_text="The cursor; the end.")
    of = serializers.CharField(
        required=False,
        max_length=300,
        help_text="In its stead: a field whose values are offered, `metrics` or `params`.",
    )


class OfferJson(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="What is put into the line.")
    label = serializers.CharField()  # type: ignore[assignment]  # the field is named as people read it
    note = serializers.CharField(help_text="What it is, or how common.")
    kind = serializers.CharField()


class CompletionJson(serializers.Serializer[Any]):
    start = serializers.IntegerField(help_text="The stretch of the line that an offer takes the place of.")
    end = serializers.IntegerField()
    items = OfferJson(many=True)


class CheckQuery(RestView):
    """Whether a query line is good."""

    needs = {"GET": "experiments.see"}
    serializer_class = CheckedJson

    @extend_schema(parameters=[WhereAsked], responses={200: CheckedJson})
    def get(self, request: Request) -> Response:
        """What it says; or what is wrong, where, and what may stand there instead."""
        asked = self.asked(WhereAsked)
        question = Question.of(self.actor, asked)
        try:
            node = parse(question.text, Dialect.FULL, RUNS)
            count_runs(self.actor, project=question.project, **question.scope)
        except QueryError as error:
            mistake = {
                "message": error.reason, "start": error.start, "length": error.length,
                "suggestion": error.suggestion, "hint": error.hint,
            }  # fmt: skip
            return Response({"good": False, "reads": "", "conditions": [], "mistake": mistake})
        conditions = [str(one) for one in comparisons(node)]
        return Response({"good": True, "reads": str(node), "conditions": conditions, "mistake": None})


class CompleteQuery(RestView):
    """Completion of a query line."""

    needs = {"GET": "experiments.see"}
    serializer_class = CompletionJson

    @extend_schema(parameters=[CompletionAsked], responses={200: CompletionJson})
    def get(self, request: Request) -> Response:
        """What may be written at a place, from the newest runs that one sees."""
        asked = self.asked(CompletionAsked)
        question = Question.of(self.actor, asked)
        named = None if question.experiments is None else tuple(question.experiments)
        scope = Scope(self.actor, question.project, named or ())
        if "of" in asked:
            items = of_field(scope, asked["of"], asked["q"])
            return Response({"start": 0, "end": len(asked["q"]), "items": [asdict(one) for one in items]})
        text = asked["q"]
        place = place_at(text, asked.get("at", len(text)), RUNS)
        items = offers(scope, place) if place else []
        start, end = (place.start, place.end) if place else (0, 0)
        return Response({"start": start, "end": end, "items": [asdict(one) for one in items]})
