"""Whether the tables are those that this version of MLED expects."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes

_NAMED = 3


@check("migrations", "Tables", seconds=10, needs_database=True)
def migrations(notes: Notes) -> None:
    """Whether the tables are those of this version: none missing, none of a newer one."""
    executor = MigrationExecutor(connection)
    missing = [str(one) for one, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    known, applied = executor.loader.disk_migrations, executor.loader.applied_migrations
    ours = {app for app, _ in known}
    newer = sorted(f"{app}.{name}" for app, name in applied if app in ours and (app, name) not in known)
    notes.figure("Applied", len(applied))
    if missing:
        notes.fail(
            "migrations.missing",
            f"{_counted(len(missing))} not made yet: {_named(missing)}. Pages that need them fail.",
            "Stop MLED, make a back-up, then run manage.py migrate; manage.py up does it by itself.",
        )
    if newer:
        notes.fail(
            "migrations.newer",
            f"The database was changed by a newer version of MLED: this one does not know {_named(newer)}.",
            "Run the version that it was last used with, or go back to a back-up from before it.",
        )


def _counted(count: int) -> str:
    return "1 change of the tables is" if count == 1 else f"{count} changes of the tables are"


def _named(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
