"""What to do about a body or parameters that are not in order: which values a field takes, which names there are."""

from collections.abc import Mapping
from typing import Any, Final

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

_SHOWN: Final = 20  # choices, and names of fields


class Misread(ValidationError):
    """What a serializer refused. hint: what to do next; '' where its words say it."""

    hint = ""


def checked(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    """What it holds. Raises Misread."""
    if serializer.is_valid():
        return dict(serializer.validated_data)
    problem = Misread(serializer.errors)
    problem.hint = _hint(serializer)
    raise problem


def _hint(serializer: serializers.Serializer[Any]) -> str:
    known = [name for name, field in serializer.fields.items() if not field.read_only]
    words = [
        f"'{name}' is one of {_some([str(choice) for choice in choices])}."
        for name in serializer.errors
        if (choices := _choices(serializer.fields.get(name)))
    ]
    given = serializer.initial_data
    unknown = [str(name) for name in given if name not in serializer.fields] if isinstance(given, Mapping) else []
    if unknown:
        words.append(f"'{unknown[0][:40]}' is nothing here: there are {_some(known)}.")
    return " ".join(words)


def _choices(field: Any) -> list[Any]:
    return list(getattr(field, "choices", ()) or getattr(getattr(field, "child", None), "choices", ()))


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
