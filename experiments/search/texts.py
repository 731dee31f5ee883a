"""Params and tags of one run, read by statements of fixed shape: every call that writes one asks for it first."""

from collections.abc import Sequence
from typing import Final

from django.db import connection

from audit.ledger.inserting import compiling_cursor
from experiments.models import Param, Run, RunTag

_FEW: Final = 8


def stored_texts(table: type[Param] | type[RunTag], run: Run, keys: Sequence[str]) -> dict[str, str]:
    """Those of these params or tags that the run has, by key. For acts on a run that is held."""
    if connection.vendor == "postgresql":
        among, values = "= ANY(%s)", [list(keys)]
    elif len(keys) <= _FEW:
        among, values = f"IN ({', '.join(['%s'] * len(keys))})", list(keys)  # type: ignore[arg-type]
    else:
        return dict(table.objects.filter(run=run, key__in=list(keys)).values_list("key", "value"))
    statement = f"SELECT key, value FROM {table._meta.db_table} WHERE run_id = %s AND key {among}"  # noqa: S608 - ours
    with compiling_cursor() as cursor:
        cursor.execute(statement, [run.pk, *values])
        return dict(cursor.fetchall())
