"""What has to be true before the parts start: tables as the code expects them, static files with their manifest."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def prepare(*, demo: bool) -> None:
    migrate_if_needed()
    collect_if_changed()
    if demo:
        seed()


def migrate_if_needed() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("· Bringing the database up to date", flush=True)
        call_command("migrate", verbosity=0, interactive=False)


def collect_if_changed() -> None:
    """collectstatic, unless the files are those of the last time."""
    stamp = Path(settings.STATIC_ROOT) / "made-from"
    wanted = static_digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(wanted)


def static_digest() -> str:
    """Names, sizes and times: enough to notice a change, and 20 ms instead of reading everything."""
    seen = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    ignored = apps.get_app_config("staticfiles").ignore_patterns  # type: ignore[attr-defined]
    for finder in get_finders():
        for path, storage in finder.list(ignored):
            facts = os.stat(storage.path(path))
            seen.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def seed() -> None:
    """The demo's people and runs, once; afterwards only how to sign in. Never among people of a real installation."""
    print("· Demo: its models are trained for real at the first start, which takes a moment", flush=True)
    try:
        call_command("seed_demo")
    except CommandError as refused:
        print(f"· No demo: {refused}", flush=True)
