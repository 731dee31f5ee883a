"""Secrets that an installation makes for itself at its first start."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

SHORTEST = 32


def kept_secret(path: Path, *, random_bytes: int = 48) -> str:
    """The secret in the file, made at first use with mode 0600. Two processes that race get the same one.

    Raises ImproperlyConfigured where the file is there and holds nothing, or cannot be read.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(random_bytes))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its secret counts
        finally:
            fresh.unlink()
        return _read(path)


def is_weak(secret: str) -> bool:
    """Whether somebody could guess it: short, of few different letters, or an example that stands in manuals."""
    return len(secret) < SHORTEST or len(set(secret)) < 8 or secret.lower().startswith(("django-insecure", "changeme"))


def checked(secret: str, *, name: str) -> str:
    """A secret that somebody chose. Raises ImproperlyConfigured where it is weak; never shows it."""
    if secret and is_weak(secret):
        raise ImproperlyConfigured(
            f"{name} is short or a well-known example: whoever guesses it can sign in as anybody. "
            "Set 50 random characters, or leave it out: MLED then makes one and keeps it in MLED_DATA/keys."
        )
    return secret


def _read(path: Path) -> str:
    try:
        found = path.read_text().strip()
    except PermissionError:
        raise ImproperlyConfigured(
            f"{path} cannot be read by this user. Let the user that runs MLED own it, with mode 0600."
        ) from None
    if not found:
        raise ImproperlyConfigured(
            f"{path} is empty. Bring the secret back from your back-up, or remove the file: "
            "MLED then makes a new one, and everybody signs in anew."
        )
    return found
