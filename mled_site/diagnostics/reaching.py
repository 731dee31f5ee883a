"""Whether the database answers at all: asked directly and with a short patience, past the pool that waits for long."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection

from mled_site.diagnostics.words import said

PATIENCE_SECONDS = 3


def database_trouble() -> str:
    """Why the database cannot be reached, in its own words; '' where it answers."""
    try:
        if connection.vendor == "sqlite":
            _open_sqlite(str(connection.settings_dict["NAME"]))
        else:
            _connect(connection.get_connection_params())
    except Exception as error:  # drivers have many words for it
        return said(error)
    return ""


def _open_sqlite(name: str) -> None:
    if name == ":memory:" or name.startswith("file:"):
        return
    if not Path(name).exists():
        raise FileNotFoundError(f"There is no file {name}")
    with closing(sqlite3.connect(f"file:{name}?mode=ro", uri=True, timeout=PATIENCE_SECONDS)) as opened:
        opened.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _connect(params: dict[str, Any]) -> None:
    import psycopg

    with closing(psycopg.connect(**{**params, "connect_timeout": PATIENCE_SECONDS})) as opened:
        opened.execute("SELECT 1")
