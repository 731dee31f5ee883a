"""Submodules of a commit: where they lie, at which commit, and from which address. Plain text in and out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kernel.errors import Invalid
from runner.repositories import checked_repository

SUBMODULES_MAX: Final = 100  # of one commit
IN_ALL_MAX: Final = 300  # with those within others: a hundred of a hundred each, five deep, would never end
DEPTH_MAX: Final = 5
LISTED_IN: Final = ".gitmodules"
_KEY: Final = re.compile(r"submodule\.(?P<name>.*)\.(?P<what>path|url)", re.DOTALL)
_SHORT: Final = re.compile(r"[^/:]+:(?!//)")


@dataclass(frozen=True, slots=True)
class Submodule:
    """path: within the code; commit: the one that is recorded."""

    path: str
    address: str
    commit: str


def submodules(links: Mapping[str, str], listed: bytes, *, of: str) -> list[Submodule]:
    """Those that a commit holds. links: commits by path, as its tree says; listed: .gitmodules as `git config --null`
    gives it; of: the address of the repository, '' for none. Raises Invalid where one cannot be fetched."""
    if len(links) > SUBMODULES_MAX:
        raise Invalid(f"This commit has more than {SUBMODULES_MAX} submodules.", field="commit")
    addresses = _addresses(listed)
    return [Submodule(path, _address(path, addresses.get(path, ""), of), links[path]) for path in sorted(links)]


def _addresses(listed: bytes) -> dict[str, str]:
    """Addresses by path."""
    said: dict[str, dict[str, str]] = {}
    for entry in listed.decode("utf-8", "replace").split("\0"):
        key, _, value = entry.partition("\n")
        if found := _KEY.fullmatch(key):
            said.setdefault(found["name"], {})[found["what"]] = value
    return {one["path"].rstrip("/"): one["url"] for one in said.values() if "path" in one and "url" in one}


def _address(path: str, said: str, of: str) -> str:
    if not said:
        hint = "Add it by `git submodule add`, take it out of the commit, or upload the code with its files."
        raise Invalid(f"{LISTED_IN} does not say where the submodule '{path[:80]}' is from.", hint=hint, field="commit")
    try:
        return checked_repository(beside(of, said) if said.startswith(("./", "../")) else said, "commit")
    except Invalid as error:
        # without the address itself, in which a password may stand
        words = f"The address of the submodule '{path[:80]}' cannot be used. {error.message}"
        raise Invalid(words, hint="Upload the code with its files, as a zip.", field="commit") from None


def beside(address: str, said: str) -> str:
    """An address that is given relative to the repository's own, as `git submodule` reads it. Raises Invalid."""
    if not address:
        raise Invalid("That is relative to an address, and this repository has none.")
    short = _SHORT.match(address)
    begin = short.end() if short else address.find("/", address.find("://") + 3)
    head, path = address[:begin], [one for one in address[begin:].split("/") if one]
    for word in said.split("/"):
        if word == ".." and path:
            path.pop()
        elif word == "..":
            raise Invalid("That leads out of the server.")
        elif word not in ("", "."):
            path.append(word)
    return f"{head}{'' if short else '/'}{'/'.join(path)}"
