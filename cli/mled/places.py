"""Which server, whose token, which project: from the environment, from options, and from what `mled login` kept."""

from __future__ import annotations

import ipaddress
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import click

from mled.problems import NotSignedIn, Usage

SERVICE = "mled"
"""The name under which the system's keyring keeps tokens; the user there is the server's address."""


@dataclass(frozen=True)
class Place:
    """A server as one person uses it. token_from: where the token was found, in words.

    project: where things go; asked_project: the same where it was said now, by option or environment, and not kept.
    """

    url: str
    token: str = field(default="", repr=False)
    project: str = ""
    token_from: str = ""
    insecure_http: bool = False
    asked_project: str = ""

    @property
    def parts(self) -> SplitResult:
        """The address in its parts."""
        return urlsplit(self.url)


def config_folder() -> Path:
    """Where settings lie: MLED_CONFIG_DIR, else the platform's folder (~/.config/mled on Linux)."""
    return Path(os.environ.get("MLED_CONFIG_DIR") or click.get_app_dir("mled"))


def config_file() -> Path:
    """The file that `mled login` writes."""
    return config_folder() / "config.json"


def read_config() -> dict[str, Any]:
    """{"current": address, "servers": {address: {"project": …, "token": …}}}; empty where nobody logged in."""
    path = config_file()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Usage(f"{path} cannot be read: {error.strerror}.", hint="Check whose file it is.") from None
    try:
        known = json.loads(text)
    except ValueError:
        known = None
    if not isinstance(known, dict) or not isinstance(known.get("servers", {}), dict):
        raise Usage(f"{path} is damaged.", hint="Remove it and run `mled login` again.")
    return known


def write_config(config: Mapping[str, Any]) -> Path:
    """Keep settings in a file that only its owner reads."""
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        beside.unlink()
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
        file.write("\n")
    beside.replace(path)
    return path


def readable_by_others(path: Path) -> bool:
    """Whether somebody else on this machine may read a file that holds a token."""
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def address(text: str) -> str:
    """An address as it is kept: with its scheme, without a slash at its end. Raises Usage."""
    text = text.strip()
    if "://" not in text:
        text = f"{'http' if is_loopback(urlsplit('//' + text).hostname or '') else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or port == 0:
        raise Usage(f"'{text[:200]}' is no address of a server.", hint="Such as https://mled.example.org.")
    if parts.username or parts.password:
        raise Usage("A name or password stands in the address.", hint="MLED takes a token: run `mled login`.")
    return text.rstrip("/").removesuffix("/api/v1")


def is_loopback(host: str) -> bool:
    """Whether nothing sent there leaves this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_place(*, url: str = "", project: str = "", insecure_http: bool = False) -> Place:
    """The server to speak to: what was said now, else the environment, else what was kept.

    A kept token goes only to the address it was kept for. Raises NotSignedIn where no server is known.
    """
    config = read_config()
    said = url or os.environ.get("MLED_URL", "") or str(config.get("current") or "")
    if not said:
        raise NotSignedIn(
            "No server is known yet.", hint="Run `mled login https://…`, or set MLED_URL and MLED_TOKEN (as in CI)."
        )
    where = address(said)
    kept = config.get("servers", {}).get(where) or {}
    token, found = _token(where, kept)
    asked = project or os.environ.get("MLED_PROJECT", "")
    return Place(
        url=where,
        token=token,
        project=asked or str(kept.get("project") or ""),
        asked_project=asked,
        token_from=found,
        insecure_http=insecure_http or os.environ.get("MLED_INSECURE_HTTP", "") == "1",
    )


def _token(where: str, kept: Mapping[str, Any]) -> tuple[str, str]:
    from_environment = os.environ.get("MLED_TOKEN", "").strip()
    if from_environment:
        return from_environment, "MLED_TOKEN"
    if kept.get("token"):
        return str(kept["token"]), str(config_file())
    if kept.get("keyring"):
        found = from_keyring(where)
        return found, "the keyring" if found else ""
    return "", ""


def keep(where: str, *, token: str, project: str) -> str:
    """Remember a server and its token; it becomes the one that is meant. Says in words where the token lies."""
    config = read_config()
    servers = dict(config.get("servers", {}))
    in_keyring = to_keyring(where, token)
    entry: dict[str, Any] = {"project": project}
    entry |= {"keyring": True} if in_keyring else {"token": token}
    servers[where] = entry
    path = write_config({**config, "current": where, "servers": servers})
    return "the keyring" if in_keyring else str(path)


def forget(where: str) -> bool:
    """Forget a server and its token; whether it was known."""
    config = read_config()
    servers = dict(config.get("servers", {}))
    known = servers.pop(where, None)
    if known is None:
        return False
    if known.get("keyring"):
        from_keyring_gone(where)
    current = config.get("current")
    write_config({**config, "current": "" if current == where else current, "servers": servers})
    return True


def keyring_module() -> Any:
    """The keyring package with a place that keeps things, or None. MLED_KEYRING=0 says to leave it alone."""
    if os.environ.get("MLED_KEYRING") == "0":
        return None
    try:
        import keyring
        import keyring.backends.fail
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), keyring.backends.fail.Keyring) else keyring


def to_keyring(where: str, token: str) -> bool:
    """Whether the keyring took the token."""
    keyring = keyring_module()
    if keyring is None:
        return False
    try:
        keyring.set_password(SERVICE, where, token)
    except keyring.errors.KeyringError:
        return False
    return True


def from_keyring(where: str) -> str:
    """The token that the keyring holds for a server; '' where it has none, or is locked."""
    keyring = keyring_module()
    if keyring is None:
        return ""
    try:
        return keyring.get_password(SERVICE, where) or ""
    except keyring.errors.KeyringError:
        return ""


def from_keyring_gone(where: str) -> None:
    """Take a server's token out of the keyring."""
    keyring = keyring_module()
    if keyring is not None:
        with suppress(keyring.errors.KeyringError):
            keyring.delete_password(SERVICE, where)
