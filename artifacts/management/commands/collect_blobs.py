"""manage.py collect_blobs"""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.management.doors import as_operator
from artifacts.actions.content import collect_blobs, mark_unnamed_blobs
from artifacts.collecting import grace
from artifacts.queries.content import stray_content


class Command(BaseCommand):
    help = "Take away content that nothing has named for the time of grace (MLED_BLOBS_GRACE_HOURS)."

    def handle(self, *args: Any, **options: Any) -> None:
        count = size = 0
        with as_operator() as actor:
            waiting = mark_unnamed_blobs(actor, strays=stray_content(actor))
            while gone := collect_blobs(actor):
                count, size = count + len(gone), size + sum(blob.size_bytes for blob in gone)
                self.stderr.write(f"{count:,} of at most {waiting:,} blobs")
        hours = grace().total_seconds() / 3600
        self.stdout.write(f"Took away {count:,} blobs, {size / 1e6:,.1f} MB.")
        self.stdout.write(f"{waiting - count:,} more have no name and stay until they had none for {hours:g} hours.")
