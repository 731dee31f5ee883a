"""Text -> tokens, each with its place. The same for both dialects: what a token may mean is the grammar's business."""

import re
from dataclasses import dataclass
from enum import StrEnum

from experiments.search.errors import QueryError, Span
from experiments.search.limits import MAX_TEXT


class Kind(StrEnum):
    WORD = "word"  # a key, a keyword, a number
    STRING = "string"  # 'single quotes': a value
    NAME = "name"  # "double quotes" or `backticks`: a key, or (double quotes) a value
    OPERATOR = "operator"
    PUNCTUATION = "punctuation"  # ( ) ,
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """text: without its quotes. quote: which quotes it had, or ""."""

    kind: Kind
    text: str
    span: Span
    quote: str = ""

    def is_word(self, *words: str) -> bool:
        """True if it is one of these keywords, whatever the case."""
        return self.kind is Kind.WORD and self.text.upper() in words

    def is_mark(self, mark: str) -> bool:
        return self.kind is Kind.PUNCTUATION and self.text == mark

    def touches(self, following: "Token") -> bool:
        """True if nothing stands between the two."""
        return self.span.end == following.span.start

    def shown(self) -> str:
        """As an error message quotes it."""
        return self.text if len(self.text) <= 40 else f"{self.text[:39]}…"


_LEXEME = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<operator>[<>=!]+)
  | (?P<punctuation>[(),])
  | (?P<quoted>'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*`)
  | (?P<word>[^\s<>=!(),'"`;]+)
    """,
    re.VERBOSE,
)
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
_MEANT = {"==": "=", "<>": "!=", "=<": "<=", "=>": ">=", "!": "!=", "!==": "!=", "===": "="}


def tokenize(text: str) -> list[Token]:
    """The tokens of a filter, an END token last. Raises QueryError at the first character that fits nothing."""
    _check_text(text)
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        found = _LEXEME.match(text, at)
        if found is None:
            raise _misfit(text, at)
        if found.lastgroup != "space":
            tokens.append(_token(str(found.lastgroup), found.group(), Span(at, len(found.group()))))
        at = found.end()
    tokens.append(Token(Kind.END, "", Span(len(text), 0)))
    return tokens


def _check_text(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise QueryError(f"the filter has {len(text):,} characters; {MAX_TEXT:,} are allowed.", Span(MAX_TEXT, 0))
    bad = re.search("[\x00\ud800-\udfff]", text)
    if bad:
        raise QueryError("this character cannot be stored or searched for.", Span(bad.start(), 1))


def _token(group: str, lexeme: str, span: Span) -> Token:
    if group == "quoted":
        quote = lexeme[0]
        text = lexeme[1:-1].replace(quote * 2, quote)
        return Token(Kind.STRING if quote == "'" else Kind.NAME, text, span, quote)
    if group == "operator" and lexeme not in _OPERATORS:
        raise QueryError(f"“{lexeme[:20]}” is not an operator.", span, suggestion=_MEANT.get(lexeme, ""))
    return Token(Kind(group), lexeme, span)


def _misfit(text: str, at: int) -> QueryError:
    mark = text[at]
    if mark in "'\"`":
        return QueryError(f"the quote {mark} is never closed.", Span(at, len(text) - at))
    meant = "AND" if text[at + 1 :].strip() else ""
    return QueryError("“;” has no place here.", Span(at, 1), suggestion=meant, hint="Join conditions with AND.")
