"""manage.py grant_roles: what the roles of a PostgreSQL installation may do."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from audit.ledger.grants import Roles, statements, tables_here


class Command(BaseCommand):
    help = "Print the SQL that grants three roles what they need (or run it, with --apply). Again after each migration."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--app", default="mled_app", help="the role of web and worker")
        parser.add_argument("--sequencer", default="mled_sequencer", help="the role of the sequencer")
        parser.add_argument("--operator", default="mled_operator", help="the role of management commands")
        parser.add_argument("--apply", action="store_true", help="run it, as the owner of the tables")

    def handle(self, *args: Any, app: str, sequencer: str, operator: str, apply: bool, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has roles. Give DATABASE_URL of the role that owns the tables.")
        made = list(statements(Roles(app, sequencer, operator), tables=tables_here()))
        if not apply:
            self.stdout.write("BEGIN;\n" + "".join(f"{one};\n" for one in made) + "COMMIT;")
            return
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                for one in made:
                    cursor.execute(one)
        except DatabaseError as error:
            raise CommandError(f"{error}".strip()) from error
        self.stdout.write(f"{app}, {sequencer} and {operator} have their rights on {len(tables_here())} tables.")
