"""The history of a dataset in words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.pages.history import Change, Entry, entry
from accounts.queries.history import NamedEvent
from artifacts.models import DatasetVersion
from artifacts.records import FIELDS
from artifacts.said import SAID
from artifacts.versions import record_of
from audit.ledger.queries.history import RowChange


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a dataset's versions, by the version's id and by that of its record."""

    versions: Mapping[str, int]
    records: Mapping[str, int]

    @classmethod
    def of(cls, versions: Iterable[DatasetVersion]) -> "Numbers":
        """versions: read with their records."""
        every = list(versions)
        recorded = {str(record.pk): one.number for one in every if (record := record_of(one))}
        return cls({one.pk.hex: one.number for one in every}, recorded)


def entries_of(events: Sequence[NamedEvent], numbers: Numbers) -> list[Entry]:
    """Events as lines to read."""
    return [
        entry(event, [change for row in event.past.changes for change in _changes(row, numbers)], SAID)
        for event in events
    ]


def _changes(row: RowChange, numbers: Numbers) -> list[Change]:
    match row.type:
        case "artifacts.datasetversion":
            return [Change("version", "", _version(row))]
        case "artifacts.artifactfile":
            return [Change("files", "", f"{len(row.fields):,}")]
        case "artifacts.versionrecord":
            return _of_record(row, numbers)
        case "artifacts.datasetalias":
            return _of_alias(row, numbers)
        case "artifacts.dataset" if "description" in row.fields:
            return [_plain("description", row.fields["description"])]
        case _:
            return []


def _version(row: RowChange) -> str:
    said = {name: new for name, (_, new) in row.fields.items()}
    return f"v{said.get('number', '')} {str(said.get('digest', ''))[:12]}…"


def _of_record(row: RowChange, numbers: Numbers) -> list[Change]:
    number = numbers.records.get(row.id)
    which = f"v{number}" if number else "a version"
    found = [
        _plain(f"{which} {field.label.lower()}", tuple(field.shown(value or "") for value in row.fields[name]))
        for name, field in FIELDS.items()
        if name in row.fields and any(row.fields[name])
    ]
    return found or [Change(which, "", "")]


def _of_alias(row: RowChange, numbers: Numbers) -> list[Change]:
    old, new = row.fields.get("version_id", (None, None))
    name = next((str(one) for one in row.fields.get("name", ()) if one), "alias")
    return [Change(name, _number(old, numbers), _number(new, numbers))]


def _number(version_id: Any, numbers: Numbers) -> str:
    number = numbers.versions.get(str(version_id))
    return f"v{number}" if number else ""


def _plain(name: str, pair: tuple[Any, ...]) -> Change:
    old, new = pair
    return Change(name, str(old or ""), str(new or ""))
