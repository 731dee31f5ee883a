"""manage.py forget_person EMAIL --basis TEXT [--yes]"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.actions.forgetting import forget
from accounts.actions.users import find_user
from accounts.management.doors import as_operator
from accounts.queries.erasing import what_forgetting_does
from accounts.words import goes, stays


class Command(BaseCommand):
    help = "Replace a person's name and address everywhere. Without --yes: only tell what would go and what stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--basis", required=True, help="the legal basis; it is kept")
        parser.add_argument("--yes", action="store_true", help="do it; it cannot be undone")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_operator() as actor:
            user = find_user(options["email"])
            told = what_forgetting_does(actor, user)
            for line in ("Goes:", *goes(told), "Stays:", *stays(told)):
                self.stdout.write(line if line.endswith(":") else f"  {line}")
            if options["yes"]:
                self.stdout.write(f"Now {forget(actor, user=user, basis=options['basis'])}.")
            else:
                self.stdout.write("Nothing was changed. Give --yes to do it.")
