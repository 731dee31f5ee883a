"""What parameters something takes: their names, types, defaults and ranges, and values that are checked against them.

    schema = read_schema([{"name": "lr", "type": "number", "default": 0.1, "most": 1, "scale": "log"}])
    values = checked_values(schema, {"lr": "0.05"})     # {"lr": 0.05}; all that is wrong at once, by field

Nothing here knows of rows or requests.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from kernel.errors import Invalid, InvalidFields, MledError

PARAMETERS_MAX: Final = 200
NAME_MAX: Final = 250
TEXT_MAX: Final = 6000
CHOICES_MAX: Final = 200
WORDS_MAX: Final = 500
WHOLE_MAX: Final = 2**63 - 1
FLAGS: Final = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
_MEMBERS: Final = (
    "name", "type", "default", "least", "most", "step", "scale", "choices", "unit", "words", "group", "required",
)  # fmt: skip


class Kind(StrEnum):
    """What a value of it is."""

    NUMBER = "number"
    INTEGER = "integer"
    TEXT = "text"
    CHOICE = "choice"
    FLAG = "flag"


NUMBERS: Final = (Kind.NUMBER, Kind.INTEGER)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. default: None for none; scale: 'log' where it is chosen by magnitudes; words: what it does;
    group: the heading that it stands under; required: it has no default and cannot be left out."""

    name: str
    kind: Kind = Kind.TEXT
    default: Any = None
    least: float | None = None
    most: float | None = None
    step: float | None = None
    scale: str = ""
    choices: Sequence[str] = ()
    unit: str = ""
    words: str = ""
    group: str = ""
    required: bool = False

    def plain(self) -> dict[str, Any]:
        """As JSON has it: what is not said is left out."""
        said = {
            "default": self.default,
            "least": self.least,
            "most": self.most,
            "step": self.step,
            "scale": self.scale or None,
            "choices": list(self.choices) or None,
            "unit": self.unit or None,
            "words": self.words or None,
            "group": self.group or None,
            "required": self.required or None,
        }
        return {
            "name": self.name,
            "type": self.kind.value,
            **{key: value for key, value in said.items() if value is not None},
        }

    def value_of(self, said: Any) -> Any:
        """A value of it, from JSON or as people type it. Raises Invalid with its field."""
        value = _typed(self, said)
        if self.kind in NUMBERS:
            self._check_range(value)
        if self.kind is Kind.CHOICE and value not in self.choices:
            offered = ", ".join(self.choices[:20])
            raise self._wrong(f"'{_short(value)}' is not one of {offered}.")
        if self.kind is Kind.TEXT and len(value) > TEXT_MAX:
            raise self._wrong(f"a text of {len(value):,} characters is longer than {TEXT_MAX:,}.")
        return value

    def _check_range(self, value: float) -> None:
        shown = _shown(value)
        if self.most is not None and value > self.most:
            raise self._wrong(f"{shown} is over the most, {_shown(self.most)}.")
        if self.least is not None and value < self.least:
            raise self._wrong(f"{shown} is below the least, {_shown(self.least)}.")
        if self.scale == "log" and value <= 0:
            raise self._wrong(f"{shown} is not above zero, and it goes by magnitudes.")

    def _wrong(self, what: str) -> Invalid:
        return Invalid(f"{self.name}: {what}", hint=self.words, field=field_of(self.name))


def field_of(name: str) -> str:
    """Where a problem with the value of a parameter is shown."""
    return f"params.{name}"


def read_schema(said: Any, *, field: str = "schema") -> list[Parameter]:
    """A schema from JSON. Raises InvalidFields with all that is wrong, by field: 'schema.2.default'."""
    if not isinstance(said, list):
        raise Invalid("A schema is a list of parameters.", hint='[{"name": "lr", "type": "number"}]', field=field)
    if len(said) > PARAMETERS_MAX:
        raise Invalid(f"A schema has at most {PARAMETERS_MAX} parameters, not {len(said):,}.", field=field)
    problems: list[MledError] = []
    found: list[Parameter] = []
    for place, one in enumerate(said):
        try:
            found.append(_read_parameter(one, f"{field}.{place}"))
        except Invalid as problem:
            problems.append(problem)
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [Invalid(f"The parameter '{name}' stands there twice.", field=field) for name in twice]
    if problems:
        raise InvalidFields(problems)
    return found


def plain_schema(schema: Iterable[Parameter]) -> list[dict[str, Any]]:
    """A schema as JSON has it; `read_schema` gives the same again."""
    return [one.plain() for one in schema]


def _read_parameter(said: Any, field: str) -> Parameter:
    if not isinstance(said, Mapping):
        raise Invalid("A parameter is an object with a name and a type.", field=field)
    unknown = sorted(str(key) for key in said if key not in _MEMBERS)
    if unknown:
        raise Invalid(f"'{unknown[0][:60]}' is nothing of a parameter.", hint=", ".join(_MEMBERS), field=field)
    name = said.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > NAME_MAX:
        raise Invalid(f"A parameter has a name of 1 to {NAME_MAX} characters.", field=f"{field}.name")
    try:
        kind = Kind(said.get("type", "text"))
    except ValueError:
        kinds = ", ".join(kind.value for kind in Kind)
        raise Invalid(f"{name}: a type is one of {kinds}.", field=f"{field}.type") from None
    one = Parameter(
        name=name.strip(),
        kind=kind,
        least=_bound(said, "least", kind, field),
        most=_bound(said, "most", kind, field),
        step=_bound(said, "step", kind, field),
        scale=_scale(said, kind, field),
        choices=_choices(said, kind, field),
        unit=_words(said, "unit", field),
        words=_words(said, "words", field),
        group=_words(said, "group", field),
        required=said.get("required") is True,
    )
    _check_bounds(one, field)
    return _with_default(one, said.get("default"), field)


def _with_default(one: Parameter, default: Any, field: str) -> Parameter:
    if default is None:
        return one
    try:
        value = one.value_of(default)
    except Invalid as wrong:
        raise Invalid(f"The default of {wrong.message}", field=f"{field}.default") from None
    return Parameter(**{name: getattr(one, name) for name in one.__slots__} | {"default": value})


def _bound(said: Mapping[str, Any], name: str, kind: Kind, field: str) -> float | None:
    value = said.get(name)
    if value is None:
        return None
    if kind not in NUMBERS:
        raise Invalid(f"Only numbers have a '{name}'.", field=f"{field}.{name}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f"'{name}' is a number.", field=f"{field}.{name}")
    if abs(value) > WHOLE_MAX if isinstance(value, int) else not math.isfinite(value):
        raise Invalid(f"'{name}' is a finite number, of 64 bits at most.", field=f"{field}.{name}")
    if kind is Kind.INTEGER and value != int(value):
        raise Invalid(f"'{name}' of whole numbers is a whole number.", field=f"{field}.{name}")
    return value


def _scale(said: Mapping[str, Any], kind: Kind, field: str) -> str:
    scale = said.get("scale") or ""
    if scale in ("", "linear"):
        return ""
    if scale != "log" or kind not in NUMBERS:
        raise Invalid("A scale is 'log' or 'linear', and of numbers.", field=f"{field}.scale")
    return "log"


def _choices(said: Mapping[str, Any], kind: Kind, field: str) -> tuple[str, ...]:
    given = said.get("choices") or []
    if kind is not Kind.CHOICE:
        if given:
            raise Invalid("Only a choice has choices.", field=f"{field}.choices")
        return ()
    if not isinstance(given, list) or not 1 <= len(given) <= CHOICES_MAX:
        raise Invalid(f"A choice has 1 to {CHOICES_MAX} choices.", field=f"{field}.choices")
    if any(not isinstance(one, str) or not one or len(one) > NAME_MAX for one in given):
        raise Invalid("A choice is a text.", field=f"{field}.choices")
    return tuple(dict.fromkeys(given))


def _words(said: Mapping[str, Any], name: str, field: str) -> str:
    value = said.get(name) or ""
    if not isinstance(value, str) or len(value) > WORDS_MAX:
        raise Invalid(f"'{name}' is a text of at most {WORDS_MAX} characters.", field=f"{field}.{name}")
    return value


def _check_bounds(one: Parameter, field: str) -> None:
    if one.least is not None and one.most is not None and one.least > one.most:
        raise Invalid(f"{one.name}: its least is over its most.", field=f"{field}.least")
    if one.scale == "log" and one.least is not None and one.least <= 0:
        raise Invalid(f"{one.name}: what goes by magnitudes begins above zero.", field=f"{field}.least")
    if one.step is not None and one.step <= 0:
        raise Invalid(f"{one.name}: a step is above zero.", field=f"{field}.step")


def checked_values(
    schema: Sequence[Parameter], said: Mapping[str, Any], *, others: bool = False, complete: bool = True
) -> dict[str, Any]:
    """The values for a schema, with its defaults where nothing is said. Raises InvalidFields with all problems.

    others: whether values that the schema does not name are taken as they are; complete: whether what is required
    must be there.
    """
    found: dict[str, Any] = {}
    problems: list[MledError] = []
    for one in schema:
        value = said.get(one.name)
        if value is None or (value == "" and one.kind is not Kind.TEXT):
            value = one.default
        if value is None or (one.required and value == ""):
            if one.required and complete:
                problems.append(Invalid(f"{one.name}: it is needed.", hint=one.words, field=field_of(one.name)))
            continue
        try:
            found[one.name] = one.value_of(value)
        except Invalid as problem:
            problems.append(problem)
    named = {one.name for one in schema}
    for name in (name for name in said if name not in named):
        try:
            found[name] = free_value(name, said[name], known=() if others else sorted(named))
        except Invalid as problem:
            problems.append(problem)
    if problems:
        raise InvalidFields(problems)
    return found


def free_value(name: str, said: Any, *, known: Sequence[str] = ()) -> Any:
    """A value of a parameter that nothing declares: a number, text or flag of JSON. Raises Invalid.

    known: where only these are taken, their names.
    """
    shown = _short(name)
    if known:
        raise Invalid(f"There is no parameter '{shown}'.", hint=f"There is {', '.join(known)}.", field=field_of(name))
    if not name.strip() or len(name) > NAME_MAX:
        raise Invalid(f"A parameter has a name of 1 to {NAME_MAX} characters.", field=field_of(name))
    if isinstance(said, bool | int | float | str):
        return _limited(name, said)
    raise Invalid(f"{shown}: a value is a number, a text, or true or false.", field=field_of(name))


def _limited(name: str, said: bool | float | str) -> Any:
    if isinstance(said, str) and len(said) > TEXT_MAX:
        raise Invalid(f"{_short(name)}: a text of over {TEXT_MAX:,} characters.", field=field_of(name))
    if isinstance(said, float) and not math.isfinite(said):
        raise Invalid(f"{_short(name)}: {said} is no number that can be kept.", field=field_of(name))
    if isinstance(said, int) and abs(said) > WHOLE_MAX:
        raise Invalid(f"{_short(name)}: a whole number beyond 64 bits.", field=field_of(name))
    return said


def guessed(params: Mapping[str, Any]) -> list[Parameter]:
    """A schema for the parameters of an earlier run, by what their values look like; those values are its defaults."""
    return [_guess(str(name), value) for name, value in list(params.items())[:PARAMETERS_MAX]]


def _guess(name: str, value: Any) -> Parameter:
    if isinstance(value, str):
        value = _as_meant(value)
    if isinstance(value, bool):
        return Parameter(name, Kind.FLAG, default=value)
    if isinstance(value, int) and abs(value) <= WHOLE_MAX:
        return Parameter(name, Kind.INTEGER, default=value)
    if isinstance(value, float) and math.isfinite(value):
        return Parameter(name, Kind.NUMBER, default=value)
    return Parameter(name, Kind.TEXT, default=value if isinstance(value, str) else json.dumps(value))


def _as_meant(text: str) -> Any:
    """What a text of a run stands for: MLflow's clients send str(value)."""
    if text in ("True", "False"):
        return text == "True"
    for read in (int, float):
        try:
            value = read(text)
        except ValueError:
            continue
        return value if str(value) == text or (read is float and math.isfinite(value)) else text
    return text


def _typed(one: Parameter, said: Any) -> Any:
    if one.kind is Kind.FLAG:
        return _flag(one, said)
    if one.kind in NUMBERS:
        return _number(one, said)
    if isinstance(said, bool | int | float):
        said = str(said)
    if not isinstance(said, str):
        raise one._wrong("it is a text.")
    return said


def _flag(one: Parameter, said: Any) -> bool:
    if isinstance(said, bool):
        return said
    found = FLAGS.get(said.strip().lower()) if isinstance(said, str) else None
    if found is None:
        raise one._wrong(f"'{_short(said)}' is neither true nor false.")
    return found


def _number(one: Parameter, said: Any) -> int | float:
    whole = one.kind is Kind.INTEGER
    what = "a whole number" if whole else "a number"
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        raise one._wrong(f"'{_short(said)}' is not {what}.")
    try:
        value = float(said)
        exact = (
            int(said) if whole and (isinstance(said, int) or (isinstance(said, str) and _is_digits(said))) else value
        )
    except (ValueError, OverflowError):
        raise one._wrong(f"'{_short(said)}' is not {what}.") from None
    if not math.isfinite(value) or (whole and exact != int(exact)):
        raise one._wrong(f"{_short(said)} is not {what}.")
    if whole and abs(exact) > WHOLE_MAX:
        raise one._wrong("it is beyond 64 bits.")
    return int(exact) if whole else value


def _is_digits(text: str) -> bool:
    return text.strip().lstrip("+-").isdigit()


def _short(said: Any) -> str:
    text = said if isinstance(said, str) else json.dumps(said, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _shown(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"
