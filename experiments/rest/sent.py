"""Fields of bodies that mean what the metric store means: numbers with NaN and infinities, whole numbers of 64 bits."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from experiments.values import INT64_MAX, INT64_MIN, KEY_MAX, TRUNCATED, VALUE_MAX
from kernel.errors import Invalid

WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string", "enum": list(WORDS)}]})
class SentNumber(serializers.Field[Any, Any, Any, Any]):
    """A float of 64 bits, kept as it is; NaN and the infinities, which JSON lacks, as words."""

    default_error_messages = {"invalid": "A number, or one of the words NaN, Infinity and -Infinity, is wanted here."}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, str) and data in WORDS:
            return WORDS[data]
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        try:
            return float(data)
        except OverflowError:
            self.fail("invalid")


def int64(**options: Any) -> serializers.IntegerField:
    """A whole number as 64 bits hold it."""
    return serializers.IntegerField(min_value=INT64_MIN, max_value=INT64_MAX, **options)


def key(**options: Any) -> serializers.CharField:
    """The key of a metric, param or tag."""
    return serializers.CharField(max_length=KEY_MAX, trim_whitespace=False, **options)


def text(**options: Any) -> serializers.CharField:
    """A value as it was written."""
    return serializers.CharField(max_length=VALUE_MAX, allow_blank=True, trim_whitespace=False, **options)


def texts(**options: Any) -> serializers.DictField:
    """Texts by key."""
    return serializers.DictField(child=text(), **options)


def own_tags_apart(tags: Any) -> Any:
    """The tags, if none of them is one that MLED itself writes. Raises Invalid."""
    if TRUNCATED in tags:
        raise Invalid(f"The tag '{TRUNCATED}' is written by MLED itself.", field="tags")
    return tags
