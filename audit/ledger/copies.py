"""Another copy of this installation's database, such as a restored back-up: is it whole, its log the start of ours?"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
from django.conf import settings

from audit.ledger.tree import stored_size, stored_tree

SECONDS_MAX = 4 * 3600


class CopyRefused(RuntimeError):
    """The copy is not what it should be, or cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was found whole: its log, the records beside it, and events that still waited for their place."""

    log_size: int
    root: str
    records: int
    waiting: int


def checked_copy(database_url: str) -> Copy:
    """Verify all of a copy, in a process of its own that only reads it, and compare its head with our log.

    Raises CopyRefused.
    """
    _refuse_missing_file(database_url)
    found = _verified(database_url)
    if not found["sound"]:
        first = found["problems"][0]
        place = f"{first['kind']} {first['id']}".strip()
        count = found["problem_count"]
        raise CopyRefused(f"The copy is not sound: {count} problems, the first: {place}: {first['what']}")
    copy = Copy(found["events"], found["root"], found["rows"], found["waiting"])
    if not 0 < copy.log_size <= (size := stored_size()):
        raise CopyRefused(f"The copy has a log of {copy.log_size} events, ours has {size}.")
    if stored_tree(copy.log_size).root().hex() != copy.root:
        raise CopyRefused(f"The log of the copy is sound, but its {copy.log_size} events are not the first of ours.")
    return copy


def _refuse_missing_file(database_url: str) -> None:
    """Raise CopyRefused for a path at which nothing lies: opening it, SQLite would make an empty database there."""
    if not database_url.startswith("sqlite:"):
        return
    path = Path(environ.Env.db_url_config(database_url)["NAME"])
    if not path.is_file():
        raise CopyRefused(f"The copy cannot be read: there is no file {path}. Say where the back-up was restored to.")


def _verified(database_url: str) -> dict[str, Any]:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "verify_ledger", "--copy", "--json"]
    environment = {**os.environ, "DATABASE_URL": database_url, "MLED_DATA": str(settings.MLED_DATA)}
    try:
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        raise CopyRefused(f"Verifying the copy took longer than {SECONDS_MAX // 3600} hours.") from None
    try:
        found = json.loads(ended.stdout)
    except ValueError:
        last = (ended.stderr.strip() or "it said nothing").splitlines()[-1]
        raise CopyRefused(f"The copy cannot be read: {last[:400]}") from None
    return dict(found)
