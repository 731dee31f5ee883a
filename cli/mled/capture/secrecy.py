"""What is never recorded: files that hold keys, passwords in addresses and on command lines, one's own token."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence

HIDDEN = "***"
_FILES = (
    ".env",
    ".env.*",
    "*.env",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".npmrc",
    ".htpasswd",
    ".git-credentials",
    "*credentials*",
    "service?account*.json",
    "secret.*",
    "secrets.*",
    "*.secret",
    "kubeconfig",
)
_HARMLESS = ("*.example", "*.sample", "*.template", "*.dist", "*.md", "*.py")
_NAME = r"[\w.-]*(?:token|passw(?:or)?d|secret|api[_-]?key|access[_-]?key|private[_-]?key|credential)[\w.-]*"
_OPTION = re.compile(rf"^(--?{_NAME})$", re.IGNORECASE)
_SAID = re.compile(rf"^((?:--?)?{_NAME}=)(.+)$", re.IGNORECASE | re.DOTALL)
# Of http everything before the last @ of the host's part; of others only a password: ssh needs its user.
_OF_HTTP = re.compile(rb"(https?://)[^/\s\"'<>]*@", re.IGNORECASE)
_OF_OTHERS = re.compile(rb"([a-z][a-z0-9+.-]*://[^/\s:@\"'<>]*):[^/\s\"'<>]*@", re.IGNORECASE)


def is_secret_file(path: str) -> bool:
    """Whether a file of this name commonly holds keys or passwords."""
    name = path.rpartition("/")[2].lower()
    if any(fnmatch.fnmatch(name, harmless) for harmless in _HARMLESS):
        return False
    return any(fnmatch.fnmatch(name, pattern) for pattern in _FILES)


def without_passwords(content: bytes) -> bytes:
    """A text whose addresses have no user name of http and no password any more."""
    return _OF_OTHERS.sub(rb"\1@", _OF_HTTP.sub(rb"\1", content))


def address_without_passwords(address: str) -> str:
    """The same for one address."""
    return without_passwords(address.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def masked(words: Sequence[str]) -> list[str]:
    """A command line with *** in place of values whose name says that they are secret."""
    shown: list[str] = []
    for word in words:
        if shown and _OPTION.match(shown[-1]) and not word.startswith("-"):
            shown.append(HIDDEN)
            continue
        said = _SAID.match(word)
        shown.append(f"{said[1]}{HIDDEN}" if said else address_without_passwords(word))
    return shown


class Hiding:
    """Takes some words out of a stream, also where they come in two pieces."""

    def __init__(self, words: Sequence[bytes]) -> None:
        self._words = [word for word in words if word]
        self._longest = max((len(word) for word in self._words), default=1) - 1
        self._held = b""

    def pass_on(self, piece: bytes) -> bytes:
        """What may be kept by now."""
        whole = self._held + piece
        for word in self._words:
            whole = whole.replace(word, HIDDEN.encode())
        if not self._longest:
            return whole
        self._held = whole[-self._longest :]
        return whole[: -self._longest]

    def rest(self) -> bytes:
        """What was still held at the end."""
        held, self._held = self._held, b""
        return held
