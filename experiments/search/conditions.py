"""One condition of a filter: field, operator and value, read from its tokens."""

import re

from experiments.search import literals
from experiments.search.columns import AGGREGATES, DATASET_KEYS, Dialect, Vocabulary
from experiments.search.errors import QueryError, Span, nearest
from experiments.search.limits import MAX_KEY, MAX_LIST, MAX_TERMS
from experiments.search.tokens import Kind, Token
from experiments.search.tree import Aggregate, Comparison, Entity, Field, Op, Scalar, Value

KEYWORDS = ("AND", "OR", "NOT", "IN", "IS", "LIKE", "ILIKE")
_MLFLOW_KEY = re.compile(r"[\w.$#]+")


class ConditionReader:
    """Reads conditions off a list of tokens. Every method leaves the place after what it read, or raises QueryError."""

    def __init__(self, tokens: list[Token], dialect: Dialect, vocabulary: Vocabulary) -> None:
        self.tokens = tokens
        self.at = 0
        self.dialect = dialect
        self.vocabulary = vocabulary
        self.terms = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def ended(self) -> bool:
        return self.token.kind is Kind.END

    def take(self) -> Token:
        token = self.token
        if token.kind is not Kind.END:
            self.at += 1
        return token

    def count(self, token: Token) -> None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise QueryError(f"more than {MAX_TERMS} conditions.", token.span)

    def condition(self) -> Comparison:
        first = self.token
        self.count(first)
        field = self.field()
        op, written = self.operator(field)
        self.check_operator(field, op, written)
        if op in (Op.IS_NULL, Op.IS_NOT_NULL):
            value: Value = None
        elif op in (Op.IN, Op.NOT_IN):
            value = self.value_list(field, op)
        else:
            value = self.value(field, op)
        last = self.tokens[self.at - 1]
        return Comparison(field, op, value, first.span.to(last.span))

    def field(self) -> Field:
        token = self.token
        called = self.dialect is Dialect.FULL and token.kind is Kind.WORD and self.peek().is_mark("(")
        if called and token.text.lower() in AGGREGATES:
            return self.aggregated()
        if token.kind not in (Kind.WORD, Kind.NAME) or token.is_word(*KEYWORDS):
            raise self.misplaced()
        return self.plain_field()

    def whole_quoted(self) -> Field | None:
        """`metrics.a b`, entity and key in one pair of quotes, as orders may be written; None for anything else."""
        token = self.token
        prefix, dot, key = token.text.partition(".")
        if token.kind is not Kind.NAME or not dot or self.vocabulary.entity(prefix, self.dialect) is None:
            return None
        self.take()
        return self.of_entity(self.entity(prefix, token.span), key, token.span)

    def aggregated(self) -> Field:
        function, _ = self.take(), self.take()
        inner = self.token
        prefix, dot, _ = inner.text.partition(".")
        if Entity.METRIC not in self.vocabulary.entities:
            raise QueryError(f"a {self.vocabulary.noun} has no metrics.", function.span)
        if inner.kind not in (Kind.WORD, Kind.NAME):
            raise QueryError(f"{function.text}() takes the key of a metric.", inner.span)
        if inner.kind is Kind.WORD and dot and self.vocabulary.entity(prefix, self.dialect) is Entity.METRIC:
            key = self.plain_field().key
        else:
            self.take()
            key = self.key(inner.text, inner.span)
        if not self.token.is_mark(")"):
            raise QueryError(f"“)” is missing after {function.text}(…", self.token.span)
        self.take()
        return Field(Entity.METRIC, key, Aggregate(function.text.lower()))

    def plain_field(self) -> Field:
        """[entity "."] key, where either may be quoted and only the first dot splits them."""
        first = self.take()
        if first.kind is Kind.NAME:
            if self.token.kind is Kind.WORD and self.token.text.startswith(".") and first.touches(self.token):
                return self.keyed(first.text, first, self.take(), skip=1)
            return self.attribute(first.text, first.span)
        prefix, dot, _ = first.text.partition(".")
        if not dot:
            return self.attribute(prefix, first.span)
        return self.keyed(prefix, first, first, skip=len(prefix) + 1)

    def keyed(self, prefix: str, first: Token, rest: Token, *, skip: int) -> Field:
        """The field of an entity word and what follows its dot: the rest of a word, or a quoted key that touches it."""
        key, span = rest.text[skip:], Span(rest.span.start + skip, rest.span.length - skip)
        entity = self.entity(prefix, Span(first.span.start, len(prefix)))
        quoting = (Kind.NAME, Kind.STRING) if self.dialect is Dialect.MLFLOW else (Kind.NAME,)
        if not key and self.token.kind in quoting and rest.touches(self.token):
            token = self.take()
            key, span = token.text, token.span
        elif key and self.dialect is Dialect.MLFLOW and not _MLFLOW_KEY.fullmatch(key):
            raise QueryError(f"the key “{key[:60]}” needs quotes.", span, suggestion=f"`{key[:200]}`")
        return self.of_entity(entity, key, span)

    def of_entity(self, entity: Entity, key: str, span: Span) -> Field:
        if entity is Entity.ATTRIBUTE:
            return self.attribute(key, span)
        if entity is Entity.DATASET:
            return self.dataset(key, span)
        return Field(entity, self.key(key, span))

    def entity(self, prefix: str, span: Span) -> Entity:
        entity = self.vocabulary.entity(prefix, self.dialect)
        if entity is None:
            known = self.vocabulary.prefixes()
            raise QueryError(
                f"“{prefix[:60]}” is nothing that a {self.vocabulary.noun} has.",
                span,
                suggestion=nearest(prefix, known),
                hint=f"Before a dot stands one of {', '.join(sorted(known))}.",
            )
        return entity

    def key(self, key: str, span: Span) -> str:
        if not key:
            raise QueryError("a key is missing here.", span)
        if len(key) > MAX_KEY:
            raise QueryError(f"the key has {len(key):,} characters; {MAX_KEY} are allowed.", span)
        return key

    def attribute(self, name: str, span: Span) -> Field:
        column = self.vocabulary.column(self.key(name, span), self.dialect)
        if column is None:
            known = self.vocabulary.names(self.dialect)
            raise QueryError(
                f"there is no field “{name[:60]}”.",
                span,
                suggestion=nearest(name, known),
                hint="Params, metrics and tags are written params.x, metrics.x, tags.x."
                if Entity.PARAM in self.vocabulary.entities
                else f"Fields are {', '.join(known)}.",
            )
        return Field(Entity.ATTRIBUTE, column.name)

    def dataset(self, key: str, span: Span) -> Field:
        wanted = key if self.dialect is Dialect.MLFLOW else key.lower()
        if wanted not in DATASET_KEYS:
            raise QueryError(
                f"a dataset has no “{key[:60]}”.",
                span,
                suggestion=nearest(key, DATASET_KEYS),
                hint="It has name, digest and context.",
            )
        return Field(Entity.DATASET, wanted)

    def operator(self, field: Field) -> tuple[Op, Span]:
        token = self.take()
        if token.kind is Kind.OPERATOR:
            return Op(token.text), token.span
        if token.is_word("LIKE", "ILIKE", "IN"):
            return Op(token.text.upper()), token.span
        if token.is_word("NOT") and self.token.is_word("IN"):
            return Op.NOT_IN, token.span.to(self.take().span)
        if token.is_word("IS"):
            return self.presence(token)
        if token.kind is Kind.END:
            raise QueryError(f"an operator is missing after {field}.", token.span)
        hint = "Write NOT before the whole condition." if token.is_word("NOT") and self.dialect is Dialect.FULL else ""
        meant = nearest(token.text, ("LIKE", "ILIKE", "IN", "IS"))
        raise QueryError(f"“{token.shown()}” is not an operator.", token.span, suggestion=meant, hint=hint)

    def presence(self, start: Token) -> tuple[Op, Span]:
        negated = self.token.is_word("NOT")
        if negated:
            self.take()
        if not self.token.is_word("NULL"):
            raise QueryError("after IS comes NULL or NOT NULL.", self.token.span, suggestion="NULL")
        return (Op.IS_NOT_NULL if negated else Op.IS_NULL), start.span.to(self.take().span)

    def check_operator(self, field: Field, op: Op, span: Span) -> None:
        if field.entity is Entity.ATTRIBUTE:
            ops, what = self.vocabulary.columns[field.key].ops(self.dialect), field.key
        else:
            ops, what = self.vocabulary.keyed_ops(field.entity, self.dialect), field.entity.value
        if op not in ops:
            known = ", ".join(known.value for known in Op if known in ops)
            raise QueryError(f"{what} cannot be compared by {op.value}.", span, hint=f"Here {known} can be used.")

    def value_list(self, field: Field, op: Op) -> tuple[Scalar, ...]:
        opening = self.take()
        if not opening.is_mark("("):
            raise QueryError(f"after {op.value} comes a list in brackets.", opening.span, hint="Write ('a', 'b').")
        values: list[Scalar] = []
        while not self.token.is_mark(")"):
            values.append(self.value(field, op))
            if len(values) > MAX_LIST:
                raise QueryError(f"a list holds at most {MAX_LIST:,} values.", self.tokens[self.at - 1].span)
            if self.token.is_mark(","):
                self.take()
            elif not self.token.is_mark(")"):
                raise QueryError("a comma or a closing bracket is missing here.", self.token.span)
        closing = self.take()
        if not values:
            raise QueryError("the list is empty.", opening.span.to(closing.span))
        if not literals.same_kind(values):
            raise QueryError("the list mixes numbers and texts.", opening.span.to(closing.span))
        return tuple(values)

    def value(self, field: Field, op: Op) -> Scalar:
        token = self.take()
        value = self.typed(token, field, op)
        if op in (Op.LIKE, Op.ILIKE) and isinstance(value, str):
            literals.check_pattern(value, token.span)
        return value

    def typed(self, token: Token, field: Field, op: Op) -> Scalar:
        match field.entity:
            case Entity.ATTRIBUTE:
                return literals.column_value(token, self.vocabulary.columns[field.key], op, self.dialect)
            case Entity.METRIC:
                return literals.metric_value(token, self.dialect)
            case Entity.PARAM:
                return literals.param_value(token, op, self.dialect)
            case _:
                return literals.text_value(token, literals.KEYED_NOUN[field.entity])

    def misplaced(self) -> QueryError:
        token = self.token
        if token.kind is Kind.END:
            return QueryError("a condition is missing here.", token.span)
        if self.dialect is Dialect.MLFLOW and (token.is_word("OR", "NOT") or token.kind is Kind.PUNCTUATION):
            return QueryError(f"“{token.shown()}” has no place here: only AND joins conditions.", token.span)
        if self.at and token.kind is not Kind.PUNCTUATION and not token.is_word(*KEYWORDS):
            meant = nearest(token.text, ("AND", "OR") if self.dialect is Dialect.FULL else ("AND",))
            return QueryError(f"AND is missing before “{token.shown()}”.", token.span, suggestion=meant)
        return QueryError(f"“{token.shown()}” has no place here.", token.span)
