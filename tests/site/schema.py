"""What a database says about itself: every table, column, index, constraint, trigger, function and right, as text."""

from __future__ import annotations

import re

from django.db import connection

PUBLIC = "'public'::regnamespace"
ON_POSTGRESQL = {
    "tables": f"""SELECT relname, relkind, relpersistence, reloptions, relacl::text, relowner::regrole::text,
        relrowsecurity, relreplident FROM pg_class WHERE relnamespace = {PUBLIC} AND relkind <> 'i'""",
    "columns": f"""SELECT relname, row_number() OVER (PARTITION BY relname ORDER BY attnum), attname,
        format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstorage, attcompression,
        attcollation::regcollation::text, attstattarget, pg_get_expr(adbin, adrelid), attacl::text
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid
        AND adnum = attnum WHERE relnamespace = {PUBLIC} AND relkind = 'r' AND attnum > 0 AND NOT attisdropped""",
    "indexes": f"""SELECT pg_get_indexdef(indexrelid), indisvalid, indisclustered, reloptions FROM pg_index
        JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = {PUBLIC}""",
    "constraints": f"""SELECT conrelid::regclass::text, conname, convalidated, condeferrable, condeferred,
        pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = {PUBLIC}""",
    "triggers": "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    "functions": f"SELECT pg_get_functiondef(oid), proacl::text FROM pg_proc WHERE pronamespace = {PUBLIC}",
    "sequences": """SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle,
        cache_size FROM pg_sequences""",
    "extensions": "SELECT extname FROM pg_extension",
    "types": f"SELECT typname, typtype FROM pg_type WHERE typnamespace = {PUBLIC}",
    "statistics": "SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext",
    "defaults": "SELECT defaclobjtype, defaclacl::text FROM pg_default_acl",
}
ON_SQLITE = {
    "everything": "SELECT type, name, tbl_name, sql FROM sqlite_master",
    "columns": """SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
        FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table'""",
}


def schema() -> dict[str, list[str]]:
    """What each query gives, in order; a statement's spaces count as one."""
    queries = ON_POSTGRESQL if connection.vendor == "postgresql" else ON_SQLITE
    return {what: sorted(words(row) for row in rows(query)) for what, query in queries.items()}


def words(row: tuple[object, ...]) -> str:
    return in_order(re.sub(r"\s+", " ", " | ".join(str(value) for value in row)))


def in_order(statement: str) -> str:
    """A SQLite table's columns and constraints by name: a column that was altered went to the end of its table."""
    head, made, body = statement.partition("CREATE TABLE ")
    name, _, parts = body.partition(" (")
    return f"{head}{made}{name} {sorted(at_top_level(parts))}" if made else statement


def at_top_level(parts: str) -> list[str]:
    """Text divided at the commas that stand in no bracket."""
    found, depth = [""], 0
    for character in parts.removesuffix(")"):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            found.append("")
        else:
            found[-1] += character
    return [part.strip() for part in found]


def rows(query: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def row_counts() -> dict[str, int]:
    tables = connection.introspection.table_names()
    return {table: int(str(rows(f'SELECT count(*) FROM "{table}"')[0][0])) for table in tables}
