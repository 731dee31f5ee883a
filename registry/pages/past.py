"""The history of models and versions as lines to read."""

from collections.abc import Sequence
from typing import Any

from accounts.pages.history import Change, Entry, entry
from accounts.queries.history import NamedEvent
from audit.ledger.queries.history import RowChange
from registry.cards import WRITTEN
from registry.queries.events import Names
from registry.said import SAID

A_PAGE = 50
# Columns that say nothing to a reader of the history, or that the line itself says.
UNSAID = frozenset(
    (
        *("id", "model_id", "project_id", "version_id", "number", "created_by_id", "created_at", "created_ms"),
        *("updated_ms", "set_at", "set_by_id", "root_id", "root_path", "run_id", "logged_model_id", "status"),
        *(
            "decided_at",
            "effective_at",
            "lapsed_at",
            "written_at",
            "written_by_id",
            "signature_id",
            "decided_by_id",
            "from_version_id",
            "gates",
            "source",
        ),
    )
)
UNSAID_AT_FIRST = frozenset({"stage", "state", "kind"})
TAGS = {"registry.registeredmodeltag": "model tag", "registry.modelversiontag": "tag"}


def entries_of(events: Sequence[NamedEvent], names: Names | None = None) -> list[Entry]:
    """Events as lines. names: to say which alias moved from where to where."""
    return [entry(one, _all_changes(one, names or Names()), SAID) for one in events]


def _all_changes(event: NamedEvent, names: Names) -> list[Change]:
    return [change for row in event.past.changes for change in _changes(row, names)]


def _changes(row: RowChange, names: Names) -> list[Change]:
    if row.type == "registry.modelalias":
        return _alias(row, names)
    if row.type == "registry.cardtext":
        return _card(row)
    if row.type == "accounts.signature":
        return [Change("signed", "", str(new)) for name, (_, new) in row.fields.items() if name == "meaning"]
    if row.type in TAGS:
        return [Change(f"{TAGS[row.type]} {key}", _words(old), _words(new)) for key, (old, new) in row.fields.items()]
    if not row.type.startswith("registry."):
        return []
    made = [Change("version", "", f"v{row.fields['number'][1]}")] if _is_new_version(row) else []
    unsaid = UNSAID | UNSAID_AT_FIRST if row.op == "create" else UNSAID
    return made + [
        Change(_label(name), _words(old), _words(new))
        for name, (old, new) in row.fields.items()
        if name not in unsaid and _words(old) != _words(new)
    ]


def _is_new_version(row: RowChange) -> bool:
    return row.type == "registry.modelversion" and row.op == "create" and "number" in row.fields


def _alias(row: RowChange, names: Names) -> list[Change]:
    """An alias that came, moved or went."""
    old, new = row.fields.get("version_id", (None, None))
    return [Change(names.aliases.get(row.id, "alias"), _version(old, names), _version(new, names))]


def _version(key: Any, names: Names) -> str:
    if key is None:
        return ""
    number = names.versions.get(str(key))
    return f"v{number}" if number else "a version"


def _card(row: RowChange) -> list[Change]:
    section = next((str(new or old) for field, (old, new) in row.fields.items() if field == "section"), "")
    title = WRITTEN.get(section, (section or "section", ""))[0]
    return [Change(title, _words(old), _words(new)) for field, (old, new) in row.fields.items() if field == "text"]


def _label(name: str) -> str:
    return name.removesuffix("_at").replace("_", " ")


def _words(value: Any) -> str:
    if value is None or value == "" or value is False:
        return ""
    if isinstance(value, dict | list):
        return ""
    return "yes" if value is True else str(value)
