"""A whole record as one pasted text, JSON or YAML: the fields that a call over REST has."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from experiments.recording.pasted import (
    Literal,
    Members,
    Pair,
    flat,
    json_tree,
    limited,
    listed,
    no_json,
    refuse_depth,
    too_deep,
    trimmed,
    yaml_node,
)
from experiments.recording.when import moment_ms
from kernel.errors import Invalid

TEXTS: Final[Sequence[str]] = (
    "experiment", "name", "architecture", "dataset", "started", "ended", "duration", "status", "email", "note",
    "commit", "command", "container",
)  # fmt: skip
ROWS: Final[Sequence[str]] = ("params", "results", "tags")
NEW_DATASET: Final[Sequence[str]] = ("name", "digest", "source")
FIELDS: Final[Sequence[str]] = (*TEXTS, *ROWS, "new_dataset", "files")
_SHAPE = 'Paste one object such as {"experiment": "…", "params": {"lr": 0.001}}.'


@dataclass(frozen=True, slots=True)
class Whole:
    """What a text names of a record, and nothing else. files: paths with the ids of finished uploads."""

    texts: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, Sequence[Pair]] = field(default_factory=dict)
    new_dataset: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Pair] = ()


def read_whole(text: str, place: str) -> Whole:
    """The record of a text. Raises Invalid with all names that no record has; place: the field of the form."""
    try:
        told = _tree(trimmed(text, place, "JSON or YAML"), place)
        if not isinstance(told, Members):
            raise Invalid("This is no record: it is one object with fields.", hint=_SHAPE, field=place)
        return _whole(told, place)
    except RecursionError:
        raise too_deep(place) from None


def _tree(text: str, place: str) -> Any:
    if text[0] not in "{[":
        return _as_tree(yaml_node(text, place))
    try:
        told = json_tree(text)
    except json.JSONDecodeError as error:
        raise no_json(error, place) from None
    refuse_depth(told, place)
    return told


def _as_tree(node: yaml.Node | None) -> Any:
    """YAML as JSON is read: every scalar as it stood there."""
    if isinstance(node, yaml.MappingNode):
        return Members((str(_as_tree(key)), _as_tree(value)) for key, value in node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_as_tree(one) for one in node.value]
    return Literal(node.value) if node is not None else None


def _whole(told: Members, place: str) -> Whole:
    members = dict(told)
    refuse_unknown(members, place)
    texts = {name: _text(members[name], name, place) for name in TEXTS if name in members}
    for name in ("started", "ended"):
        if texts.get(name, "").strip():
            moment_ms(texts[name], place)
    return Whole(
        texts,
        {name: _rows(members[name], name, place) for name in ROWS if name in members},
        _new_dataset(members["new_dataset"], place) if "new_dataset" in members else {},
        _files(members["files"], place) if "files" in members else (),
    )


def refuse_unknown(members: Iterable[str], place: str = "") -> None:
    """Raise Invalid for fields that no record has, so that a slip in a name loses nothing. place: where it is told;
    at the first of them without one."""
    unknown = [str(name) for name in members if name not in FIELDS]
    if unknown:
        names = ", ".join(f"'{name[:40]}'" for name in unknown[:5]) + (" …" if len(unknown) > 5 else "")
        hint = f"It has {', '.join(FIELDS)}."
        raise Invalid(f"A record has no field {names}.", hint=hint, field=place or unknown[0][:40])


def _text(value: Any, name: str, place: str) -> str:
    if value is None or (isinstance(value, Literal) and value == "null"):
        return ""
    if not isinstance(value, str):
        raise Invalid(f"'{name}' is a text.", hint=f'As in {{"{name}": "…"}}.', field=place)
    return str(value)


def _rows(value: Any, name: str, place: str) -> list[Pair]:
    if isinstance(value, Members):
        return limited(flat("", value, place), place)
    if isinstance(value, list):
        return limited(listed(value, place), place)
    raise Invalid(f"'{name}' are names with values.", hint=f'As in {{"{name}": {{"a": 1}}}}.', field=place)


def _new_dataset(value: Any, place: str) -> dict[str, str]:
    members = dict(value) if isinstance(value, Members) else {"": ""}
    unknown = next((name for name in members if name not in NEW_DATASET), None)
    if unknown is not None:
        words = f"'new_dataset' has no field '{unknown[:40]}'." if unknown else "'new_dataset' is an object."
        raise Invalid(words, hint=f"It has {', '.join(NEW_DATASET)}.", field=place)
    return {name: _text(members.get(name), name, place) for name in NEW_DATASET}


def _files(value: Any, place: str) -> list[Pair]:
    members = [dict(one) for one in value if isinstance(one, Members)] if isinstance(value, list) else []
    if (
        not isinstance(value, list)
        or any(set(one) != {"path", "upload"} for one in members)
        or len(members) < len(value)
    ):
        hint = 'As in [{"path": "uv.lock", "upload": "…"}]; or choose the files in the form.'
        raise Invalid("'files' is a list of paths with their finished uploads.", hint=hint, field=place)
    return [(_text(one["path"], "path", place), _text(one["upload"], "upload", place)) for one in members]
