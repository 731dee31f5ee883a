"""How large a server's database is, with nothing left in a log that is not yet in it, and what of it is which."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Weight:
    """Bytes of tables with their indexes. ledger: the log of acts; history: earlier states of rows; own: the rest."""

    own: float = 0.0
    ledger: float = 0.0
    history: float = 0.0

    @property
    def total(self) -> float:
        return self.own + self.ledger + self.history

    def add(self, table: str, size: float) -> Self:
        """With a table or an index of that table."""
        kind = "ledger" if table.startswith("ledger_") else "history" if "_historical" in table else "own"
        return type(self)(**{**vars(self), kind: getattr(self, kind) + size})

    def since(self, before: "Weight", count: int) -> "Weight":
        """The growth, for each of so many things."""
        own, ledger, history = (getattr(self, kind) - getattr(before, kind) for kind in ("own", "ledger", "history"))
        return Weight(own / count, ledger / count, history / count)

    def __str__(self) -> str:
        parts = f"{self.own:,.0f} without ledger and history, {self.ledger:,.0f} ledger, {self.history:,.0f} history"
        return f"{self.total:,.0f} bytes: {parts}"


def sqlite_weight(home: Path) -> Weight:
    """Pages in use of every SQLite database below a directory."""
    weight = Weight()
    for path in sorted(home.rglob("*")):
        if path.suffix in (".sqlite3", ".db") and path.is_file():
            for table, size in _sqlite_tables(path):
                weight = weight.add(table, size)
    return weight


def _sqlite_tables(path: Path) -> list[tuple[str, float]]:
    """Tables and indexes by the name of their table. Where SQLite was built without dbstat, all pages as one."""
    database = sqlite3.connect(path, timeout=30)
    try:
        database.execute("PRAGMA wal_checkpoint(PASSIVE)")
        try:
            return database.execute(
                "SELECT coalesce(m.tbl_name, d.name), sum(d.pgsize) FROM dbstat d"
                " LEFT JOIN sqlite_master m ON m.name = d.name GROUP BY 1"
            ).fetchall()
        except sqlite3.OperationalError:
            [size], [count], [free] = (
                database.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count", "freelist_count")
            )
            return [("", float(size * (count - free)))]
    finally:
        database.close()


def postgres_weight(url: str) -> Weight:
    """Every relation of the database; catalogues count as its own."""
    import psycopg

    weight = Weight()
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("CHECKPOINT")
        rows = database.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind IN ('r', 'm', 'p')"
        )
        for table, size in rows.fetchall():
            weight = weight.add(table, float(size))
    return weight


def sqlite_bytes(home: Path) -> float:
    """All of it."""
    return sqlite_weight(home).total


def postgres_bytes(url: str) -> float:
    """All of it."""
    return postgres_weight(url).total
