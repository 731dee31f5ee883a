"""How large a server's database is, with nothing left in a log that is not yet in it."""

import sqlite3
from pathlib import Path


def sqlite_bytes(home: Path) -> float:
    """Pages in use of every SQLite database below a directory."""
    return sum(_pages(path) for path in home.rglob("*") if path.suffix in (".sqlite3", ".db") and path.is_file())


def _pages(path: Path) -> float:
    database = sqlite3.connect(path, timeout=30)
    try:
        database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        [size], [count], [free] = (
            database.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count", "freelist_count")
        )
        return float(size * (count - free))
    finally:
        database.close()


def postgres_bytes(url: str) -> float:
    import psycopg

    with psycopg.connect(url, autocommit=True) as database:
        database.execute("CHECKPOINT")
        [size] = database.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        return float(size)
