"""What never leaves a diagnosis: keys, passwords, and addresses with a password in them."""

import os
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urlsplit

from django.conf import settings

HIDDEN: Final = "•••"
_SHORTEST = 4  # a password of three letters would blank out ordinary words
_IN_ADDRESS = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/@]*:[^\s/]*@", re.IGNORECASE)
_PRIVATE_KEY = re.compile(r"PRIVATE\+KEY\+\S+")
_TOKEN = re.compile(r"\bmled_[A-Za-z0-9_-]{20,}")


def without_secrets(text: str) -> str:
    """The text with every secret that this process knows taken out."""
    text = _IN_ADDRESS.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _TOKEN.sub(HIDDEN, _PRIVATE_KEY.sub(HIDDEN, text))
    for secret in _secrets():
        text = text.replace(secret, HIDDEN)
    return text


def _secrets() -> list[str]:
    """The longest first, so that no secret is cut in two by another."""
    return sorted({one for one in _known() if len(one) >= _SHORTEST}, key=len, reverse=True)


def _known() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS
    yield settings.MLED_SIGNING_KEY
    yield str(settings.DATABASES["default"].get("PASSWORD") or "")
    yield settings.EMAIL_HOST_PASSWORD or ""
    yield os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    yield os.environ.get("AWS_SESSION_TOKEN", "")
    for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL"):
        password = _password(os.environ.get(name, ""))
        yield from (password, unquote(password))


def _password(address: str) -> str:
    try:
        return urlsplit(address).password or ""
    except ValueError:
        return ""
