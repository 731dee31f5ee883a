"""manage.py record_rehearsal: a back-up was restored elsewhere; check it and keep that in the log."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.management.doors import as_operator
from audit.compliance.actions.rehearsals import record_rehearsal
from audit.ledger.copies import CopyRefused, checked_copy


class Command(BaseCommand):
    help = "Record a restore rehearsal. With --restored MLED verifies the copy itself and compares its log with ours."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--restored", metavar="DATABASE_URL", help="the restored copy; it is only read")
        what.add_argument("--log-size", type=int, help="how many events it has, where it cannot be reached from here")
        parser.add_argument("--note", default="", help="how it was restored; needed with --log-size")

    def handle(self, *args: Any, restored: str | None, log_size: int, note: str, **options: Any) -> None:
        try:
            copy = checked_copy(restored) if restored else None
        except CopyRefused as error:
            raise CommandError(f"{error} Nothing was recorded.") from error
        with as_operator() as actor:
            size = copy.log_size if copy else log_size
            record_rehearsal(actor, log_size=size, note=note, checked=copy)
        words = f", its {copy.records:,} records and the head of its log checked" if copy else ", as you say"
        self.stdout.write(f"Recorded: a back-up with {size:,} events was restored{words}.")
