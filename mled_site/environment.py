"""The environment that an installation is set up by: read with words for what is wrong, and with an eye on typos."""

import difflib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

PREFIX: Final = "MLED_"
# Read elsewhere than in settings: by the web server, the worker, compose, clients, and tests.
ELSEWHERE: Final = frozenset(
    {
        "MLED_BEAT",
        "MLED_CONFIG_DIR",
        "MLED_DB_PASSWORD",
        "MLED_IMPORT_TOKEN",
        "MLED_INSECURE_HTTP",
        "MLED_KEYRING",
        "MLED_PEER_PYTHON",
        "MLED_PROJECT",
        "MLED_TEST_FULL",
        "MLED_TOKEN",
        "MLED_WEB_THREADS",
        "MLED_WEB_WORKERS",
    }
)
DATABASES: Final = ("postgres", "postgresql", "pgsql", "sqlite")
JOINED: Final = "joined.json"  # in the data folder of a worker that joined an installation elsewhere
_asked: set[str] = set()


class Environment(environ.Env):  # type: ignore[misc]
    """django-environ that says in words what is wrong, and remembers which names it was asked for."""

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **more: Any) -> Any:
        _asked.add(var)
        try:
            return super().get_value(var, cast=cast, default=default, **more)
        except ValueError:
            wanted = {int: "a whole number", float: "a number"}.get(cast, "what it should be")
            raise ImproperlyConfigured(f"{var} is '{os.environ.get(var, '')}', which is not {wanted}.") from None

    def database(self, *, default: str) -> dict[str, Any]:
        """DATABASE_URL as Django wants it. Raises ImproperlyConfigured, without the password that may stand in it."""
        scheme = urlsplit(os.environ.get("DATABASE_URL") or default).scheme
        if scheme not in DATABASES:
            raise ImproperlyConfigured(
                f"DATABASE_URL begins with '{scheme or 'no scheme'}'. MLED speaks "
                "postgres://user:password@host:5432/database and sqlite:////path/to/file."
            )
        return dict(self.db_url("DATABASE_URL", default=default))


def read_joined(data: Path) -> None:
    """Take in what a worker was given when it joined an installation elsewhere; the environment goes first.

    Raises ImproperlyConfigured where the file cannot be read.
    """
    kept = data / JOINED
    try:
        given = json.loads(kept.read_text())
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{kept} cannot be read ({error}): join again, with a new word.") from None
    for name, value in given.items():
        os.environ.setdefault(name, value)


def unknown_settings() -> Iterator[tuple[str, str]]:
    """Names in the environment that look like settings of ours and are none, each with the nearest that is, or ''."""
    known = sorted({name for name in _asked if name.startswith(PREFIX)} | ELSEWHERE)
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            yield name, next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.75)), "")
