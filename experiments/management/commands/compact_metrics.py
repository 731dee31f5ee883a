"""`manage.py compact_metrics`: merge the small segments of every series."""

from typing import Any

from django.core.management.base import BaseCommand

from experiments.metrics.compaction import compact, newest_segment, written_since


class Command(BaseCommand):
    help = (
        "Merge the small segments of every metric series. Safe to stop, to repeat and beside a running server; the "
        "worker does it by itself for what is being written."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        newest, fewer = newest_segment(), 0
        for looked_up_to, crowded in written_since(0):
            fewer += sum(compact(series) for series in crowded)
            if self.stdout.isatty():
                self.stdout.write(f"\r{100 * looked_up_to // max(newest, 1)} %", ending="")
                self.stdout.flush()
        self.stdout.write(f"{fewer:,} segments fewer.")
