"""`manage.py admit_worker NAME`: the one-time word for a worker on another machine, for who runs this one."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel.actor import operator
from kernel.errors import MledError
from runner.actions.workers import admit_worker, new_word
from runner.elsewhere import command, only_here


class Command(BaseCommand):
    help = "Let one worker on another machine in, within the hour. Prints what to run there, and nothing else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the worker")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        word = new_word()
        try:
            admit_worker(operator(), name=name, word=word)
        except MledError as error:
            raise CommandError(str(error)) from error
        for note in only_here():
            self.stderr.write(note)
        self.stdout.write(command(settings.MLED_RUNNER_URL, word))
