"""Texts that are longer than MLED keeps: this door keeps their beginning and says so, because autologgers count on
not being refused. The whole length and the SHA-256 go into a tag, and a param that was cut stays immutable by them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from experiments.queries.runs import params_of, tag_of
from experiments.values import TRUNCATED, VALUE_MAX
from kernel.actor import Actor
from kernel.errors import Invalid

TAG: Final = TRUNCATED
Pairs = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Cutting:
    """Params and tags that fit, and the notes about those that were cut: 'params.key' -> length and digest.

    noted: the notes so far. whole: the params that are stored whole already.
    """

    noted: dict[str, Any] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    changed: bool = False

    def params(self, given: Pairs) -> list[tuple[str, str]]:
        """Raises Invalid for a param that would change behind its cut."""
        for key, value in given:
            before = self.noted.get(f"params.{key}")
            known = before is not None or key in self.whole
            if known and (before is not None or len(value) > VALUE_MAX) and before != _note(value):
                raise Invalid(
                    f"Param '{key[:250]}' has another value already: params are set once.",
                    hint="Log a new run for a new value.",
                    field="params",
                )
        return [(key, self._cut(f"params.{key}", value)) for key, value in given]

    def tags(self, given: Pairs) -> list[tuple[str, str]]:
        """The tags, with the one that holds the notes where these changed."""
        fitting = [(key, self._cut(f"tags.{key}", value)) for key, value in given]
        return [*fitting, (TAG, json.dumps(self.noted, sort_keys=True))] if self.changed else fitting

    def _cut(self, name: str, value: str) -> str:
        if len(value) <= VALUE_MAX:
            if name.startswith("tags.") and self.noted.pop(name, None):
                self.changed = True
            return value
        note = _note(value)
        if self.noted.get(name) != note:
            self.noted[name] = note
            self.changed = True
        return value[:VALUE_MAX]


def cut_for_run(viewer: Actor, run: Any, params: Pairs, tags: Pairs) -> tuple[Pairs, Pairs]:
    """Params and tags of a run as they fit. Reads nothing where all params are short and there are no tags."""
    refuse_own_tag(tags)
    if not tags and not any(len(value) >= VALUE_MAX for _, value in params):
        return params, tags
    cutting = Cutting(_read(tag_of(viewer, run, TAG)))
    if any(len(value) > VALUE_MAX for _, value in params):
        cutting.whole = params_of(viewer, run)
    return cutting.params(params), cutting.tags(tags)


def cut_for_new(params: Pairs, tags: Pairs, noted: str = "") -> tuple[dict[str, str], dict[str, str]]:
    """Params and tags of something new, or of something whose notes are these."""
    refuse_own_tag(tags)
    cutting = Cutting(_read(noted))
    return dict(cutting.params(params)), dict(cutting.tags(tags))


def refuse_own_tag(tags: Iterable[tuple[str, str]]) -> None:
    """The notes are written here alone: raise Invalid for a client that would write or delete them."""
    if any(key == TAG for key, _ in tags):
        raise Invalid(f"The tag '{TAG}' is written by MLED itself.", field="tags")


def _note(value: str) -> dict[str, Any]:
    return {"length": len(value), "sha256": hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()}


def _read(noted: str) -> dict[str, Any]:
    return json.loads(noted) if noted else {}
