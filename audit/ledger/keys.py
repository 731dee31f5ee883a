"""The key that signs the log's heads: Ed25519, outside the database, in the text forms of signed notes (C2SP).

private: PRIVATE+KEY+<origin>+<key id>+<base64 of algorithm and seed>      keys/ledger.key, mode 0600
public:  <origin>+<key id>+<base64 of algorithm and key>                   keys/ledger.pub, one line for each key

While a key is changed its successor lies in keys/ledger.key.next (see rotation.py).
"""

import base64
import binascii
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

_ED25519 = b"\x01"
_PRIVATE = "PRIVATE+KEY+"


class KeyRefused(RuntimeError):
    """A key file that cannot be used as it stands; the message says what to do."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Checks signatures of one log."""

    origin: str
    raw: bytes

    @property
    def id(self) -> str:
        """Eight hex digits: the first four bytes of SHA-256 over origin and key."""
        return hashlib.sha256(self.origin.encode() + b"\n" + _ED25519 + self.raw).digest()[:4].hex()

    def line(self) -> str:
        """The key as text for people who check the log elsewhere."""
        return f"{self.origin}+{self.id}+{base64.b64encode(_ED25519 + self.raw).decode()}"

    def accepts(self, signature: bytes, message: bytes) -> bool:
        """Whether this key made the signature."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Signs heads of one log."""

    origin: str
    seed: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.origin}, {self.public.id})"

    @property
    def public(self) -> PublicKey:
        """The half that may be shown."""
        return PublicKey(self.origin, self._private().public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """64 bytes; the same for the same message."""
        return self._private().sign(message)

    def line(self) -> str:
        """The key as text for its file."""
        return f"{_PRIVATE}{self.origin}+{self.public.id}+{base64.b64encode(_ED25519 + self.seed).decode()}"

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def new_key(origin: str) -> SigningKey:
    """A fresh key. origin: the name of the log, such as mled.example.org/log."""
    if not origin or "+" in origin or any(c.isspace() for c in origin):
        raise KeyRefused(f"MLED_LEDGER_ORIGIN is {origin!r}; it must be a name without spaces or '+'.")
    return SigningKey(origin, os.urandom(32))


def parse_signing_key(text: str) -> SigningKey:
    """The key in a line made by `SigningKey.line`. Raises KeyRefused; the message never shows the key."""
    if not text.startswith(_PRIVATE):
        raise KeyRefused("The signing key does not begin with PRIVATE+KEY+.")
    origin, key_id, secret = _parts(text[len(_PRIVATE) :], "signing key")
    key = SigningKey(origin, secret)
    if key.public.id != key_id:
        raise KeyRefused("The signing key does not match its own id: part of the line is missing or changed.")
    return key


def parse_public_key(text: str) -> PublicKey:
    """The key in a line made by `PublicKey.line`. Raises KeyRefused."""
    origin, key_id, raw = _parts(text, "public key")
    key = PublicKey(origin, raw)
    if key.id != key_id:
        raise KeyRefused(f"The public key {key_id} does not match its own id.")
    return key


def _parts(text: str, what: str) -> tuple[str, str, bytes]:
    pieces = text.strip().split("+", 2)
    try:
        origin, key_id, encoded = pieces
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise KeyRefused(f"The {what} is not a line of three parts joined by '+'.") from None
    if len(raw) != 33 or raw[:1] != _ED25519:
        raise KeyRefused(f"The {what} is not an Ed25519 key.")
    return origin, key_id, raw[1:]


def private_file() -> Path:
    """Where this installation keeps its signing key."""
    return Path(settings.MLED_DATA) / "keys" / "ledger.key"


def public_file() -> Path:
    """Where this installation keeps the public keys that it trusts."""
    return Path(settings.MLED_DATA) / "keys" / "ledger.pub"


def next_file() -> Path:
    """Where the successor of the key lies until the log is signed with it."""
    return private_file().with_suffix(".key.next")


def signing_key() -> SigningKey:
    """This installation's key: from MLED_SIGNING_KEY, else from its file, which the first start makes.

    Raises KeyRefused where others can read the file, or where it is gone although its public key is still there.
    """
    if settings.MLED_SIGNING_KEY:
        key = parse_signing_key(settings.MLED_SIGNING_KEY)
    else:
        if not private_file().exists():
            _make_files()
        key = parse_signing_key(_read_private(private_file()).strip())
    publish(key.public)
    return key


def key_with_id(key_id: str) -> SigningKey | None:
    """The private key of this id, if this installation has it: in use, or as a successor."""
    if settings.MLED_SIGNING_KEY:
        lines = [settings.MLED_SIGNING_KEY]
    else:
        lines = [_read_private(path) for path in (private_file(), next_file()) if path.exists()]
    for line in lines:
        with suppress(KeyRefused):
            if (key := parse_signing_key(line.strip())).public.id == key_id:
                return key
    return None


def trusted_keys() -> dict[str, PublicKey]:
    """The public keys whose signatures count here, by id. Empty before the first start."""
    keys = [parse_signing_key(settings.MLED_SIGNING_KEY).public] if settings.MLED_SIGNING_KEY else []
    if public_file().exists():
        keys += [parse_public_key(line) for line in public_file().read_text().splitlines() if line.strip()]
    return {key.id: key for key in keys}


def _read_private(path: Path) -> str:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise KeyRefused(
            f"{path} can be read by others (mode {mode:04o}). Treat the key as known to them: "
            f"if it was exposed, start a new one; else run chmod 600 {path}."
        )
    return path.read_text()


def _make_files() -> None:
    """Make the key once, also when several processes start together: the first link wins."""
    if trusted_keys():
        raise KeyRefused(
            f"{private_file()} is gone, but {public_file().name} says that the log was signed with a key. "
            "Bring the key back from your back-up, or set MLED_SIGNING_KEY."
        )
    path = private_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    _write_durably(draft, new_key(settings.MLED_LEDGER_ORIGIN).line() + "\n", os.O_EXCL)
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was first; its key is the one
    finally:
        draft.unlink()
    _make_durable(path.parent)


def publish(key: PublicKey) -> None:
    """Trust a key from now on. The file is replaced as a whole: one cut short would stop everything."""
    path = public_file()
    lines = path.read_text().splitlines() if path.exists() else []
    if key.line() in lines:
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(path.parent):
        lines = path.read_text().splitlines() if path.exists() else []
        _replace(path, "".join(f"{line}\n" for line in dict.fromkeys([*lines, key.line()])), mode=0o644)


def keep_next(key: SigningKey) -> None:
    """Lay the successor of the key down, so that it is not lost with the power once it has signed."""
    _replace(next_file(), key.line() + "\n", mode=0o600)


def next_key() -> SigningKey | None:
    """The successor that was laid down, if there is one."""
    return parse_signing_key(_read_private(next_file()).strip()) if next_file().exists() else None


def adopt_next() -> None:
    """The successor takes the place of the key, which is gone from then on."""
    next_file().replace(private_file())
    _make_durable(private_file().parent)


@contextmanager
def changing_keys() -> Iterator[None]:
    """Only one process at a time changes which key signs."""
    private_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = private_file().with_suffix(".key.lock")
    path.touch(mode=0o600)
    with _locked(path):
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str, *, mode: int) -> None:
    """Write a file as a whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    _write_durably(draft, text, os.O_EXCL, mode=mode)
    draft.replace(path)
    _make_durable(path.parent)


def _write_durably(path: Path, text: str, flag: int, *, mode: int = 0o600) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flag, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _make_durable(folder: Path) -> None:
    """Wait until the disk knows the names in a folder: a key that signed must not be lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
