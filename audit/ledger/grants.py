"""Who may do what in PostgreSQL, as SQL: the tables belong to a role that no process of MLED speaks as.

app        web and worker: may insert evidence and never change it, and cannot place or sign anything
sequencer  may place events and sign heads, and write nothing else
operator   both, and may erase payloads: for whoever runs management commands

It is composed from the migrations, so that what refuses a change by a trigger is not granted either. A table that comes
later gets nothing until this runs again: run it after every migration.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from audit.ledger.triggers import RefuseUpdate, RefuseUpdateAndDelete

ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
READ = ("SELECT",)
# What is otherwise than the triggers say: the log itself.
_APP = {
    "ledger_leaf": READ,
    "ledger_subtree": READ,
    "ledger_checkpoint": READ,
    "ledger_pending": ("SELECT", "INSERT"),
    "ledger_eventorigin": ("SELECT", "DELETE"),  # after 90 days
    "django_migrations": READ,
}
_SEQUENCER = {
    "ledger_auditevent": READ,
    "ledger_leaf": ("SELECT", "INSERT"),
    "ledger_subtree": ("SELECT", "INSERT"),
    "ledger_checkpoint": ("SELECT", "INSERT"),
    "ledger_pending": ("SELECT", "DELETE"),
    "ledger_eventorigin": ("INSERT",),
}
_ERASED = "ledger_auditpayload"


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the three roles."""

    app: str
    sequencer: str
    operator: str


def statements(roles: Roles, *, tables: Sequence[str]) -> Iterator[str]:
    """The SQL, to be run by the owner of these tables. The roles exist."""
    everyone = ", ".join(_quoted(role) for role in (roles.app, roles.sequencer, roles.operator))
    app, sequencer, operator = (_quoted(role) for role in (roles.app, roles.sequencer, roles.operator))
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {everyone}"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {everyone}"
    yield f"GRANT USAGE ON SCHEMA public TO {everyone}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {everyone}"
    kept = _evidence()
    for table in tables:
        acting, placing = _APP.get(table) or kept.get(table, ALL), _SEQUENCER.get(table, ())
        erasing = ("DELETE",) if table == _ERASED else ()
        yield _granted(acting, table, app)
        if placing:
            yield _granted(placing, table, sequencer)
        yield _granted(tuple(dict.fromkeys((*acting, *placing, *erasing))), table, operator)


def tables_here() -> list[str]:
    """Every table of this database."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_list(cursor)
    return sorted(table.name for table in found if table.type in ("t", "p"))


def _evidence() -> dict[str, tuple[str, ...]]:
    """What may be done to tables whose rows are evidence."""
    kept: dict[str, tuple[str, ...]] = {}
    for migration in MigrationLoader(None).disk_migrations.values():
        for operation in migration.operations:
            if isinstance(operation, RefuseUpdateAndDelete):
                kept[operation.table] = ("SELECT", "INSERT")
            elif isinstance(operation, RefuseUpdate) and operation.columns is None:
                kept[operation.table] = ("SELECT", "INSERT", "DELETE")
    return kept


def _granted(rights: Sequence[str], table: str, role: str) -> str:
    return f"GRANT {', '.join(rights)} ON {_quoted(table)} TO {role}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
