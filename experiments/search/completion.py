"""What may stand at a place of a filter that is still being written: a key, an operator, a value, a joining word."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from experiments.search.columns import AGGREGATES, Dialect, Vocabulary
from experiments.search.conditions import KEYWORDS
from experiments.search.errors import QueryError
from experiments.search.grammar import parse_field
from experiments.search.tokens import Kind, Token, tokenize
from experiments.search.tree import Field, Op

_QUOTES = "'\"`"
_REST_OF_WORD = re.compile(r"[^\s<>=!(),'\"`;]*")
_TEXT_OPS = {"LIKE": Op.LIKE, "ILIKE": Op.ILIKE}


class Wanted(StrEnum):
    KEY = "key"
    METRIC = "metric"  # the key of a metric, inside best(…)
    OPERATOR = "operator"
    VALUE = "value"
    LIST = "list"  # the bracket of a list
    NULLNESS = "nullness"  # after IS
    JOINER = "joiner"


@dataclass(frozen=True, slots=True)
class Place:
    """What is wanted, and which stretch of the text it takes the place of.

    typed: what of it stands there already, without quotes. field, op: of the condition that is being written.
    in_list: among the values of a list, so that a comma or a bracket follows.
    """

    wanted: Wanted
    start: int
    end: int
    typed: str = ""
    field: Field | None = None
    op: Op | None = None
    in_list: bool = False


def place_at(text: str, at: int, vocabulary: Vocabulary) -> Place | None:
    """What is wanted at a place; None where the text before it is none of ours."""
    at = max(0, min(at, len(text)))
    head = text[:at]
    cut = _unclosed(head)
    try:
        tokens = tokenize(head[:cut])[:-1]
    except QueryError:
        return None
    begun, typed = (cut, head[cut + 1 :]) if cut < len(head) else (len(head), "")
    if begun == len(head):
        tokens, begun, typed = _without_last_word(tokens, len(head))
    elif tokens and tokens[-1].text.endswith(".") and tokens[-1].span.end == begun:
        typed, begun = tokens[-1].text + typed, tokens.pop().span.start
    state = _Walk(vocabulary).after(tokens)
    if state is None:
        return None
    return replace(state, start=begun, end=_end(text, at, quote=head[cut] if cut < len(head) else ""), typed=typed)


def _unclosed(head: str) -> int:
    """Where a quote begins that is not closed; the length of the text if none does."""
    quote, start = "", len(head)
    for at, sign in enumerate(head):
        if not quote and sign in _QUOTES:
            quote, start = sign, at
        elif sign == quote:
            quote, start = "", len(head)
    return start


def _without_last_word(tokens: list[Token], end: int) -> tuple[list[Token], int, str]:
    """The tokens before the word that touches the end, where it begins, and that word with its parts joined."""
    if not tokens or tokens[-1].span.end != end or tokens[-1].kind not in (Kind.WORD, Kind.NAME, Kind.STRING):
        return tokens, end, ""
    last = tokens[-1]
    if len(tokens) > 1 and last.kind is Kind.NAME and tokens[-2].kind is Kind.WORD and tokens[-2].touches(last):
        return tokens[:-2], tokens[-2].span.start, tokens[-2].text + last.text
    return tokens[:-1], last.span.start, last.text


def _end(text: str, at: int, *, quote: str) -> int:
    """Where the word ends in which the place is."""
    if quote:
        closed = text.find(quote, at)
        return closed + 1 if closed >= 0 else at
    found = _REST_OF_WORD.match(text, at)
    return found.end() if found else at


class _Walk:
    """Follows the tokens, taking mistakes as they come: what is wanted at the end is what counts."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def after(self, tokens: list[Token]) -> Place | None:
        place = Place(Wanted.KEY, 0, 0)
        at = 0
        while at < len(tokens):
            following = self._step(place, tokens, at)
            if following is None:
                return None
            place, at = following
        return place

    def _step(self, place: Place, tokens: list[Token], at: int) -> tuple[Place, int] | None:
        token = tokens[at]
        key = Place(Wanted.KEY, 0, 0)
        match place.wanted:
            case Wanted.KEY:
                return self._key(tokens, at)
            case Wanted.METRIC:
                return None if token.is_mark(")") else (replace(place, wanted=Wanted.OPERATOR), at + 1)
            case Wanted.OPERATOR:
                return self._operator(place, tokens, at)
            case Wanted.LIST:
                return (replace(place, wanted=Wanted.VALUE, in_list=True), at + 1) if token.is_mark("(") else None
            case Wanted.VALUE:
                is_value = token.kind in (Kind.WORD, Kind.STRING, Kind.NAME)
                return (replace(place, wanted=Wanted.JOINER), at + 1) if is_value else None
            case Wanted.NULLNESS:
                return (place if token.is_word("NOT") else Place(Wanted.JOINER, 0, 0)), at + 1
        if place.in_list:
            if token.is_mark(","):
                return replace(place, wanted=Wanted.VALUE), at + 1
            return (Place(Wanted.JOINER, 0, 0), at + 1) if token.is_mark(")") else None
        if token.is_mark(")"):
            return place, at + 1
        return (key, at + 1) if token.is_word("AND", "OR") else None

    def _key(self, tokens: list[Token], at: int) -> tuple[Place, int] | None:
        """A field, NOT or a bracket, or a word of the name."""
        token, key = tokens[at], Place(Wanted.KEY, 0, 0)
        if token.is_mark("(") or token.is_word("NOT", "AND", "OR"):
            return key, at + 1
        if token.kind not in (Kind.WORD, Kind.NAME, Kind.STRING) or token.is_word(*KEYWORDS):
            return None
        if token.kind is Kind.WORD and at + 1 < len(tokens) and tokens[at + 1].is_mark("("):
            return self._aggregated(tokens, at)
        end = at + 1
        while end < len(tokens) and tokens[end - 1].touches(tokens[end]) and tokens[end].kind in (Kind.WORD, Kind.NAME):
            end += 1
        return Place(Wanted.OPERATOR, 0, 0, field=self._field(tokens[at:end])), end

    def _aggregated(self, tokens: list[Token], at: int) -> tuple[Place, int] | None:
        if tokens[at].text.lower() not in AGGREGATES:
            return None
        closed = next((one for one in range(at, len(tokens)) if tokens[one].is_mark(")")), None)
        if closed is None:
            return Place(Wanted.METRIC, 0, 0), len(tokens)
        return Place(Wanted.OPERATOR, 0, 0, field=self._field(tokens[at : closed + 1])), closed + 1

    def _field(self, tokens: list[Token]) -> Field | None:
        """The field that these tokens name; None for a word."""
        try:
            return parse_field("".join(_written(token) for token in tokens), Dialect.FULL, self.vocabulary)[0]
        except QueryError:
            return None

    def _operator(self, place: Place, tokens: list[Token], at: int) -> tuple[Place, int] | None:
        token = tokens[at]
        if place.field is None and (token.kind is Kind.OPERATOR or token.is_word("LIKE", "ILIKE", "IN", "NOT", "IS")):
            return None
        if token.kind is Kind.OPERATOR:
            return replace(place, wanted=Wanted.VALUE, op=Op(token.text)), at + 1
        if token.is_word("LIKE", "ILIKE"):
            return replace(place, wanted=Wanted.VALUE, op=_TEXT_OPS[token.text.upper()]), at + 1
        if token.is_word("IN"):
            return replace(place, wanted=Wanted.LIST, op=Op.NOT_IN if place.op is Op.NOT_IN else Op.IN), at + 1
        if token.is_word("NOT"):
            return replace(place, op=Op.NOT_IN), at + 1
        if token.is_word("IS"):
            return replace(place, wanted=Wanted.NULLNESS), at + 1
        if token.is_mark(")"):
            return Place(Wanted.JOINER, 0, 0), at + 1
        if token.is_word("AND", "OR"):
            return Place(Wanted.KEY, 0, 0), at + 1
        return self._key(tokens, at)


def _written(token: Token) -> str:
    return (
        f"{token.quote}{token.text.replace(token.quote, token.quote * 2)}{token.quote}" if token.quote else token.text
    )
