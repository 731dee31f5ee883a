"""manage.py doctor: what is wrong with this installation, and what to do."""

import json as jsons
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mled_site.diagnostics.registry import Check, all_checks, find_check
from mled_site.diagnostics.results import ORDER, Asked
from mled_site.diagnostics.running import examine
from mled_site.diagnostics.showing import as_text


class Command(BaseCommand):
    help = "Look at every part of this installation. Exit code 0: all right; 1: something to look at; 2: failed."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the results as JSON")
        parser.add_argument("--check", action="append", metavar="NAME", help="only this part; may be repeated")
        parser.add_argument(
            "--thorough", action="store_true", help="also what takes long: read the whole database file"
        )

    def handle(self, *args: Any, json: bool, check: list[str] | None, thorough: bool, **options: Any) -> None:
        report = examine(_chosen(check), Asked(thorough=thorough))
        self.stdout.write(jsons.dumps(report.as_json(), indent=2) if json else as_text(report))
        sys.exit(ORDER.index(report.level))


def _chosen(names: list[str] | None) -> list[Check]:
    if names is None:
        return all_checks()
    found = {name: find_check(name) for name in names}
    if unknown := [name for name, one in found.items() if one is None]:
        known = ", ".join(one.name for one in all_checks())
        raise CommandError(f"There is no check '{unknown[0]}'; there are {known}.")
    return [one for one in found.values() if one is not None]
