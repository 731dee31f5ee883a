"""Files that a commit keeps in Git LFS, fetched from the server of its repository into their places.

A pointer says what belongs there by SHA-256 and size, so that the commit alone says which bytes a job has, whoever gave
them. They stay beside the worker's copy of the repository, for whoever could fetch that.
"""

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kernel.errors import Invalid, TooLarge, Unavailable
from runner.working.code_git import LaidOut, Repository, config_in
from runner.working.code_pointers import HINT, Pointer, named, pointers_in
from runner.working.git_asking import Told, ask_git
from runner.working.git_keys import GitKey, site_of
from runner.working.lfs_server import LfsServer, Refusing, checked_place
from runner.working.workplace_folders import held, made

SAID_IN: Final = ".lfsconfig"
_ADDRESSES: Final = ("lfs.url", "remote.origin.lfsurl")  # as git-lfs reads them, the first one first


def fetch_kept_elsewhere(laid: LaidOut, folder: Path, *, at_most: int, told: Told) -> None:
    """Put what the pointers of all repositories name in their places. at_most: bytes that all files may take.

    Raises Invalid, TooLarge, Unavailable with the names of files that cannot be had.
    """
    found = pointers_in(folder)
    if laid.size_bytes + sum(one.size_bytes for one in found) > at_most:
        words = f"With its files of Git LFS this commit has more than {at_most / 1024**2:,.0f} MB."
        raise TooLarge(words, hint="Give the job more disk, or keep data in the catalogue.", field="commit")
    for repository in reversed(laid.repositories):  # what lies within others comes first
        own = [one for one in found if one.place.is_relative_to(repository.folder)]
        found = [one for one in found if not one.place.is_relative_to(repository.folder)]
        if own:
            _fetch(repository, own, folder, told)


def _fetch(repository: Repository, wanted: Sequence[Pointer], folder: Path, told: Told) -> None:
    kept = repository.mirror / "lfs"
    with held(repository.mirror.with_suffix(".lock"), told):
        missing = {one.digest: one.size_bytes for one in wanted if not _has(kept, one)}
        if missing:
            made(kept)
            try:
                _server(repository, told).fetch(missing, kept)
            except Refusing as error:
                left = [one for one in wanted if one.digest in missing]
                raise _refused(error, left, folder, repository) from None
        told("Putting the files of Git LFS in their places")
        for one in wanted:
            _put(kept / one.digest, one.place)
            told("")


def _has(kept: Path, wanted: Pointer) -> bool:
    place = kept / wanted.digest
    return place.is_file() and place.stat().st_size == wanted.size_bytes


def _put(content: Path, place: Path) -> None:
    """A copy: the job may write to it."""
    aside = place.with_name(f".{secrets.token_hex(8)}")
    try:
        shutil.copyfile(content, aside)
        aside.chmod(place.lstat().st_mode & 0o777)
        aside.replace(place)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise Unavailable(f"The worker cannot lay out the code: {error.strerror}.", hint="Look at its disk.") from error


def _address(repository: Repository, told: Told) -> str:
    """Where its files are asked for: as .lfsconfig says, else beside the repository. Raises Invalid."""
    listed = config_in(repository.mirror, repository.commit, SAID_IN, r"^(lfs\.url|remote\.origin\.lfsurl)$", told)
    said = dict(entry.partition("\n")[::2] for entry in listed.decode("utf-8", "replace").split("\0") if entry)
    for name in _ADDRESSES:
        if name in said:
            try:
                return checked_place(said[name].rstrip("/"))
            except Refusing as error:  # without the address itself, in which a password may stand
                words = f"The address of Git LFS in {SAID_IN} cannot be used: {error}"
                raise Invalid(words, hint=HINT, field="commit") from None
    address = repository.address.rstrip("/")
    if not address.startswith(("https://", "http://")):
        words = (
            "This commit keeps files in Git LFS: they are fetched over https, and its repository is named otherwise."
        )
        raise Invalid(words, hint=f"Name the repository by its https address. {HINT}", field="repository.url")
    return f"{address.removesuffix('.git')}.git/info/lfs"


def _server(repository: Repository, told: Told) -> LfsServer:
    """By the secret of the project that opened the repository; else by what the operator keeps for git, if anything."""
    own = site_of(repository.address)

    def operators() -> GitKey | None:
        if not own.startswith(("https://", "http://")):
            return None
        given = f"url={repository.address}\n\n".encode()
        said = ask_git(["credential", "fill"], None, lambda stage: None, given=given, at=Path(os.sep))
        found = dict(line.partition("=")[::2] for line in said.text.splitlines())
        if said.code or not found.get("password"):
            return None
        return GitKey(site=own, name="", user=found.get("username", ""), word=found["password"], of="")

    return LfsServer(_address(repository, told), own=own, key=repository.key, otherwise=operators, told=told)


def _refused(error: Refusing, wanted: Sequence[Pointer], folder: Path, repository: Repository) -> Invalid | Unavailable:
    """The same with the names of files, and what to do."""
    concerned = [one.place for one in wanted if not error.digests or one.digest in error.digests]
    words = f"{named(folder, concerned)}: Git LFS does not give this. {error}"
    if error.is_closed:
        name = repository.key.name if repository.key else ""
        hint = f"Does the secret '{name}' open it?" if name else "A secret of the project can open it."
        return Unavailable(words, hint=hint, field="repository.secret")
    if error.is_passing or not error.digests:
        return Unavailable(words, hint=f"Is its address right, and does it run? {HINT}", field="commit")
    return Invalid(words, hint="Were they pushed? git lfs push --all origin", field="commit")
