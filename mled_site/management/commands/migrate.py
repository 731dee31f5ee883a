"""`manage.py migrate`: Django's own, and a new database gets its tables in one step."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from mled_site.new_database import fill_if_new

# With one of these a person asks for something else than all of it.
OTHER_WISHES = ("app_label", "fake", "fake_initial", "plan", "check_unapplied", "prune")


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if not any(options[wish] for wish in OTHER_WISHES):
            filled = fill_if_new(connections[options["database"]])
            if filled and options["verbosity"]:
                self.stdout.write(f"New database: tables as {filled} migrations leave them, made in one step.")
        super().handle(*args, **options)
