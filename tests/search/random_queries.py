"""Random filters as trees, over few keys and values so that they meet the population of reference.py."""

import datetime as dt
import math
from random import Random

from experiments.search.columns import Dialect
from experiments.search.tree import (
    Aggregate,
    Ago,
    Comparison,
    Day,
    Entity,
    Field,
    Instant,
    Node,
    Not,
    Op,
    Scalar,
    Value,
    Words,
    all_of,
    any_of,
)

METRIC_KEYS = ("loss", "acc", "val/auc", "a.b", "Loss")
PARAM_KEYS = ("lr", "LR", "opt im", "depth", "note")
TAG_KEYS = ("team", "mlflow.runName", "stage-2")
TEXTS = (
    "",
    "adam",
    "Adam",
    "ADAM",
    "sgd",
    "1",
    "10",
    "9",
    "0.1",
    "1e-1",
    "it's",
    'say "hi"',
    "50%",
    "a_b",
    "a*b?[c]",
    "été",
    "ÉTÉ",
)
LONG = ("x" * 199, "x" * 200, "x" * 201, "x" * 200 + "y", "é" * 250)
PATTERNS = (
    "%",
    "a%",
    "%a%",
    "A%",
    "_",
    "a_b",
    "%\\%",
    "_dam",
    "%'%",
    "%*%",
    "[a]%",
    "%?%",
    "x%y",
    "%é%",
    "É%",
    "",
    "%a%m%",
    "x" * 200,
)
NUMBERS = (0, 1, -1, 0.1, 0.5, 10, 9, 1e-3, 1e308, -0.0, math.inf, -math.inf, 2**53 + 1, 10**30)
TIMES = (
    0,
    1,
    1_767_225_600_000,
    1_767_225_599_999,
    1_767_312_000_000,
    1_767_225_600_000.5,
    2**63 - 1,
    10**25,
    -5,
    -1e300,
)
RANGES = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)
TEXTUAL = (Op.EQ, Op.NE, Op.LIKE, Op.ILIKE)
LISTS = (Op.IN, Op.NOT_IN)
PRESENCE = (Op.IS_NULL, Op.IS_NOT_NULL)


def random_query(rng: Random, dialect: Dialect, depth: int = 3) -> Node:
    """A filter of one to a few conditions; in FULL with OR, NOT and brackets."""
    if dialect is Dialect.MLFLOW:
        return all_of([random_condition(rng, dialect) for _ in range(rng.randint(1, 3))])
    roll = rng.random()
    if depth == 0 or roll < 0.45:
        return _words(rng) if rng.random() < 0.08 else random_condition(rng, dialect)
    if roll < 0.6:
        return Not(random_query(rng, dialect, depth - 1))
    joined = any_of if roll < 0.8 else all_of
    return joined([random_query(rng, dialect, depth - 1) for _ in range(rng.randint(2, 3))])


def random_condition(rng: Random, dialect: Dialect) -> Comparison:
    """One condition that the dialect allows."""
    return rng.choice((_metric, _metric, _param, _param, _tag, _dataset, _text_attribute, _time, _status))(rng, dialect)


def _words(rng: Random) -> Words:
    return Words(tuple(rng.choice(("adam", "A", "run", "é", "50%", "a_b", "'")) for _ in range(rng.randint(1, 2))))


def _metric(rng: Random, dialect: Dialect) -> Comparison:
    full = dialect is Dialect.FULL
    aggregate = rng.choice(list(Aggregate)) if full and rng.random() < 0.5 else Aggregate.LAST
    field = Field(Entity.METRIC, rng.choice(METRIC_KEYS), aggregate)
    op = rng.choice(RANGES + (LISTS + PRESENCE if full else ()))
    return Comparison(field, op, _value(rng, op, NUMBERS))


def _param(rng: Random, dialect: Dialect) -> Comparison:
    field = Field(Entity.PARAM, rng.choice(PARAM_KEYS))
    if dialect is Dialect.FULL and rng.random() < 0.4:
        op = rng.choice(RANGES + LISTS)
        finite = tuple(number for number in NUMBERS if math.isfinite(number))
        return Comparison(field, op, _value(rng, op, finite))
    op = rng.choice(TEXTUAL + PRESENCE + (LISTS if dialect is Dialect.FULL else ()))
    return Comparison(field, op, _value(rng, op, TEXTS + LONG))


def _tag(rng: Random, dialect: Dialect) -> Comparison:
    op = rng.choice(TEXTUAL + PRESENCE + (LISTS if dialect is Dialect.FULL else ()))
    return Comparison(Field(Entity.TAG, rng.choice(TAG_KEYS)), op, _value(rng, op, TEXTS + LONG))


def _dataset(rng: Random, dialect: Dialect) -> Comparison:
    op = rng.choice(TEXTUAL + LISTS + (PRESENCE if dialect is Dialect.FULL else ()))
    field = Field(Entity.DATASET, rng.choice(("name", "digest", "context")))
    return Comparison(field, op, _value(rng, op, ("train", "Train", "eval", "mnist", "cifar-10", "d1", "d2", "été")))


def _text_attribute(rng: Random, dialect: Dialect) -> Comparison:
    op = rng.choice(TEXTUAL + (LISTS + PRESENCE if dialect is Dialect.FULL else ()))
    return Comparison(Field(Entity.ATTRIBUTE, rng.choice(("run_name", "user_id"))), op, _value(rng, op, TEXTS))


def _status(rng: Random, dialect: Dialect) -> Comparison:
    op = rng.choice((Op.EQ, Op.NE, *LISTS) if dialect is Dialect.FULL else (Op.EQ, Op.NE))
    return Comparison(Field(Entity.ATTRIBUTE, "status"), op, _value(rng, op, ("RUNNING", "FINISHED", "KILLED")))


def _time(rng: Random, dialect: Dialect) -> Comparison:
    field = Field(Entity.ATTRIBUTE, rng.choice(("start_time", "end_time")))
    if dialect is Dialect.FULL and rng.random() < 0.5:
        if rng.random() < 0.3:
            return Comparison(
                field, rng.choice((Op.LT, Op.LE, Op.GT, Op.GE)), Ago(rng.randint(0, 400), rng.choice("smhdw"))
            )
        day = dt.date(2026, 1, 1) + dt.timedelta(days=rng.randint(-1, 1))
        return Comparison(field, rng.choice(RANGES), rng.choice((Day(day), Instant(rng.choice(TIMES[:5])))))
    op = rng.choice(RANGES + (PRESENCE if dialect is Dialect.FULL else ()))
    return Comparison(field, op, _value(rng, op, TIMES))


def _value(rng: Random, op: Op, pool: tuple[Scalar, ...]) -> Value:
    if op in PRESENCE:
        return None
    if op in LISTS:
        return tuple(as_written(rng.choice(pool)) for _ in range(rng.randint(1, 4)))
    if op in (Op.LIKE, Op.ILIKE):
        return rng.choice(PATTERNS)
    return as_written(rng.choice(pool))


def as_written(value: Scalar) -> Scalar:
    """An integer beyond 64 bits comes back from text as a float."""
    return float(value) if type(value) is int and abs(value) >= 2**63 else value
