"""manage.py issue_token EMAIL [--project SLUG] [--scope S] [--days N] [--name NAME]: prints the token only."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.access import find_project
from accounts.actions.tokens import DAYS_MAX, DEFAULT_SCOPES, create_token, new_secret
from accounts.actions.users import find_user
from accounts.management.doors import as_operator


class Command(BaseCommand):
    help = "Make a token for a user and print it: the only time that it can be read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--project", metavar="SLUG", help="good for this project only, and its default one")
        parser.add_argument("--scope", action="append", help="read, log, manage; repeat for several (read and log)")
        parser.add_argument("--days", type=int, default=90, help=f"until it expires, 1 to {DAYS_MAX} (90)")
        parser.add_argument("--name", default="command line")

    def handle(self, *args: Any, **options: Any) -> None:
        secret = new_secret()
        with as_operator() as actor:
            project = find_project(actor, options["project"]) if options["project"] else None
            create_token(
                actor,
                owner=find_user(options["email"]),
                name=options["name"],
                secret=secret,
                scopes=options["scope"] or DEFAULT_SCOPES,
                days=options["days"],
                projects=[project] if project else None,
                default_project=project,
            )
        self.stdout.write(secret)
