"""Secrets of projects as they are stored: sealed with a key that is not in the database.

The key comes from SECRET_KEY. A worker on another machine is given this key alone, not SECRET_KEY (MLED_SECRETS_KEY).
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"mled secrets of jobs 1"


class SecretLost(Exception):
    """A sealed secret cannot be opened: the key is another now."""


def sealed(value: str) -> str:
    """The secret as it is stored."""
    return _box().encrypt(value.encode()).decode()


def unsealed(stored: str) -> str:
    """The secret itself. Raises SecretLost."""
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken:
        raise SecretLost("The secret cannot be opened with this server's key.") from None


def keys() -> list[str]:
    """The keys that open secrets, the one that seals first: those given, else made from SECRET_KEY and earlier ones."""
    given: list[str] = settings.MLED_SECRETS_KEYS
    return given or [_derived(str(secret)) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys()])


def _derived(secret: str) -> str:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(key).decode()
