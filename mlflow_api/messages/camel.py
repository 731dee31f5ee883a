"""Names as protobuf also writes them: `experimentId` for `experiment_id`.

MLflow's server reads both, since protobuf's JSON does. Ignored like an unknown field, the name of an experiment would
put a run into another one without a word. Only what a message itself names is read so: keys of params and tags are
values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from kernel.errors import Invalid


@dataclass(slots=True)
class _Shape:
    """A message's names. plain: the field's own name by its other one. inner: the shapes of what it holds."""

    plain: dict[str, str] = field(default_factory=dict)
    inner: dict[str, "_Shape"] = field(default_factory=dict)

    def words(self) -> set[str]:
        return set(self.plain).union(*(shape.words() for shape in self.inner.values()))


def may_be_camel(kind: Any, body: bytes) -> bool:
    """Whether a name written the other way stands somewhere in the body, as a key or a text."""
    return any(word in body for word in _needles(kind))


def in_snake_case(kind: Any, body: bytes) -> bytes:
    """The body with its message's names as MLED knows them. Raises Invalid where a field stands under both names."""
    return msgspec.json.encode(_renamed(msgspec.json.decode(body), _shape(kind)))


def _renamed(value: Any, shape: _Shape) -> Any:
    if isinstance(value, list):
        return [_renamed(item, shape) for item in value]
    if not isinstance(value, dict):
        return value
    given: dict[str, Any] = value
    found: dict[str, Any] = {}
    for key, held in given.items():
        name = shape.plain.get(key, key)
        if name != key and name in given:
            raise Invalid(f"'{key}' and '{name}' are one field.", hint="Send one of them.", field=name)
        found[name] = _renamed(held, shape.inner[name]) if name in shape.inner else held
    return found


@cache
def _needles(kind: Any) -> tuple[bytes, ...]:
    return tuple(f'"{word}"'.encode() for word in sorted(_shape(kind).words()))


@cache
def _shape(kind: Any) -> _Shape:
    return _shape_of(inspect.type_info(kind)) or _Shape()


def _shape_of(told: inspect.Type) -> _Shape | None:
    """The shape of a message, or of the messages in a list; None where there is none."""
    if isinstance(told, inspect.UnionType):
        return next(filter(None, map(_shape_of, told.types)), None)
    if isinstance(told, inspect.ListType):
        return _shape_of(told.item_type)
    if not isinstance(told, inspect.StructType):
        return None
    names = [one.encode_name for one in told.fields]
    inner = {one.encode_name: _shape_of(one.type) for one in told.fields}
    others: Mapping[str, str] = {_camel(name): name for name in names}
    return _Shape(
        {other: name for other, name in others.items() if other != name},
        {name: shape for name, shape in inner.items() if shape is not None},
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
