"""Values and moments as a report writes them: exact, in UTC, '' for what was not recorded."""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

from audit.ledger.queries.history import RowChange
from kernel.clock import from_ms

TEXT_MAX = 400
CHANGES_MAX = 12
NO_NAMES: Mapping[str, str] = {}
# Kinds of rows whose fields are names that people gave: the kind says what they are.
_NAMED = {
    "experiments.param": "param",
    "experiments.runtag": "tag",
    "experiments.runinput": "data",
    "artifacts.artifactfile": "file",
    "compliance.reportfile": "file",
}


def moment(at: dt.datetime | None) -> str:
    """ISO 8601 in UTC with microseconds, '' for none."""
    return "" if at is None else at.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_ms(at_ms: int | None) -> str:
    """A client's milliseconds as ISO 8601; a number where no calendar holds it."""
    if at_ms is None:
        return ""
    at = from_ms(at_ms)
    return str(at_ms) if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number(value: float | None) -> str:
    """All digits; NaN and the infinities in words; '' for none."""
    if value is None:
        return ""
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def duration(started_ms: int | None, ended_ms: int | None) -> str:
    """In seconds, '' where either end is not known."""
    return "" if started_ms is None or ended_ms is None else f"{(ended_ms - started_ms) / 1000:.3f} s"


def roles(text: str) -> str:
    """The roles that an event keeps, in words."""
    return ", ".join(name.replace("_", " ") for name in text.split(",") if name)


def value(given: Any, names: Mapping[str, str] = NO_NAMES) -> str:
    """A recorded value as a person reads it. names: of people, by the ids that events hold."""
    if given is None or given == "":
        return ""
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, dict):
        text = ", ".join(f"{key} {value(item, names)}" for key, item in given.items() if item not in (None, "", {}))
    elif isinstance(given, list):
        text = ", ".join(value(item, names) for item in given)
    else:
        text = names.get(given, given) if isinstance(given, str) else str(given)
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"


def changes(rows: Iterable[RowChange], names: Mapping[str, str] = NO_NAMES) -> str:
    """Old and new of what changed, at most a dozen of them; how many more there were."""
    told = [
        f"{_name(row, field)}: {value(new, names)}" if old in (None, "") else
        f"{_name(row, field)}: {value(old, names)} → {value(new, names) or 'removed'}"
        for row in rows
        for field, (old, new) in row.fields.items()
        if value(old) != value(new)
    ]  # fmt: skip
    more = f"; and {len(told) - CHANGES_MAX:,} more" if len(told) > CHANGES_MAX else ""
    return "; ".join(told[:CHANGES_MAX]) + more


def _name(row: RowChange, field: str) -> str:
    said = _NAMED.get(row.type)
    if said:
        return f"{said} {field}"
    kind = row.type.rpartition(".")[2]
    return field.removesuffix("_id") if kind == "run" else f"{kind} {field.removesuffix('_id')}"
