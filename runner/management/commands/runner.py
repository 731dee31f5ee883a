"""`manage.py runner`: a worker that does jobs. Each machine may have several, under names of their own."""

import os
import signal
import socket
import warnings
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel.errors import MledError
from runner.names import checked_queue


class Command(BaseCommand):
    help = "Do jobs of some queues until told to end (SIGTERM, Ctrl+C): those under way are ended in good order."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", default="", help="of this worker, the same after a restart (its machine's name)")
        parser.add_argument("--queues", default="", help="that it serves, with commas (MLED_RUNNER_QUEUES)")
        parser.add_argument("--slots", type=int, default=None, help="jobs at once (MLED_RUNNER_SLOTS)")

    def handle(self, *args: Any, name: str, queues: str, slots: int | None, **options: Any) -> None:
        wanted = [queue.strip() for queue in queues.split(",") if queue.strip()] or settings.MLED_RUNNER_QUEUES
        many = slots if slots is not None else max(1, settings.MLED_RUNNER_SLOTS)
        if many < 1:
            raise CommandError("A worker needs at least one slot: --slots 1")
        try:
            wanted = [checked_queue(queue) for queue in wanted]
            raise SystemExit(run(name or settings.MLED_RUNNER_NAME or socket.gethostname(), wanted, many))
        except MledError as error:
            raise CommandError(str(error)) from error


def run(name: str, queues: list[str], slots: int) -> int:
    """Until it is told to end; the exit code. Celery's worker hears the messages, in this thread."""
    from celery import current_app
    from celery.platforms import SecurityWarning
    from celery.signals import worker_shutting_down
    from celery.utils.nodenames import host_format

    from runner.executors import chosen
    from runner.working.heeding import MESSAGES
    from runner.working.looping import Worker

    worker = Worker(name, queues=queues, slots=slots, executor=chosen())
    signal.signal(signal.SIGTERM, end_early)  # until Celery hears it
    worker.start()
    try:
        worker_shutting_down.connect(lambda **_: worker.leave(), weak=False)
        warnings.filterwarnings("ignore", category=SecurityWarning)  # as root: messages are JSON, they run nothing
        os.environ.pop("MLED_BEAT", None)
        os.environ["CELERY_SKIP_CHECKS"] = "1"  # they would load every page
        current_app.conf.broker_connection_max_retries = None  # jobs go on while the broker is away, however long
        ears = current_app.Worker(
            hostname=host_format(f"runner-{name}@%h"),
            queues=[MESSAGES.format(queue) for queue in queues],
            pool="threads",
            concurrency=1,
            loglevel="WARNING",
            quiet=True,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        ears.start()
    finally:
        worker.leave()
        worker.join()
    return int(ears.exitcode or 0)


def end_early(number: int, frame: FrameType | None) -> None:
    """It is told to end while it still starts: what it has already ends in good order all the same."""
    raise SystemExit(0)
