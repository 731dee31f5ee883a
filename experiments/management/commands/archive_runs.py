"""manage.py archive_runs [--project SLUG] [--older-than DAYS] [--limit N] [--dry-run]"""

import datetime as dt
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import islice
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.access import find_project
from accounts.management.doors import as_operator
from experiments.archiving import archive_each
from experiments.models import Run
from experiments.queries.archives import runs_to_archive
from kernel.actor import Actor
from kernel.clock import now

_TELL_EVERY = 2.0  # seconds


class Command(BaseCommand):
    help = (
        "Move the points of ended runs out of the database, into one Parquet file a run in the artifact store. Safe to "
        "stop, to repeat and beside a running server; the worker does it by itself after MLED_ARCHIVE_AFTER_DAYS."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        after = settings.MLED_ARCHIVE_AFTER_DAYS
        parser.add_argument("--project", default="", metavar="SLUG", help="only runs of this project")
        parser.add_argument(
            "--older-than", type=float, default=after or 30, metavar="DAYS", help="that nobody wrote to for so long"
        )
        parser.add_argument("--limit", type=int, default=None, help="archive at most so many runs")
        parser.add_argument("--dry-run", action="store_true", help="only tell which")

    def handle(
        self, *args: Any, project: str, older_than: float, limit: int | None, dry_run: bool, **options: Any
    ) -> None:
        with as_operator() as actor:
            runs = islice(self._waiting(actor, project, older_than), limit)
            if dry_run:
                self._tell(runs)
            else:
                self._archive(actor, runs)

    def _waiting(self, actor: Actor, slug: str, days: float) -> Iterator[Run]:
        project = find_project(actor, slug) if slug else None
        before = now() - dt.timedelta(days=days)
        for _, runs in runs_to_archive(actor, sealed_before=before, project=project):
            yield from runs

    def _tell(self, runs: Iterator[Run]) -> None:
        count = 0
        for count, run in enumerate(runs, 1):  # noqa: B007 - told below
            self.stdout.write(f"{run.readable_id} {run.name}, unchanged since {run.sealed_at:%Y-%m-%d}")
        self.stdout.write(f"{count:,} runs would be archived.")

    def _archive(self, actor: Actor, runs: Iterator[Run]) -> None:
        count = points = size = changed = failed = 0
        began = told = monotonic()
        try:
            for done in archive_each(actor, runs):
                if done.error:
                    changed, failed = changed + done.changed, failed + (not done.changed)
                    self.stderr.write(f"{done.run.readable_id}: {done.error}")
                else:
                    count, points, size = count + 1, points + done.points, size + done.size_bytes
                if monotonic() - told > _TELL_EVERY:
                    told = monotonic()
                    self.stderr.write(
                        f"{count:,} runs, {points:,} points, {size / 1e6:,.1f} MB; {done.run.readable_id}"
                    )
        except KeyboardInterrupt:
            self.stderr.write("Stopped; what is not archived stays as it is.")
        took, a_point = monotonic() - began, f", {size / points:.1f} bytes a point" if points else ""
        how_many = "1 run" if count == 1 else f"{count:,} runs"
        self.stdout.write(f"Archived {how_many} in {took:.1f} s: {points:,} points in {size / 1e6:,.1f} MB{a_point}.")
        if changed or failed:
            self.stdout.write(f"{changed:,} were written to meanwhile, {failed:,} could not be archived.")
        if failed:
            sys.exit(1)
