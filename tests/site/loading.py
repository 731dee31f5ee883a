"""Loads what `manage.py up` loads before it forks its parts, and tells as JSON what it found and what parts add to it.

A program for a process of its own: see test_loading.py.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import Any


def private_bytes() -> int:
    """What this process does not share with its parent."""
    with open("/proc/self/smaps_rollup") as rollup:
        return sum(int(line.split()[1]) for line in rollup if line.startswith("Private_")) * 1024


def in_part(work: Callable[[], object]) -> dict[str, Any]:
    """Do it in a part; which modules it imported, how much memory it took for itself, and about its collector."""
    from mled_site.supervise.children import finish

    def told() -> None:
        before = set(sys.modules)
        private = private_bytes()
        work()
        found = {
            "imported": sorted(set(sys.modules) - before),
            "took": private_bytes() - private,
            "collects": gc.isenabled(),
            "frozen": gc.get_freeze_count(),
        }
        answer.seek(0)
        json.dump(found, answer)
        answer.flush()

    with tempfile.TemporaryFile("w+") as answer:
        if finish("a part", told):
            raise SystemExit("The part failed.")
        answer.seek(0)
        return dict(json.load(answer))


def open_the_database() -> None:
    from django.db import connection

    connection.ensure_connection()


def make_commands() -> None:
    from django.core.management import load_command_class

    for app, name in (("audit.ledger", "sequencer"), ("runner", "runner")):
        load_command_class(app, name).create_parser("manage.py", name)


def main() -> None:
    gc.disable()
    warnings.simplefilter("ignore")
    os.environ["DJANGO_SETTINGS_MODULE"] = "mled_site.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from mled_site.supervise import parts
    from mled_site.supervise.children import finish

    finish("migrate", lambda: call_command("migrate", verbosity=0))
    parts.load_packages()
    parts.load_application()
    told = {
        "loaded": sorted(sys.modules),
        "database": in_part(open_the_database),
        "commands": in_part(make_commands),
        "worker": in_part(parts.made_worker),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
