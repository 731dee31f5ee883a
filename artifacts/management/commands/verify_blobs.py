"""manage.py verify_blobs [--older-than DAYS] [--limit N]"""

import datetime as dt
import sys
from argparse import ArgumentParser
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand

from accounts.management.doors import as_operator
from artifacts.actions.content import note_check
from artifacts.queries.content import blobs_to_check, content_health, places_of
from artifacts.storage import Condition, blobs
from kernel.clock import now

_TELL_EVERY = 5.0  # seconds


class Command(BaseCommand):
    help = "Read stored content again and compare digests. Exit code 0: all is there as it was; 1: something is not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--older-than", type=float, default=0, metavar="DAYS", help="skip what was read since")
        parser.add_argument("--limit", type=int, default=10**9, help="read at most so many blobs")

    def handle(self, *args: Any, older_than: float, limit: int, **options: Any) -> None:
        began = told = monotonic()
        read = count = 0
        with as_operator() as actor:
            waiting = blobs_to_check(actor, not_since=now() - dt.timedelta(days=older_than), limit=limit)
            for blob in waiting:
                found = blobs().check(blob.digest)
                note_check(actor, blob=blob, found=found)
                count, read = count + 1, read + blob.size_bytes
                if found is not Condition.SOUND:
                    places = "; ".join(places_of(actor, blob.digest)) or "no file"
                    self.stdout.write(f"{found.value.upper()}: sha256:{blob.digest} ({places})")
                if monotonic() - told > _TELL_EVERY:
                    told = monotonic()
                    self.stderr.write(f"{count:,} of {len(waiting):,} blobs, {read / 1e6:,.0f} MB")
            health = content_health(actor)
        seconds = monotonic() - began
        self.stdout.write(f"Read {count:,} of {health.blobs:,} blobs, {read / 1e6:,.1f} MB, in {seconds:.1f} s.")
        if not health.is_sound:
            self.stdout.write(f"NOT SOUND: {len(health.missing)} missing, {len(health.changed)} changed.")
            sys.exit(1)
        self.stdout.write("Sound.")
