"""Filters: text -> tree, for both dialects, by recursive descent.

    filter    := [ any ]
    any       := all { OR all }                      FULL only
    all       := unit { AND unit }
    unit      := NOT unit | "(" any ")" | words      FULL only
               | condition
    condition := field operator value | field [NOT] IN "(" value { "," value } ")" | field IS [NOT] NULL
    field     := [ entity "." ] key | aggregate "(" [ "metrics." ] key ")"

Whatever the text, the answer is a tree or a QueryError with the column of the mistake.
"""

from dataclasses import dataclass

from experiments.search import literals
from experiments.search.columns import AGGREGATES, Dialect, Vocabulary
from experiments.search.conditions import KEYWORDS, ConditionReader
from experiments.search.errors import QueryError
from experiments.search.limits import MAX_DEPTH
from experiments.search.tokens import Kind, Token, tokenize
from experiments.search.tree import EVERYTHING, Field, Node, Not, Words, all_of, any_of

_OPERATOR_WORDS = ("LIKE", "ILIKE", "IN", "IS")


def parse(text: str, dialect: Dialect, vocabulary: Vocabulary) -> Node:
    """The tree of a filter; EVERYTHING for an empty one. Raises QueryError."""
    return _Parser(tokenize(text), dialect, vocabulary).filter()


@dataclass(frozen=True, slots=True)
class Part:
    """One of the conditions that all have to hold. text: exactly as it stands in the filter.

    is_loose: joined by OR without brackets, which it needs beside another.
    """

    node: Node
    text: str
    is_loose: bool = False


def parts(text: str, dialect: Dialect, vocabulary: Vocabulary) -> list[Part]:
    """What AND joins at the top of a filter, in order; one part where OR joins it. Raises QueryError."""
    return _Parser(tokenize(text), dialect, vocabulary).parts(text)


def parse_field(text: str, dialect: Dialect, vocabulary: Vocabulary) -> tuple[Field, list[Token]]:
    """A key to sort by, and the tokens after it. Raises QueryError."""
    parser = _Parser(tokenize(text), dialect, vocabulary)
    field = parser.whole_quoted() or parser.field()
    return field, parser.tokens[parser.at : -1]


class _Parser(ConditionReader):
    """Joins conditions by AND, OR, NOT and brackets, and knows bare words from conditions."""

    depth = 0

    def filter(self) -> Node:
        if self.ended():
            return EVERYTHING
        node = self.any()
        if not self.ended():
            raise self.misplaced()
        return node

    def parts(self, text: str) -> list[Part]:
        found: list[Part] = []
        while not self.ended():
            first = self.token.span.start
            node = self.unit()
            found.append(Part(node, text[first : self.tokens[self.at - 1].span.end]))
            if not self.token.is_word("AND"):
                break
            self.take()
            if self.ended():
                raise self.misplaced()
        if self.ended():
            return found
        return [Part(parse(text, self.dialect, self.vocabulary), text.strip(), is_loose=True)]

    def any(self) -> Node:
        terms = [self.all()]
        while self.token.is_word("OR") and self.dialect is Dialect.FULL:
            self.take()
            terms.append(self.all())
        return any_of(terms)

    def all(self) -> Node:
        terms = [self.unit()]
        while self.token.is_word("AND"):
            self.take()
            terms.append(self.unit())
        return all_of(terms)

    def unit(self) -> Node:
        if self.dialect is Dialect.FULL:
            if self.token.is_word("NOT"):
                return self.negation()
            if self.token.is_mark("("):
                return self.group()
            if not self.starts_condition() and self.is_text_word(self.token):
                return self.words()
        return self.condition()

    def negation(self) -> Node:
        self.enter(self.take())
        term = self.unit()
        self.depth -= 1
        return Not(term)

    def group(self) -> Node:
        opening = self.take()
        self.enter(opening)
        node = self.any()
        if not self.token.is_mark(")"):
            if self.token.kind is Kind.END:
                raise QueryError("this bracket is never closed.", opening.span, hint="Add “)”.")
            raise self.misplaced()
        self.take()
        self.depth -= 1
        return node

    def enter(self, token: Token) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QueryError(f"more than {MAX_DEPTH} levels of NOT and brackets.", token.span)

    def words(self) -> Node:
        if not self.vocabulary.words:
            raise QueryError("an operator is missing after this.", self.token.span, hint="For example: name = 'x'.")
        words: list[str] = []
        while self.is_text_word(self.token) and not self.starts_condition():
            token = self.take()
            self.count(token)
            if not token.text.strip():
                raise QueryError("there is nothing between these quotes to search for.", token.span)
            literals.check_pattern(token.text, token.span)
            words.append(token.text)
        return Words(tuple(words))

    def is_text_word(self, token: Token) -> bool:
        if token.kind is Kind.WORD:
            prefix = token.text.partition(".")
            entity = self.vocabulary.entity(prefix[0], self.dialect) if prefix[1] else None
            return not token.is_word(*KEYWORDS) and entity is None
        return token.kind in (Kind.STRING, Kind.NAME)

    def starts_condition(self) -> bool:
        """True if a field and an operator stand here, without reading on."""
        ahead = 1
        if self.token.kind is Kind.WORD and self.peek().is_mark("("):
            return self.token.text.lower() in AGGREGATES
        if self.token.kind is Kind.STRING:
            return False
        while self.token.kind is not Kind.END and self.peek(ahead - 1).touches(self.peek(ahead)):
            if self.peek(ahead).kind not in (Kind.WORD, Kind.NAME):
                break
            ahead += 1
        after = self.peek(ahead)
        negated_list = after.is_word("NOT") and self.peek(ahead + 1).is_word("IN")
        return after.kind is Kind.OPERATOR or after.is_word(*_OPERATOR_WORDS) or negated_list
