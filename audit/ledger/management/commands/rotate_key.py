"""manage.py rotate_key: another key signs the log from now on."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.ledger import keys
from audit.ledger.keys import KeyRefused, SigningKey
from audit.ledger.rotation import replace_lost_key, rotate_key
from audit.ledger.sequencer import LogBroken
from kernel.actor import operator
from kernel.ids import uuid7

REASON_MAX = 2000


class Command(BaseCommand):
    help = (
        "Sign the log with a new key from now on. Sequencers that run notice; the old private key is gone afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", default="", help="why; it is kept in the log")
        parser.add_argument("--lost", action="store_true", help="the old key is gone and cannot sign the new one in")
        parser.add_argument("--make", action="store_true", help="print a new key, for MLED_SIGNING_KEY, and do nothing")
        parser.add_argument(
            "--key-stdin", action="store_true", help="read the new key, as --make printed it, from stdin"
        )

    def handle(self, *args: Any, reason: str, lost: bool, make: bool, key_stdin: bool, **options: Any) -> None:
        try:
            if make:
                self.stdout.write(keys.new_key(_origin()).line())
                return
            if not reason.strip() or len(reason) > REASON_MAX:
                raise CommandError(f"Say why with --reason, in at most {REASON_MAX:,} letters; it is kept in the log.")
            given = keys.parse_signing_key(sys.stdin.readline().strip()) if key_stdin else None
            self.stdout.write(_changed(reason.strip(), lost=lost, given=given))
        except (KeyRefused, LogBroken) as error:
            raise CommandError(str(error)) from error


def _changed(reason: str, *, lost: bool, given: SigningKey | None) -> str:
    actor = operator(request_id=uuid7().hex)
    if given is not None and (lost or not settings.MLED_SIGNING_KEY):
        raise CommandError("--key-stdin is for changing the key in MLED_SIGNING_KEY; a lost one is simply set anew.")
    new = replace_lost_key(actor, reason=reason) if lost else rotate_key(actor, reason=reason, to=given)
    words = f"The log is signed with key {new.public.id} from now on.\nPublic key: {new.public.line()}"
    if given is not None:
        words += "\nPut the new key into MLED_SIGNING_KEY and start MLED again: until then events wait for their place."
    return words


def _origin() -> str:
    return keys.signing_key().origin
