"""Who reads the rows that events speak of, as they are now.

verify_ledger replays the events and compares. Tracked models are read by themselves; a room registers, in
`AppConfig.ready()`, a reader for whatever else its actions record:

    register_evidence("experiments.param", read_params)      # yields (run uid, {key: value, ...})
    register_check("seals of runs", check_seals)             # yields Problem for what events cover by a digest
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit.ledger.tracking import Tracked, tracked_models
from audit.ledger.values import plain

Row = tuple[str, Mapping[str, Any]]
"""The id of a record as `Act.record` gets it, and all its recorded fields with their values now."""

Reader = Callable[[], Iterable[Row]]
"""Streams the records of one kind, each once. Runs in a read-only snapshot."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as the log says. seq: the place in the log, where one event is meant."""

    what: str
    kind: str = ""
    id: str = ""
    field: str = ""
    expected: Any = None
    found: Any = None
    seq: int | None = None


Check = Callable[[], Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of records and its reader.

    defaults: for records with columns, the value that a column has where no event ever spoke of it, because it came
    with a later version; recorded columns that are not in it are gone. None: the fields are exactly the recorded ones.
    """

    name: str
    read: Reader
    defaults: Mapping[str, Any] | None = None


_kinds: dict[str, Kind] = {}
_checks: dict[str, Check] = {}
_told: set[str] = {"ledger.key", "ledger.alarm"}


def register_evidence(kind: str, reader: Reader) -> None:
    """Say how the records of a kind are read. Their fields must be exactly those that events have set."""
    _kinds[kind] = Kind(kind, reader)


def register_told(kind: str) -> None:
    """Say that records of a kind are in their events alone: there is no row to compare."""
    _told.add(kind)


def is_told(kind: str) -> bool:
    """Whether records of a kind are in their events alone."""
    return kind in _told


def register_check(name: str, check: Check) -> None:
    """Add a check of what events cover only by a digest. name: what is checked, in words for the report."""
    _checks[name] = check


def kinds() -> dict[str, Kind]:
    """Every kind of record that can be compared with its events."""
    tracked = (model for model in tracked_models() if not model._meta.proxy)
    return {model._meta.label_lower: _tracked_kind(model) for model in tracked} | _kinds


def checks() -> dict[str, Check]:
    """Every registered check by its name."""
    return dict(_checks)


def _tracked_kind(model: type[Tracked]) -> Kind:
    loud = [field for field in model._meta.concrete_fields if field.attname not in model.quiet_fields]
    defaults = {field.attname: plain(field.get_default()) for field in loud if not callable(field.default)}
    columns = {field.attname: None for field in loud}
    return Kind(model._meta.label_lower, lambda: _tracked_rows(model), columns | defaults)


def _tracked_rows(model: type[Tracked]) -> Iterator[Row]:
    for row in model._base_manager.order_by().iterator(chunk_size=2000):
        yield row.ledger_id, row.ledger_fields()
