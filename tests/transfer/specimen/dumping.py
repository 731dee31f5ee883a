"""A store as text: the tables that an import reads, as SQL that SQLite or PostgreSQL takes.

python -m tests.transfer.specimen.dumping sqlite mlflow.db > store.sql
python -m tests.transfer.specimen.dumping postgresql postgresql://… > store.postgresql.sql
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from typing import Any

import psycopg

TABLES = (
    "alembic_version", "experiments", "experiment_tags", "runs", "params", "tags", "metrics", "latest_metrics",
    "datasets", "inputs", "input_tags", "logged_models", "logged_model_params", "logged_model_tags",
    "logged_model_metrics", "registered_models", "registered_model_tags", "registered_model_aliases", "model_versions",
    "model_version_tags",
)  # fmt: skip
_COLUMNS = (
    "SELECT column_name, data_type FROM information_schema.columns "
    "WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position"
)


def of_sqlite(path: str) -> Iterator[str]:
    """Each table as it was made, with its rows; numbers with all their digits."""
    base = sqlite3.connect(path)
    for table in TABLES:
        for (made,) in base.execute("SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL", [table]):
            yield f"{made};"
        yield from _rows(
            table,
            base.execute(f"SELECT * FROM {table} ORDER BY 1, 2" if table != TABLES[0] else f"SELECT * FROM {table}"),
        )


def of_postgres(address: str) -> Iterator[str]:
    """Each table with its columns and their types, without keys, and its rows."""
    with psycopg.connect(address) as base:
        for table in TABLES:
            columns = base.execute(_COLUMNS, [table]).fetchall()
            yield f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns)});"
            yield from _rows(table, base.execute(f"SELECT * FROM {table} ORDER BY 1"))  # type: ignore[arg-type]


def _rows(table: str, rows: Any) -> Iterator[str]:
    for row in rows:
        yield f"INSERT INTO {table} VALUES ({', '.join(map(_literal, row))});"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


if __name__ == "__main__":
    print("\n".join((of_sqlite if sys.argv[1] == "sqlite" else of_postgres)(sys.argv[2])))
