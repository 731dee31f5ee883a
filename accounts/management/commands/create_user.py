"""manage.py create_user EMAIL [--name] [--role ROLE [--project SLUG]] [--password-stdin]"""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.access import find_project
from accounts.actions.members import appoint, parsed_role
from accounts.actions.users import create_user
from accounts.management.doors import as_operator
from accounts.management.membership import give_role
from audit.ledger.acting import acting


class Command(BaseCommand):
    help = "Make a user. Without a password they set one through 'Forgot your password?'."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--role", help="with --project a role there, else one on the whole site")
        parser.add_argument("--project", metavar="SLUG")
        parser.add_argument("--service", action="store_true", help="a service account: tokens, no password")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        with as_operator() as actor, acting(actor, "accounts.create_user") as act:
            user = create_user(
                actor, email=options["email"], name=options["name"], password=password, is_service=options["service"]
            )
            act.speaks_of(user.ledger_subject)
            if options["role"] and options["project"]:
                give_role(actor, find_project(actor, options["project"]), user, parsed_role(options["role"]))
            elif options["role"]:
                appoint(actor, user=user, role=parsed_role(options["role"]))
        self.stdout.write(f"User {user.email} was made.")
