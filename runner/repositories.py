"""Addresses of git repositories: which of them a worker goes to. An address can be a command for git; those never."""

import re
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from kernel.errors import Invalid

LENGTH_MAX: Final = 1000
_COMMIT: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})")
_SHORT: Final = re.compile(r"(?P<user>[A-Za-z0-9][\w.-]*)@(?P<host>[A-Za-z0-9][\w.-]*):(?P<path>[^/\s:-][^\s]*)")
_PLAIN: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])")
_USER: Final = re.compile(r"[A-Za-z0-9][\w.-]*")


def checked_repository(address: str, field: str = "repository") -> str:
    """The address, or Invalid: by the ways of MLED_GIT_WAYS, without a password, and never one that git executes."""
    address = address.strip()
    if not address or len(address) > LENGTH_MAX or not _PLAIN.fullmatch(address) or address.startswith("-"):
        raise _not_an_address(field)
    if "::" in address.split("/", 1)[0]:
        raise Invalid("This address is a command for git, not a repository.", hint=_hint(), field=field)
    if "://" not in address:
        if not _SHORT.fullmatch(address):
            raise _not_an_address(field)
        return _by_a_way("ssh", address, field)
    return _by_a_way(_scheme_of(address, field), address, field)


def _scheme_of(address: str, field: str) -> str:
    """Its scheme, once the rest of it is nothing but host, port and path."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise _not_an_address(field) from None
    if parts.password is not None or (parts.username and parts.scheme in ("http", "https")):
        raise Invalid(
            "The address holds a user name or a password, which everybody who sees the run would read.",
            hint="Leave it out; workers have keys of their own.",
            field=field,
        )
    if parts.scheme == "file":
        return parts.scheme
    host = parts.netloc.rpartition("@")[2].removesuffix(f":{port}")
    if not _HOST.fullmatch(host) or (parts.username and not _USER.fullmatch(parts.username)):
        raise _not_an_address(field)
    if parts.query or parts.fragment or not parts.path.strip("/"):
        raise _not_an_address(field)
    return parts.scheme


def _by_a_way(scheme: str, address: str, field: str) -> str:
    if scheme not in settings.MLED_GIT_WAYS:
        raise Invalid(f"Workers here do not go to '{scheme[:20]}' addresses.", hint=_hint(), field=field)
    return address


def checked_commit(commit: str, field: str = "commit") -> str:
    """The whole id of a commit, or Invalid: names of branches and tags move."""
    commit = commit.strip().lower()
    if not _COMMIT.fullmatch(commit):
        raise Invalid(
            f"'{commit[:80]}' is not the whole id of a commit.",
            hint="Give all 40 hex digits, as `git rev-parse HEAD` prints them.",
            field=field,
        )
    return commit


def _not_an_address(field: str) -> Invalid:
    return Invalid("This is no address of a git repository.", hint=_hint(), field=field)


def _hint() -> str:
    ways = ", ".join(f"{way}://…" for way in settings.MLED_GIT_WAYS)
    return f"Use {ways}, or upload a bundle: git bundle create code.bundle HEAD"
