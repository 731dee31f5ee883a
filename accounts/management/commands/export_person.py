"""manage.py export_person EMAIL > person.json"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.actions.users import find_user
from accounts.management.doors import as_operator
from accounts.queries.person_export import everything_about


class Command(BaseCommand):
    help = "Print everything that is kept about a person, as JSON (GDPR 15)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_operator() as actor:
            told = everything_about(actor, find_user(options["email"]))
        self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
