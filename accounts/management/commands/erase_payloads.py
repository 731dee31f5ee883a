"""manage.py erase_payloads --event ID [--event ID] --basis TEXT"""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.actions.erasing import erase_everywhere
from accounts.management.doors import as_operator


class Command(BaseCommand):
    help = "Erase what events of the log say. That they happened stays, and every proof holds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--event", action="append", required=True, metavar="ID", help="can be given several times")
        parser.add_argument("--basis", required=True, help="the legal basis; it is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_operator() as actor:
            gone = erase_everywhere(actor, events=_ids(options["event"]), basis=options["basis"])
        self.stdout.write(f"{gone} payload{'' if gone == 1 else 's'} erased.")


def _ids(given: list[str]) -> list[UUID]:
    try:
        return [UUID(one) for one in given]
    except ValueError:
        raise CommandError("An event is named by its id, 32 hex digits.") from None
