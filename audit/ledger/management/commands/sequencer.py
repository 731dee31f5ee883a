"""manage.py sequencer: puts committed events into the log until it is told to stop."""

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection

from audit.ledger import hooks, status
from audit.ledger.anchoring import Anchoring
from audit.ledger.hooks import Telling
from audit.ledger.keys import KeyRefused
from audit.ledger.places import BadAnchors
from audit.ledger.sequencer import BATCH, LogBroken, Sequencer

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
PAUSE_AFTER_TROUBLE_SECONDS = 5.0
LAST_ANCHORS_SECONDS = 10.0


class Command(BaseCommand):
    help = "Give committed events their place in the log and sign its heads. Runs until SIGTERM or Ctrl+C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="place what waits now, and end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        try:
            telling = Telling()
            sequencer = Sequencer(on_signed=hooks.tell_signed if once else telling.soon)
            if once:
                self.stdout.write(f"{sequencer.run_until_empty()} events placed")
                return
        except (KeyRefused, LogBroken) as error:
            raise CommandError(str(error)) from error
        stop = _told_to_stop()
        anchoring = _anchoring()
        telling.start()
        if options["verbosity"] > 1:
            self.stdout.write("Sequencer runs.")
            self.stdout.flush()
        self._loop(sequencer, stop)
        anchoring.finish(within=LAST_ANCHORS_SECONDS)

    def _loop(self, sequencer: Sequencer, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                placed, pause = sequencer.run_once(), PAUSE_SECONDS
                status.forget(status.STOPPED)
            except (Error, LogBroken, OSError) as error:
                # The database restarts, the disk is full, the log was tampered with: events wait, none is lost.
                log.critical("No events were placed: %s", error)
                status.note_trouble(status.STOPPED, str(error))
                connection.close()
                placed, pause = 0, PAUSE_AFTER_TROUBLE_SECONDS
            if placed < BATCH:
                stop.wait(pause)


def _anchoring() -> Anchoring:
    try:
        anchoring = Anchoring()
    except BadAnchors as error:
        raise CommandError(str(error)) from error
    anchoring.start()
    return anchoring


def _told_to_stop() -> threading.Event:
    """Set by SIGTERM and SIGINT; the batch under way is finished first."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
