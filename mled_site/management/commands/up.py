"""`manage.py up`: run all of MLED on this machine, in one supervised group of processes."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mled_site.supervise.announcing import announce
from mled_site.supervise.children import finish, fork, rename
from mled_site.supervise.group import Group
from mled_site.supervise.instance import CannotStart, check_port, claim, remove_stale, web_address
from mled_site.supervise.parts import load_application, load_packages, parts
from mled_site.supervise.preparing import prepare

FLAGS = {
    "port": ("MLED_PORT", "the port to listen on (8000)"),
    "host": ("MLED_HOST", "the address to listen on (127.0.0.1)"),
    "data": ("MLED_DATA", "the directory that holds everything (var)"),
    "database_url": ("DATABASE_URL", "a PostgreSQL server instead of SQLite"),
    "redis_url": ("REDIS_URL", "a Redis server instead of the embedded one"),
}


class Command(BaseCommand):
    help = "Run MLED: database up to date, broker, web server, worker and sequencer. Ctrl+C stops all of it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="fill an empty database with people and trained runs")
        for flag, (variable, meaning) in FLAGS.items():
            parser.add_argument(f"--{flag.replace('_', '-')}", help=f"{meaning}; also by {variable}")

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        start_again_with({FLAGS[flag][0]: options[flag] for flag in FLAGS if options[flag]})
        url = web_address(settings.MLED_HOST, settings.MLED_PORT)
        try:
            held = claim(settings.MLED_DATA, url)
            check_port(settings.MLED_HOST, settings.MLED_PORT)
        except CannotStart as reason:
            raise CommandError(str(reason)) from reason
        with held:
            try:
                sys.exit(run(url, demo=demo))
            except KeyboardInterrupt:  # Ctrl+C before the parts run
                sys.exit(130)


def run(url: str, *, demo: bool) -> int:
    rename("mled")
    load_packages()
    if code := finish("mled-prepare", lambda: prepare(demo=demo)):
        return code
    load_application()
    remove_stale(settings.MLED_BROKER.socket)
    fork("mled-announce", lambda: announce(url))
    return Group(parts()).run()


def start_again_with(variables: dict[str, str]) -> None:
    """Settings are read before flags are, so flags become the environment of a fresh start of this process."""
    if all(os.environ.get(name) == value for name, value in variables.items()):
        return
    os.environ.update(variables)
    os.execv(sys.executable, [sys.executable, *sys.argv])
