"""Signed heads of the log, as C2SP writes them (tlog-checkpoint in a signed note).

mled.example.org/log
1024
<base64 of the root>

— mled.example.org/log <base64 of key id and signature>
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from audit.ledger.keys import PublicKey, SigningKey

_DASH = "— "


class BadCheckpoint(ValueError):
    """A note that is no checkpoint, or not one that a trusted key signed."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a checkpoint says: the log of this name had this size and root."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A parsed note; its signatures are not checked yet. signatures: key id in hex -> 64 bytes."""

    head: Head
    signatures: Mapping[str, bytes]


def sign(key: SigningKey, size: int, root: bytes, *, after: SigningKey | None = None) -> str:
    """The note over a head, signed. after: the key that this one follows, which signs as well."""
    body = Head(key.origin, size, root).body()
    signers = [key] if after is None else [after, key]
    return body + "\n" + "".join(_signed_line(one, body) for one in signers)


def _signed_line(key: SigningKey, body: str) -> str:
    signature = bytes.fromhex(key.public.id) + key.sign(body.encode())
    return f"{_DASH}{key.origin} {base64.b64encode(signature).decode()}\n"


def parse(note: str) -> SignedHead:
    """The head and signatures in a note. Raises BadCheckpoint."""
    body, gap, signed = note.partition("\n\n")
    lines = body.split("\n")
    if not gap or len(lines) != 3:
        raise BadCheckpoint("The note does not have the three lines of a checkpoint.")
    origin, size, root = lines
    if not (size.isascii() and size.isdigit() and str(int(size)) == size):
        raise BadCheckpoint("The size in the note is not a number.")
    head = Head(origin, int(size), _decoded(root))
    if len(head.root) != 32 or head.body() != body + "\n":
        raise BadCheckpoint("The root in the note is not a SHA-256 hash.")
    return SignedHead(head, dict(_signature(line) for line in signed.splitlines()))


def verify(note: str, trusted: Mapping[str, PublicKey]) -> Head:
    """The head that a trusted key signed. Raises BadCheckpoint."""
    signed = parse(note)
    known = [(trusted[key_id], made) for key_id, made in signed.signatures.items() if key_id in trusted]
    if not known:
        raise BadCheckpoint(f"No trusted key signed it (signed by {', '.join(signed.signatures) or 'nobody'}).")
    message = signed.head.body().encode()
    for key, signature in known:
        if key.origin != signed.head.origin or not key.accepts(signature, message):
            raise BadCheckpoint(f"The signature of key {key.id} does not match.")
    return signed.head


def _signature(line: str) -> tuple[str, bytes]:
    if not line.startswith(_DASH) or line.count(" ") != 2:
        raise BadCheckpoint("A signature line of the note is malformed.")
    raw = _decoded(line.rsplit(" ", 1)[1])
    if len(raw) != 68:
        raise BadCheckpoint("A signature of the note does not have 64 bytes.")
    return raw[:4].hex(), raw[4:]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise BadCheckpoint("The note holds a malformed base64 text.") from None
