"""The register of what can be searched: entities with free keys, and named columns.

Each noun (runs, experiments, and in the rooms above models and versions) has one Vocabulary. A room above adds its
columns to a vocabulary in `AppConfig.ready()`; nothing here knows who did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from experiments.search.tree import Aggregate, Entity, Op


class Dialect(StrEnum):
    """MLFLOW: what MLflow's filters know and nothing more. FULL: our own doors, a superset."""

    MLFLOW = "mlflow"
    FULL = "full"


class Kind(StrEnum):
    """What a column holds, and so which operators and values it takes."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"  # milliseconds; FULL also takes dates and '7d'
    DURATION = "duration"  # milliseconds; written '90s', '2h'
    CHOICE = "choice"  # one of a few words
    FLAG = "flag"  # true or false
    IDENTIFIER = "identifier"  # a UUID, written as 32 hex digits
    SET = "set"  # several texts: = finds who has it, != who has it not


EQUALITY = frozenset({Op.EQ, Op.NE})
RANGE = EQUALITY | {Op.LT, Op.LE, Op.GT, Op.GE}
TEXTUAL = EQUALITY | {Op.LIKE, Op.ILIKE}
LISTS = frozenset({Op.IN, Op.NOT_IN})
PRESENCE = frozenset({Op.IS_NULL, Op.IS_NOT_NULL})

_COLUMN_OPS = {
    Kind.TEXT: TEXTUAL | LISTS | PRESENCE,
    Kind.NUMBER: RANGE | LISTS | PRESENCE,
    Kind.TIME: RANGE | PRESENCE,
    Kind.DURATION: RANGE | PRESENCE,
    Kind.CHOICE: TEXTUAL | LISTS | PRESENCE,
    Kind.FLAG: EQUALITY,
    Kind.IDENTIFIER: TEXTUAL | LISTS,
    Kind.SET: TEXTUAL | LISTS | PRESENCE,
}
_KEYED_OPS = {
    (Entity.METRIC, Dialect.MLFLOW): RANGE,
    (Entity.METRIC, Dialect.FULL): RANGE | LISTS | PRESENCE,
    (Entity.PARAM, Dialect.MLFLOW): TEXTUAL | PRESENCE,
    (Entity.PARAM, Dialect.FULL): TEXTUAL | RANGE | LISTS | PRESENCE,
    (Entity.TAG, Dialect.MLFLOW): TEXTUAL | PRESENCE,
    (Entity.TAG, Dialect.FULL): TEXTUAL | LISTS | PRESENCE,
    (Entity.DATASET, Dialect.MLFLOW): TEXTUAL | LISTS,
    (Entity.DATASET, Dialect.FULL): TEXTUAL | LISTS | PRESENCE,
}
DATASET_KEYS = ("name", "digest", "context")
ENTITY_WORDS = {
    "metric": Entity.METRIC,
    "metrics": Entity.METRIC,
    "param": Entity.PARAM,
    "params": Entity.PARAM,
    "parameter": Entity.PARAM,
    "parameters": Entity.PARAM,
    "tag": Entity.TAG,
    "tags": Entity.TAG,
    "attribute": Entity.ATTRIBUTE,
    "attributes": Entity.ATTRIBUTE,
    "attr": Entity.ATTRIBUTE,
    "run": Entity.ATTRIBUTE,
    "dataset": Entity.DATASET,
    "datasets": Entity.DATASET,
}
AGGREGATES = {aggregate.value: aggregate for aggregate in Aggregate}


@dataclass(frozen=True, slots=True)
class Column:
    """One named column.

    source: SQL for its value, NULL where there is none; for a SET a SELECT of one column `value`. The searched row is
    `r` (a run) or `e` (an experiment). It is written by a developer, never by a user. sorted_by: (SQL, kind) to sort
    by, where that is another; a SET without it cannot be sorted by.
    personal: a FLAG about the viewer, whose id is the one placeholder in source.
    aliases: other names; those MLflow knows as well are in mlflow_aliases. choices: word -> stored value.
    mlflow: MLflow's filters know it. mlflow_lists: there it also takes IN.
    """

    name: str
    kind: Kind
    source: str
    aliases: tuple[str, ...] = ()
    mlflow_aliases: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    mlflow: bool = False
    mlflow_lists: bool = False
    sorted_by: tuple[str, Kind] | None = None
    personal: bool = False

    @property
    def words(self) -> dict[str, str]:
        """Each stored choice by the first of its words: how it is offered and shown."""
        found: dict[str, str] = {}
        for word, stored in self.choices.items():
            found.setdefault(stored, word)
        return found

    def ops(self, dialect: Dialect) -> frozenset[Op]:
        """The operators it takes."""
        ops = _COLUMN_OPS[self.kind]
        if dialect is Dialect.FULL:
            return ops
        return ops - PRESENCE if self.mlflow_lists else ops - PRESENCE - LISTS


@dataclass(slots=True)
class Vocabulary:
    """What filters over one noun may speak of.

    entities: those with free keys. words: the column that bare words search, or "" for none.
    entity_words: how entities are written, whatever the dialect. mlflow_lists: params and tags take IN in MLflow too.
    """

    noun: str
    entities: frozenset[Entity]
    words: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    entity_words: Mapping[str, Entity] = field(default_factory=lambda: ENTITY_WORDS)
    mlflow_lists: bool = False

    def register(self, *columns: Column) -> None:
        """Add columns. A name that is taken is a programming error."""
        for column in columns:
            taken = {name.lower() for known in self.columns.values() for name in _names(known)}
            clash = [name for name in _names(column) if name.lower() in taken]
            if clash:
                raise ValueError(f"The search column {clash[0]} of {self.noun} is registered twice.")
            self.columns[column.name] = column

    def column(self, name: str, dialect: Dialect) -> Column | None:
        """The column of that name or alias. MLFLOW: exactly so written; FULL: whatever the case."""
        if dialect is Dialect.MLFLOW:
            return next((c for c in self.columns.values() if c.mlflow and name in (c.name, *c.mlflow_aliases)), None)
        return next((c for c in self.columns.values() if name.lower() in (n.lower() for n in _names(c))), None)

    def entity(self, word: str, dialect: Dialect) -> Entity | None:
        """The entity of a prefix; attributes are always there."""
        entity = self.entity_words.get(word if dialect is Dialect.MLFLOW else word.lower())
        return entity if entity is Entity.ATTRIBUTE or entity in self.entities else None

    def keyed_ops(self, entity: Entity, dialect: Dialect) -> frozenset[Op]:
        """The operators of an entity with free keys, here."""
        ops = keyed_ops(entity, dialect)
        return ops | LISTS if self.mlflow_lists and entity in (Entity.PARAM, Entity.TAG) else ops

    def names(self, dialect: Dialect) -> list[str]:
        """Names and aliases to suggest from."""
        if dialect is Dialect.MLFLOW:
            return [name for c in self.columns.values() if c.mlflow for name in (c.name, *c.mlflow_aliases)]
        return [name for c in self.columns.values() for name in _names(c)]

    def prefixes(self) -> list[str]:
        """Entity words to suggest from."""
        known = self.entities | {Entity.ATTRIBUTE}
        return [word for word, entity in self.entity_words.items() if entity in known]


def keyed_ops(entity: Entity, dialect: Dialect) -> frozenset[Op]:
    """The operators of an entity with free keys."""
    return _KEYED_OPS[entity, dialect]


def _names(column: Column) -> tuple[str, ...]:
    return (column.name, *column.aliases, *column.mlflow_aliases)
