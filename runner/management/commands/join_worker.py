"""`manage.py join_worker https://mled.example.org`: this machine is given what a worker needs, and one starts."""

import json
import os
import sys
import urllib.error
import urllib.request
from getpass import getpass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

AT: Final = "/api/v1/workers/join/"
NEAR: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SECONDS: Final = 30


class Command(BaseCommand):
    help = "Join an installation on another machine as a worker, with the word that an administrator made there."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="of the installation, as https://mled.example.org")
        parser.add_argument("--word", default="", help="the one-time word; asked for where it is left out")
        parser.add_argument("--only-join", action="store_true", help="keep what was given and start no worker yet")
        parser.add_argument("--queues", default="", help="that it serves, with commas, as of manage.py runner")
        parser.add_argument("--slots", default="", help="jobs at once, as of manage.py runner")

    def handle(
        self, *args: Any, address: str, word: str, only_join: bool, queues: str, slots: str, **options: Any
    ) -> None:
        base = _checked(address)
        kept = Path(settings.MLED_DATA) / settings.MLED_JOINED
        if kept.exists():
            raise CommandError(f"{kept} is there: this folder belongs to a worker. Set MLED_DATA to another one.")
        given = _asked(base, word.strip() or getpass("The one-time word: ").strip())
        _keep(kept, given)
        self.stderr.write(f"{given['MLED_RUNNER_NAME']} may work for {base}. What it needs is kept in {kept}.")
        if not only_join:
            sys.stdout.flush()
            os.execv(sys.executable, [sys.executable, sys.argv[0], "runner", *_given(queues=queues, slots=slots)])


def _given(**options: str) -> list[str]:
    """Options as they are passed on."""
    return [word for name, value in options.items() if value for word in (f"--{name}", value)]


def _checked(address: str) -> str:
    """The address without its end. Raises CommandError: what is handed out does not travel in the open."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CommandError("Say where the installation is: join_worker https://mled.example.org")
    if parts.scheme == "http" and parts.hostname not in NEAR:
        raise CommandError("What is handed out are keys: use https. From this machine itself http will do.")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _asked(base: str, word: str) -> dict[str, str]:
    """What this worker is given. Raises CommandError with the server's words."""
    headers = {"Authorization": f"Bearer {word}", "MLED-Version": settings.MLED_VERSION}
    wanted = urllib.request.Request(f"{base}{AT}", b"", headers)  # noqa: S310 - checked
    try:
        with urllib.request.build_opener(_NowhereElse).open(wanted, timeout=SECONDS) as answer:
            return dict(json.load(answer)["environment"])
    except urllib.error.HTTPError as error:
        raise CommandError(_words(error)) from None
    except (OSError, ValueError, KeyError) as error:
        raise CommandError(f"{base} does not answer as MLED does: {error}") from None


class _NowhereElse(urllib.request.HTTPRedirectHandler):
    """The word is for that server: it does not go on to where this one leads, perhaps in the open."""

    def redirect_request(self, *asked: Any, **more: Any) -> None:
        return None


def _words(error: urllib.error.HTTPError) -> str:
    if 300 <= error.code < 400:
        return f"The server leads elsewhere. Give the address that it leads to: {error.headers.get('Location', '')}"
    try:
        said = json.load(error)
    except ValueError:
        return f"The server answered {error.code}."
    return " ".join(filter(None, [said.get("detail") or said.get("title"), said.get("hint")])) or str(error)


def _keep(kept: Path, given: dict[str, str]) -> None:
    """For this user alone, and whole or not at all."""
    kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = kept.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(given, file, indent=2)
    fresh.replace(kept)
