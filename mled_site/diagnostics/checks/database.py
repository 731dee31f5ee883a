"""The database: does it answer, does it keep what it acknowledged, is there room for more connections."""

from pathlib import Path
from typing import Any

from django.db import OperationalError, connection

from mled_site.diagnostics.reaching import database_trouble
from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mled_site.diagnostics.words import said, size

SYNCHRONOUS = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}
LOCK_PATIENCE_MS = 2000
NEARLY_ALL = 0.85  # of the connections that the server gives out
PRIVILEGES = "SELECT has_table_privilege(current_user, 'ledger_auditevent', %s)"


@check("database", "Database", seconds=15)
def database(notes: Notes) -> None:
    """Reachable, which version, whether an acknowledged write survives a power cut, how large, who may do what."""
    notes.figure("Kind", {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor))
    if trouble := database_trouble():
        notes.fail("database.away", f"The database cannot be reached: {trouble}.", _how_to_reach())
        return
    (_sqlite if connection.vendor == "sqlite" else _postgres)(notes)


def _how_to_reach() -> str:
    if connection.vendor == "sqlite":
        return "Check MLED_DATA and DATABASE_URL, and that this user may read and write the file and its folder."
    where = connection.settings_dict
    return (
        f"Check that PostgreSQL runs on {where['HOST'] or 'this machine'}, port {where['PORT'] or 5432}, that "
        f"database '{where['NAME']}' is there, and user and password in DATABASE_URL."
    )


def _asked(statement: str, params: list[Any] | None = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchone()[0]


def _sqlite(notes: Notes) -> None:
    import sqlite3

    name = str(connection.settings_dict["NAME"])
    notes.figure("Version", sqlite3.sqlite_version)
    notes.figure("File", name)
    journal, synchronous = str(_asked("PRAGMA journal_mode")), int(_asked("PRAGMA synchronous"))
    notes.figure("Journal", f"{journal.upper()}, synchronous {SYNCHRONOUS.get(synchronous, synchronous)}")
    if journal != "wal" or synchronous < 2:
        notes.fail(
            "database.not_durable",
            "A write that was acknowledged may be lost with the power: SQLite runs without WAL and synchronous FULL.",
            "MLED sets both when it connects: keep the file on a local disk, and let no other program change it.",
        )
    notes.figure("Size", size(_asked("PRAGMA page_count") * _asked("PRAGMA page_size")))
    log = Path(f"{name}-wal")
    if log.exists():
        notes.figure("Write-ahead log", size(log.stat().st_size))
    _writable(notes)
    if notes.asked.thorough:
        _integrity(notes)


def _writable(notes: Notes) -> None:
    """Take the write lock and give it back."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout={LOCK_PATIENCE_MS}")
        try:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        except OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                notes.fail(
                    "database.locked",
                    f"Somebody has held the database's write lock for over {LOCK_PATIENCE_MS // 1000} seconds: "
                    "nothing can be written.",
                    "Look for a program that has the file open, such as sqlite3 or a back-up.",
                )
            else:
                notes.fail(
                    "database.read_only",
                    f"The database takes no writes: {said(error)}.",
                    "Give this user the right to write the file and its folder; see Disk whether there is room.",
                )


def _integrity(notes: Notes) -> None:
    found = str(_asked("PRAGMA quick_check(1)"))
    notes.figure("Quick check", found)
    if found != "ok":
        notes.fail(
            "database.damaged",
            f"The database file is damaged: {found[:200]}.",
            "Stop MLED, keep a copy of the file, and go back to your last back-up (docs/operate.md, Backup).",
        )


def _postgres(notes: Notes) -> None:
    where = connection.settings_dict
    notes.figure("Version", _asked("SHOW server_version"))
    notes.figure("Server", f"{where['HOST'] or 'local socket'}, database {where['NAME']}")
    told = {name: str(_asked(f"SHOW {name}")) for name in ("fsync", "synchronous_commit", "full_page_writes")}
    notes.figure("Durability", ", ".join(f"{name} {value}" for name, value in told.items()))
    if off := [name for name, value in told.items() if value == "off"]:
        notes.fail(
            "database.not_durable",
            f"A write that was acknowledged may be lost with the power: {' and '.join(off)} "
            f"{'is' if len(off) == 1 else 'are'} off.",
            "Switch it on in postgresql.conf and reload the server.",
        )
    notes.figure("Size", size(_asked("SELECT pg_database_size(current_database())")))
    _connections(notes)
    _role(notes)
    if _asked("SELECT pg_is_in_recovery()") or str(_asked("SHOW transaction_read_only")) == "on":
        notes.fail(
            "database.read_only",
            "The database takes no writes: it is a standby, or set to read only.",
            "Point DATABASE_URL at the primary server.",
        )


def _connections(notes: Notes) -> None:
    used = int(_asked("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"))
    most = int(_asked("SHOW max_connections"))
    notes.figure("Connections", f"{used} of {most}")
    if used >= most * NEARLY_ALL:
        notes.warn(
            "database.connections",
            f"{used} of {most} connections of the server are in use; who comes next may be turned away.",
            "Raise max_connections, or lower MLED_DB_POOL or MLED_WEB_WORKERS.",
        )


def _role(notes: Notes) -> None:
    role = _asked("SELECT current_user")
    is_super = bool(_asked("SELECT usesuper FROM pg_user WHERE usename = current_user"))
    changes = [word for word in ("UPDATE", "DELETE", "TRUNCATE") if is_super or _may(word)]
    rights = f"may {', '.join(changes)} on evidence, which triggers refuse" if changes else "may only add evidence"
    notes.figure("Role", f"{role}, {rights}")
    if is_super:
        notes.warn(
            "database.superuser",
            f"MLED speaks to PostgreSQL as the superuser {role}, who may switch off what protects the log.",
            "Give it a role of its own: manage.py grant_roles says which rights it needs.",
        )


def _may(word: str) -> bool:
    if not _asked("SELECT to_regclass('ledger_auditevent') IS NOT NULL"):
        return False
    return bool(_asked(PRIVILEGES, [word]))
