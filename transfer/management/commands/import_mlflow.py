"""manage.py import_mlflow SOURCE --project SLUG --as EMAIL: bring along what MLflow kept."""

import json
import os
import sys
import time
from getpass import getpass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.access import find_project
from accounts.actions.users import find_user
from accounts.management.doors import as_operator
from accounts.models import Project
from kernel.actor import Actor, ActorKind, Door
from kernel.errors import MledError
from transfer.actions.transfers import begin
from transfer.bringing.work import BY_COMMAND, at_hand
from transfer.mlflow.opening import open_by_operator, shown
from transfer.models import Transfer
from transfer.running import carry_through

EVERY = 1.0  # seconds between two lines about the same stage
TOKEN = "MLED_IMPORT_TOKEN"  # noqa: S105  # the name of the variable
SOURCE = "MLED_IMPORT_SOURCE"


class Command(BaseCommand):
    help = (
        "Import experiments, runs, metrics, models and files from a running MLflow server or from its store. Safe to "
        f"stop and to repeat: it goes on, and brings only what is new. A server's token is read from {TOKEN}."
    )

    _stage, _at = "", 0.0

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source",
            nargs="?",
            default="",
            help="http(s)://…, sqlite:///mlflow.db or postgresql://user:password@host/name. Everybody on this machine "
            f"may read a command line: one with a password is better given in {SOURCE} or by --source-file. Asked for "
            "without any.",
        )
        parser.add_argument("--source-file", type=Path, metavar="FILE", help="whose first line is the source")
        parser.add_argument("--project", required=True, metavar="SLUG", help="where it goes")
        parser.add_argument("--as", required=True, metavar="EMAIL", dest="email", help="who imports: a member who may")
        parser.add_argument(
            "--artifacts",
            action="append",
            default=[],
            metavar="OLD=NEW",
            help="the folder NEW holds what the store says lies at OLD, such as mlflow-artifacts:=/srv/mlartifacts",
        )
        parser.add_argument("--experiments", nargs="+", default=[], metavar="NAME", help="only these, by name or id")
        parser.add_argument("--without-files", action="store_true", help="leave the artifacts where they are")

    def handle(self, *args: Any, **options: Any) -> None:
        options["source"] = self._source(options["source"], options["source_file"])
        with as_operator() as actor:
            project = find_project(actor, options["project"])
            user = find_user(options["email"])
        member = Actor(ActorKind.USER, Door.COMMAND, user_id=user.pk, user_name=str(user), is_active=user.is_active)
        try:
            transfer = self._carried(member, project, options)
        except MledError as error:
            raise CommandError(str(error)) from None
        self._told(transfer)

    def _source(self, typed: str, file: Path | None) -> str:
        """Where it comes from, of one place alone. Raises CommandError."""
        given = [one for one in (typed, os.environ.get(SOURCE, ""), file) if one]
        if len(given) > 1:
            raise CommandError(f"Give the source once: as an argument, in {SOURCE}, or by --source-file.")
        if typed and _has_password(typed):
            self.stderr.write(
                f"Warning: the password stands on the command line, where every user of this machine may read it. Give "
                f"the source in {SOURCE}, by --source-file, or leave it out to be asked."
            )
        source = _first_line(file) if file else str(given[0]) if given else self._asked()
        if not source:
            raise CommandError(f"No source is given: as an argument, in {SOURCE}, or by --source-file.")
        return source

    def _asked(self) -> str:
        return getpass("Source, not shown while you type: ").strip() if sys.stdin.isatty() else ""

    def _carried(self, actor: Actor, project: Project, options: dict[str, Any]) -> Transfer:
        places = dict(_place(given) for given in options["artifacts"])
        with_files = not options["without_files"]

        def opened() -> Any:
            token = os.environ.get(TOKEN, "")
            return open_by_operator(options["source"], places, with_files=with_files, token=token)

        source = opened()
        try:
            origin = source.origin()
        finally:
            source.close()
        asked = {BY_COMMAND: True, "experiments": options["experiments"], "files": with_files}
        transfer = _left(actor, project, origin, asked) or begin(
            actor, project, kind=Transfer.Kind.MLFLOW, source=shown(options["source"]), origin=origin, options=asked
        )
        at_hand[transfer.pk] = opened
        try:
            return carry_through(transfer.pk, listener=self._progress)
        finally:
            del at_hand[transfer.pk]

    def _progress(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if stage == self._stage and now - self._at < EVERY:
            return
        self._stage, self._at = stage, now
        of = f" of {total:,}" if total else ""
        self.stderr.write(f"{stage}: {done:,}{of}")

    def _told(self, transfer: Transfer) -> None:
        for problem in transfer.problems:
            self.stderr.write(f"{problem['where']}: {problem['message']}")
        if transfer.state != Transfer.State.DONE:
            sys.stderr.flush()
            raise CommandError(transfer.failure or "The import was stopped; run it again to go on.")
        self.stdout.write(json.dumps(transfer.counts, sort_keys=True))


def _has_password(address: str) -> bool:
    try:
        return bool(urlsplit(address).password)
    except ValueError:  # no address at all, as opening it will say
        return False


def _first_line(file: Path) -> str:
    try:
        return file.read_text().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--source-file {file} cannot be read: {error}") from None


def _place(given: str) -> tuple[str, Path]:
    old, sign, new = given.partition("=")
    if not sign or not old or not Path(new).is_dir():
        raise CommandError(f"--artifacts {given}: write OLD=NEW, where NEW is a folder of this machine.")
    return old, Path(new)


def _left(actor: Actor, project: Project, origin: str, asked: dict[str, Any]) -> Transfer | None:
    """The import that this command began before and that was not finished, since it was killed."""
    mine = Transfer.objects.filter(project=project, requested_by_id=actor.user_id, state__in=Transfer.OPEN)
    found: Transfer | None = mine.filter(kind=Transfer.Kind.MLFLOW, origin=origin, options=asked).first()
    return found
