"""Opaque page tokens: where the last page ended, bound to the question that was asked."""

import base64
import binascii
from typing import Any

import msgspec

from kernel.digests import sha256_hex
from kernel.errors import Invalid


def question_digest(*parts: object) -> str:
    """Twelve hex digits that tell one question (filter, order, scope) from another."""
    return sha256_hex(repr(parts).encode())[:12]


def encode_token(question: str, position: list[Any]) -> str:
    """A URL-safe token for a keyset position (JSON values; NaN and infinities as their Python repr in a string)."""
    return base64.urlsafe_b64encode(msgspec.json.encode([question, position])).rstrip(b"=").decode()


def decode_token(question: str, token: str | None) -> list[Any] | None:
    """The position in a token made by `encode_token` for the same question; None for no token or an empty one.

    Raises Invalid for anything else.
    """
    if not token:
        return None
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        asked, position = msgspec.json.decode(raw, type=tuple[str, list[Any]])
    except (binascii.Error, ValueError, UnicodeEncodeError, RecursionError, msgspec.MsgspecError):
        raise Invalid(
            "The page token is not one that this server gave out.",
            hint="Start again without a page token.",
            field="page_token",
        ) from None
    if asked != question:
        raise Invalid(
            "The page token belongs to another query.",
            hint="Keep filter, order and scope the same from page to page.",
            field="page_token",
        )
    return position
