"""A sign of life that comes by the clock: that beat sent, the broker carried and a worker took it. A file, as the other
troubles of processes are kept, so that it can be read while the database or the broker is away."""

import os
from pathlib import Path

from django.conf import settings

from kernel.clock import now


def note_tick() -> None:
    """Work by the clock arrived."""
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    draft.write_text(str(now().timestamp()))
    draft.replace(path)


def last_tick() -> float | None:
    """How many seconds ago; None for never."""
    try:
        return max(0.0, now().timestamp() - float(_path().read_text()))
    except (FileNotFoundError, ValueError):
        return None


def _path() -> Path:
    return Path(settings.MLED_DATA) / "status" / "clock-tick"
