"""What a worker on another machine needs to reach this installation: addresses and keys, and no more of them.

It is handed out once, to a one-time word of an administrator. SECRET_KEY and the signing key of the log stay here: with
the first somebody could make sessions, with the second a log of their own.
"""

import os
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from kernel.errors import Conflict
from runner.sealing import keys

# How the worker's S3 client finds its credentials, where this server's are in its environment.
_OF_S3: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION")
_THIS_MACHINE: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})


def lacks() -> list[str]:
    """What workers elsewhere would need and this installation has not, each with what to do."""
    found = []
    if not _database().startswith(("postgres", "pgsql")):
        found.append("The database is a file on this machine: use PostgreSQL (DATABASE_URL).")
    if not _broker():
        found.append("The broker is this server's own: use a Redis that others reach (REDIS_URL).")
    if not _content().startswith("s3://") and not settings.MLED_WORKER_BLOBS:
        found.append(
            "Files lie in a folder of this machine: use S3 (MLED_BLOBS), or say where workers have the same folder "
            "mounted (MLED_WORKER_BLOBS)."
        )
    return found


def require_reachable() -> None:
    """Raise Conflict where no worker elsewhere could work."""
    missing = lacks()
    if missing:
        raise Conflict(
            f"Workers on other machines cannot work with this installation. {' '.join(missing)}",
            hint="Workers on this machine can: manage.py runner --name another",
        )


def only_here() -> list[str]:
    """Addresses that would be handed out and that lead to this machine alone, as sentences."""
    named = {
        "MLED_WORKER_DATABASE_URL": ("The database", _database()),
        "MLED_WORKER_REDIS_URL": ("The broker", _broker()),
    }
    return [
        f"{what} is told as it is reached on this machine. For another machine set {setting}."
        for setting, (what, address) in named.items()
        if address and (urlsplit(address).hostname or "") in _THIS_MACHINE
    ]


def handed_out(*, name: str, url: str) -> dict[str, str]:
    """The environment of a worker. url: how it reached us."""
    given = {name: value for name in _OF_S3 if (value := os.environ.get(name)) and _content().startswith("s3://")}
    return given | {
        "DATABASE_URL": _database(),
        "REDIS_URL": _broker(),
        "MLED_BLOBS": _content(),
        "MLED_BLOBS_LOCK_DAYS": str(settings.MLED_BLOBS_LOCK_DAYS),
        "MLED_RUNNER_URL": settings.MLED_URL or url,
        "MLED_RUNNER_NAME": name,
        "MLED_SECRETS_KEYS": ",".join(keys()),
    }


def _database() -> str:
    return str(settings.MLED_WORKER_DATABASE_URL or os.environ.get("DATABASE_URL", ""))


def command(address: str, word: str) -> str:
    """What is run on the other machine."""
    return f"MLED_DATA=mled-worker .venv/bin/python manage.py join_worker {address} --word {word}"


def _broker() -> str:
    return str(settings.MLED_WORKER_REDIS_URL or os.environ.get("REDIS_URL", ""))


def _content() -> str:
    return str(settings.MLED_WORKER_BLOBS or settings.MLED_BLOBS)
