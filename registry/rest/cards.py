"""The model card of a version."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.values import VALUE_MAX
from registry.actions.cards import write_card
from registry.cards import Card
from registry.queries.cards import card_of
from registry.rest.models import OfProject


class FactJson(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # the field is named as people read it
    value = serializers.CharField(allow_blank=True, help_text="'' where nothing was recorded.")
    is_gap = serializers.BooleanField()
    url = serializers.CharField(allow_blank=True, help_text="Path of the page that it comes from.")


class CardSectionJson(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    is_written = serializers.BooleanField(help_text="Whether people write it; else the record fills it in.")
    is_gap = serializers.BooleanField(help_text="Whether nothing is recorded here.")
    gaps = serializers.IntegerField(help_text="How many things are not recorded.")
    text = serializers.CharField(allow_blank=True)
    written_by = serializers.CharField(allow_blank=True)
    written_at = serializers.DateTimeField(allow_null=True)
    facts = FactJson(many=True)


class CardJson(serializers.Serializer[Card]):
    gaps = serializers.IntegerField(help_text="How many things are not recorded, in all.")
    sections = CardSectionJson(many=True)


class CardTextWanted(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=VALUE_MAX, allow_blank=True, trim_whitespace=False)


class ModelCard(OfProject):
    """The card: what people wrote, and what the record says."""

    needs = {"GET": "experiments.see"}
    serializer_class = CardJson

    def get(self, request: Request, slug: str, name: str, number: int) -> Response:
        return Response(CardJson(card_of(self.actor, self.version())).data)


class ModelCardSection(OfProject):
    """One section that people write."""

    needs = {"PUT": "registry.register"}
    serializer_class = CardJson

    @extend_schema(request=CardTextWanted, responses={200: CardJson})
    def put(self, request: Request, slug: str, name: str, number: int, section: str) -> Response:
        """Write it, over what stood there; an empty text takes it back."""
        version = self.version()
        write_card(self.actor, version, section=section, **self.parsed(CardTextWanted))
        return Response(CardJson(card_of(self.actor, version)).data)
