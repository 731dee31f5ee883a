"""Digests and the one canonical form of JSON that they are taken over."""

import hashlib
import hmac
from typing import Any

import rfc8785


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of a JSON value (RFC 8785). Integers over 53 bits must already be strings."""
    return rfc8785.dumps(value)


def commitment(salt: bytes, body: bytes) -> str:
    """What a leaf holds instead of free text: HMAC-SHA256(salt, body) in hex.

    Without salt and body it says nothing, so that a text can be erased and the proof still stands.
    """
    return hmac.new(salt, body, hashlib.sha256).hexdigest()
