"""The secret that signs a webhook's messages: shown once, sealed for storage with a key made from SECRET_KEY."""

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "whsec_"  # as the Standard Webhooks specification writes them
_BYTES = 32
_PURPOSE = b"mled webhook secrets 1"


class SecretLost(Exception):
    """A sealed secret cannot be opened: SECRET_KEY is another now."""


def new_secret() -> str:
    """A secret of 256 random bits, as receivers keep it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def sealed(secret: str) -> str:
    """The secret as it is stored."""
    return _box().encrypt(secret.encode()).decode()


def unsealed(stored: str) -> str:
    """The secret itself. Raises SecretLost."""
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken:
        raise SecretLost("The secret cannot be opened with this server's SECRET_KEY: make a new one.") from None


def _box() -> MultiFernet:
    """Opens what an earlier SECRET_KEY sealed, too, as long as it stands in SECRET_KEY_FALLBACKS."""
    return MultiFernet([Fernet(_key(str(secret))) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """'v1,' and the base64 of HMAC-SHA256 over '<id>.<timestamp>.<body>' (Standard Webhooks)."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
