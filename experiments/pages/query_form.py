"""The forms of the query bar: each section shows one facet of the line and writes it back; the rest stays as it is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from experiments.search.columns import Dialect, Kind
from experiments.search.errors import QueryError
from experiments.search.facets import (
    LOWER,
    UPPER,
    Bound,
    Choice,
    Facet,
    Line,
    Mode,
    Named,
    Piece,
    Range,
    Single,
    holds_several,
    read,
    written,
)
from experiments.search.grammar import parse_field
from experiments.search.tree import Aggregate, Ago, Comparison, Day, Entity, Field, Op
from experiments.search.vocabularies import RUNS
from kernel.errors import Invalid

SINCE = {"1d": "the last day", "7d": "the last 7 days", "30d": "the last 30 days", "365d": "the last year"}
FIGURES = {
    "last": "last value",
    "best": "best value",
    "min": "lowest value",
    "max": "highest value",
    "first": "first value",
}
MODES = {Mode.ANY: "any of", Mode.ALL: "all of", Mode.NONE: "none of"}
WORDS = {
    "run_name": "Name",
    "status": "Status",
    "user": "User",
    "tag": "Tag",
    "project_tag": "Project tag",
    "data": "Dataset",
    "model": "Model",
    "verdict": "Verdict",
    "start_time": "Started",
    "end_time": "Ended",
    "mine": "My runs",
    "starred": "With my star",
}
SLOTS = (
    "name", "param", "metric", "start_time", "status", "user", "tag", "project_tag", "data", "model", "verdict",
    "mine", "starred",
)  # fmt: skip
# How the form speaks of a param: (operator, whether against a number).
SAID_OF_PARAMS = {
    "=": (Op.EQ, False),
    "≠": (Op.NE, False),
    "<": (Op.LT, True),
    ">": (Op.GT, True),
    "contains": (Op.ILIKE, False),
}
PREFIX = "f-"
OWN = {"back", "q", "piece", "after", "good"}
_SIGNS = {Op.GE: "≥", Op.GT: ">", Op.LE: "≤", Op.LT: "<"}
_PHRASE = re.compile(r'"([^"]*)"|(\S+)')


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_on: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One facet as fields of a form. kind: which fields (words, when, choice, range, param, flag, text).

    slot: what their names begin with; on: the field of the line that they speak of; complete: what completes them.
    """

    kind: str
    slot: str
    label: str
    on: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[Option] = ()
    modes: Sequence[Option] = ()
    complete: str = ""

    @property
    def prefix(self) -> str:
        return f"{PREFIX}{self.slot}-"


def words_for(on: Field) -> str:
    """A field as people call it."""
    if on.entity is Entity.ATTRIBUTE:
        return WORDS.get(on.key, on.key.replace("_", " ").capitalize())
    figure = "" if on.entity is not Entity.METRIC or on.aggregate is Aggregate.LAST else f" {on.aggregate.value}"
    prefix = "dataset " if on.entity is Entity.DATASET else ""
    return f"{prefix}{on.key}{figure}"


def section_of(facet: Facet | None, text: str, slot: str) -> Section:
    """The form for one piece of a line; what no other form shows is shown as text."""
    match facet:
        case Named(words) if _said_words(_as_typed(words)) == words:
            return _words(slot, words)
        case Choice():
            return _choice(slot, facet.field, facet)
        case Range() if _is_when(facet):
            return _when(slot, facet.field, facet)
        case Range():
            return _range(slot, facet.field, facet)
        case Single(Comparison(on, Op.EQ, True)):
            return _flag(slot, on, is_on=True)
    return Section("text", slot, "Advanced" if facet is None else "Condition", values={"text": text})


def sections_of(line: Line | None) -> list[Section]:
    """The whole form, filled from a line; empty for one that is not understood."""
    return [_slot(slot, line) for slot in SLOTS if slot in ("name", "metric", "param") or slot in RUNS.columns]


def _slot(slot: str, line: Line | None) -> Section:
    piece = piece_for(slot, line)
    facet = piece.facet if piece else None
    if slot == "name":
        return _words(slot, facet.words if isinstance(facet, Named) else ())
    if slot == "metric":
        return _range(slot, None, None)
    if slot == "param":
        return Section("param", slot, "Parameter", modes=[Option(word, word) for word in SAID_OF_PARAMS])
    on = Field(Entity.ATTRIBUTE, slot)
    if RUNS.columns[slot].kind is Kind.TIME:
        return _when(slot, on, facet if isinstance(facet, Range) else None)
    if RUNS.columns[slot].kind is Kind.FLAG:
        return _flag(slot, on, is_on=facet is not None)
    return _choice(slot, on, facet if isinstance(facet, Choice) else None)


def piece_for(slot: str, line: Line | None) -> Piece | None:
    """The piece of a line that a slot of the whole form shows."""
    for piece in line.pieces if line else ():
        match piece.facet:
            case Named(words) if slot == "name" and _said_words(_as_typed(words)) == words:
                return piece
            case Choice(on) if on == Field(Entity.ATTRIBUTE, slot):
                return piece
            case Range(on) if on == Field(Entity.ATTRIBUTE, slot) and _is_when(piece.facet):
                return piece
            case Single(Comparison(on, Op.EQ, True)) if on == Field(Entity.ATTRIBUTE, slot):
                return piece
    return None


def _is_when(facet: Range) -> bool:
    """Whether a range is one of whole days, or since some days ago."""
    if facet.field.entity is not Entity.ATTRIBUTE or RUNS.columns[facet.field.key].kind is not Kind.TIME:
        return False
    low, high = facet.low, facet.high
    if low and isinstance(low.value, Ago):
        return low.op is Op.GT and high is None
    days = all(isinstance(end.value, Day) for end in (low, high) if end)
    return days and (not low or low.op is Op.GE) and (not high or high.op is Op.LE)


def _words(slot: str, words: Sequence[str]) -> Section:
    return Section("words", slot, "Name", values={"words": _as_typed(words)}, complete="run_name")


def _as_typed(words: Sequence[str]) -> str:
    """Words as the field shows them: one with a space in it stands in double quotes."""
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def _said_words(typed: str) -> tuple[str, ...]:
    return tuple(phrase or word for phrase, word in _PHRASE.findall(typed) if (phrase or word).strip())


def _choice(slot: str, on: Field, facet: Choice | None) -> Section:
    column = RUNS.columns.get(on.key) if on.entity is Entity.ATTRIBUTE else None
    chosen, mode = (facet.values, facet.mode) if facet else ((), Mode.ANY)
    if column and column.choices:
        options = [Option(word, word.capitalize(), word in chosen) for word in column.words.values()]
    else:
        options = [Option(value, value, True) for value in chosen]
    known = [one for one in Mode if one is not Mode.ALL or holds_several(on, RUNS)]
    modes = [Option(one.value, MODES[one], one is mode) for one in known]
    complete = "" if column and column.choices else str(on)
    return Section("choice", slot, words_for(on), str(on), {}, options, modes, complete)


def _when(slot: str, on: Field, facet: Range | None) -> Section:
    low, high = (facet.low, facet.high) if facet else (None, None)
    since = str(low.value).strip("'") if low and isinstance(low.value, Ago) else ""
    known = SINCE if since in ("", *SINCE) else {**SINCE, since: f"the last {since}"}
    options = [Option(key, label, key == since) for key, label in known.items()]
    values = {
        "from": str(low.value).strip("'") if low and not since else "",
        "to": str(high.value).strip("'") if high else "",
    }
    return Section("when", slot, words_for(on), str(on), values, options)


def _range(slot: str, on: Field | None, facet: Range | None) -> Section:
    """A field between two ends; without a field the form asks for a metric and which of its values."""
    low, high = (facet.low, facet.high) if facet else (None, None)
    values = {
        "low": _literal(low),
        "high": _literal(high),
        "low_op": _SIGNS[low.op] if low else "≥",
        "high_op": _SIGNS[high.op] if high else "≤",
    }
    is_metric = on is None or on.entity is Entity.METRIC
    figure = (on.aggregate if on else Aggregate.LAST).value
    values["key"] = on.key if on and is_metric else ""
    options = [Option(key, label, key == figure) for key, label in FIGURES.items()] if is_metric else []
    label = "Metric" if is_metric else words_for(on or Field(Entity.METRIC, ""))
    return Section("range", slot, label, "" if is_metric else str(on), values, options, (), "metrics")


def _flag(slot: str, on: Field, *, is_on: bool) -> Section:
    return Section("flag", slot, words_for(on), str(on), options=[Option("1", words_for(on), is_on)])


def _literal(bound: Bound | None) -> str:
    return "" if bound is None else str(bound.value)


# What the forms write.


@require_safe
@signed_in
def write(request: HttpRequest) -> HttpResponse:
    """To the page that the form stands on, with what it says written into the line; all else of the address stays."""
    asked = request.GET
    back = asked.get("back", "")
    if not back.startswith("/") or not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        raise Invalid("The form does not say which page it belongs to.", field="back")
    kept = [name for name in asked if name not in OWN and not name.startswith(PREFIX)]
    before = asked.get("q", "")
    text = rewritten(before, asked)
    pairs = [("q", text)] if text else []
    pairs += [("good", before)] if before and line_of(text) is None and line_of(before) else []
    pairs += [(name, value) for name in kept for value in asked.getlist(name)]
    return redirect(f"{back}?{urlencode(pairs)}" if pairs else back)


def rewritten(text: str, said: QueryDict) -> str:
    """The line with what a form says: of one piece (`piece`, counted from 0), or of every slot of the whole form."""
    if "piece" in said:
        return _with_piece(text, said)
    for slot in SLOTS:
        if f"{PREFIX}{slot}-kind" in said:
            text = _with_slot(text, slot, conditions(slot, said))
    return text


def _with_piece(text: str, said: QueryDict) -> str:
    line, at = line_of(text), said.get("piece", "")
    if line is None or not at.isascii() or not at.isdigit() or len(at) > 4 or int(at) >= len(line.pieces):
        return text
    found = conditions("one", said)
    if len(line.pieces) > 1:
        found = [_with_brackets(one) for one in found]
    return _replaced(line, line.pieces[int(at)], found, text)


def _with_brackets(text: str) -> str:
    """A condition that somebody wrote, so that an OR in it says the same beside others."""
    line = line_of(text)
    return f"({text})" if line and any(part.is_loose for part in line.parts) else text


def _with_slot(text: str, slot: str, found: list[str]) -> str:
    line = line_of(text)
    if line is None:
        return " AND ".join([text, *found])
    piece = piece_for(slot, line)
    if piece is None:
        return line.added(found) if found else text
    return _replaced(line, piece, found, text)


def _replaced(line: Line, piece: Piece, found: list[str], text: str) -> str:
    """The line with these conditions in a piece's place; as it was if they say the same."""
    said = line_of(" AND ".join(found))
    same = said is not None and [_unordered(facet) for facet in said.facets] == [_unordered(piece.facet)]
    return text if same else line.replaced(piece, found)


def _unordered(facet: Facet | None) -> object:
    return (facet.field, frozenset(facet.values), facet.mode) if isinstance(facet, Choice) else facet


def line_of(text: str) -> Line | None:
    """The facets of a line; None for one that is not understood."""
    try:
        return read(text, RUNS)
    except QueryError:
        return None


def conditions(slot: str, said: QueryDict) -> list[str]:
    """What the fields of one section say, as conditions. A number that is none is written, too: the line shows it."""

    def one(name: str) -> str:
        return said.get(f"{PREFIX}{slot}-{name}", "").strip()

    match one("kind"):
        case "words":
            words = _said_words(one("words"))
            return written(Named(words)) if words else []
        case "text":
            return [one("text")] if one("text") else []
        case "flag":
            return [f"{one('field')} = true"] if one("on") == "1" else []
        case "when":
            return _said_when(one("field"), one("since"), one("from"), one("to"))
        case "choice":
            more = one("more")
            given = [*said.getlist(f"{PREFIX}{slot}-value"), *([more] if more else [])]
            return _said_choice(one("field"), tuple(dict.fromkeys(given)), one("mode"))
        case "param":
            return _said_param(said.get(f"{PREFIX}{slot}-key", ""), one("mode"), one("value"))
        case "range":
            key = said.get(f"{PREFIX}{slot}-key", "")
            on = one("field") or (_metric(key, one("figure")) if key else "")
            ends = ((one("low_op"), LOWER, one("low")), (one("high_op"), UPPER, one("high")))
            return [f"{on} {_sign(sign, ops)} {end}" for sign, ops, end in ends if on and end]
    return []


def _said_when(on: str, since: str, first: str, last: str) -> list[str]:
    name = "created" if on == "start_time" else on
    if since:
        return [f"{name} > {since}"]
    return [f"{name} {sign} '{day}'" for sign, day in ((">=", first), ("<=", last)) if day]


def _said_choice(on: str, values: tuple[str, ...], mode: str) -> list[str]:
    parsed = _field(on)
    if not values or parsed is None:
        return []
    chosen = Mode(mode) if mode in list(Mode) else Mode.ANY
    if chosen is Mode.ALL and not holds_several(parsed, RUNS):
        chosen = Mode.ANY
    return written(Choice(parsed, values, chosen))


def _said_param(key: str, word: str, value: str) -> list[str]:
    """One condition on a param: with < and > as a number, else as text."""
    op, is_number = SAID_OF_PARAMS.get(word, (Op.EQ, False))
    if not key or not value:
        return []
    on = Field(Entity.PARAM, key)
    if is_number:
        return [f"{on} {op.value} {value}"]
    return [str(Comparison(on, op, f"%{value}%" if op is Op.ILIKE else value))]


def _metric(key: str, figure: str) -> str:
    return str(Field(Entity.METRIC, key, Aggregate(figure) if figure in FIGURES else Aggregate.LAST))


def _sign(sign: str, ops: Sequence[Op]) -> str:
    return next((op.value for op in ops if _SIGNS[op] == sign), ops[0].value)


def _field(text: str) -> Field | None:
    try:
        found, rest = parse_field(text, Dialect.FULL, RUNS)
    except QueryError:
        return None
    return None if rest else found
