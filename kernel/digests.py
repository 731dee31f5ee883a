"""Digests and the one canonical form of JSON that they are taken over."""

import hashlib
import hmac
from typing import Any

import orjson
import rfc8785

_SAFE = 2**53


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of a JSON value (RFC 8785). Integers over 53 bits must already be strings."""
    if _is_plain(value):
        # The same bytes in a fortieth of the time: every act pays for it (an event of a new run: 160 us).
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:  # half a surrogate pair: the other one says so in the words that are expected
            return rfc8785.dumps(value)
    return rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    """Whether there is nothing in it that the canonical form writes otherwise than orjson: floats, keys beyond ASCII
    (which it orders by UTF-16), integers beyond 53 bits, and what is no JSON."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is dict:
        return all(type(key) is str and key.isascii() and _is_plain(item) for key, item in value.items())
    if kind is list:
        return all(map(_is_plain, value))
    return kind is int and -_SAFE < value < _SAFE


def commitment(salt: bytes, body: bytes) -> str:
    """What a leaf holds instead of free text: HMAC-SHA256(salt, body) in hex.

    Without salt and body it says nothing, so that a text can be erased and the proof still stands.
    """
    return hmac.new(salt, body, hashlib.sha256).hexdigest()
