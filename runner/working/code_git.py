"""Code out of git: one commit of a repository or of an uploaded bundle, as files and nothing more.

Nothing that a repository says is executed: no hooks, filters or credential helpers of its own. What the operator of the
worker configured (keys, proxies, credentials) is used to fetch and not to check out; where a secret of the project is
named, that is the only credential. Submodules are repositories of their own, at the commits that are recorded.
"""

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from artifacts.storage import StoredBlob, blobs
from kernel.errors import Invalid, MledError, TooLarge, Unavailable
from runner.repositories import checked_commit, checked_repository
from runner.working.code_reading import refuse_outside
from runner.working.code_submodules import DEPTH_MAX, IN_ALL_MAX, LISTED_IN, submodules
from runner.working.git_asking import ALONE, AT_ONCE, Told, ask_git, end_git, pieces, started
from runner.working.git_keys import GitKey, mirror_name
from runner.working.workplace_folders import cache_folder, cleared, held, made

ENTRIES_MAX: Final = 300_000  # files and folders of a commit
NAMES_MAX: Final = 128 * 1024**2  # bytes of all their paths, which git has in its memory
_LINK: Final = b"160000 "
_OF_SUBMODULES: Final = r"^submodule\..*\.(path|url)$"


@dataclass(frozen=True, slots=True)
class Repository:
    """Of which a commit was laid out. folder: where; mirror: the worker's copy of it; key: what opened it."""

    address: str
    commit: str
    folder: Path
    mirror: Path
    key: GitKey | None


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What was laid out. repositories: it, and after it those of its submodules."""

    size_bytes: int
    repositories: tuple[Repository, ...]


def lay_out_commit(
    address: str, commit: str, folder: Path, *, at_most: int, told: Told, key: GitKey | None = None, depth: int = 0
) -> LaidOut:
    """The files of a commit of a repository with its submodules. at_most: bytes of them; key: a secret that opens it,
    and what lies on the same server. Raises Invalid, TooLarge, Unavailable."""
    address, commit = checked_repository(address), checked_commit(commit)
    key = key if key and key.opens(address) else None
    place = cache_folder("git") / mirror_name(address, key)
    with held(place.with_suffix(".lock"), told):
        _mirror(place, told)
        told(f"Fetching {commit[:10]} of {address}")
        if not _has(place, commit, told):
            _fetch(place, address, commit, told, key)
        os.utime(place)  # the longest unused go first
        told("Checking the code out")
        size, links = _check_out(place, commit, folder, at_most, told)
        listed = config_in(place, commit, LISTED_IN, _OF_SUBMODULES, told) if links else b""
        within = submodules(links, listed, of=address) if links else []
    repositories = [Repository(address, commit, folder, place, key)]
    if within and depth == DEPTH_MAX:
        raise Invalid(f"Submodules lie more than {DEPTH_MAX} deep in each other.", field="commit")
    for one in within:
        inner = refuse_outside(folder, folder / one.path)
        try:
            room = at_most - size
            laid = lay_out_commit(one.address, one.commit, inner, at_most=room, told=told, key=key, depth=depth + 1)
        except MledError as error:
            raise type(error)(f"Submodule {one.path}: {error.message}", hint=error.hint, field=error.field) from None
        size, repositories = size + laid.size_bytes, [*repositories, *laid.repositories]
        if len(repositories) - 1 > IN_ALL_MAX:
            words = f"With those within others, this commit has more than {IN_ALL_MAX} submodules."
            raise Invalid(words, hint="Upload the code with its files, as a zip.", field="commit")
    return LaidOut(size, tuple(repositories))


def config_in(place: Path, commit: str, name: str, pattern: str, told: Told) -> bytes:
    """What a file of a commit, written as git's configuration, says under these names, as `git config --null` gives
    it; nothing where there is none."""
    words = ["config", "--blob", f"{commit}:{name}", "--null", "--get-regexp", pattern]
    process, listed = started(words, place, subprocess.PIPE, more=ALONE), b""
    try:
        for piece in pieces(process, told):
            listed += piece
            if len(listed) > AT_ONCE:
                raise TooLarge(f"{name} is larger than 1 MB.", field="commit")
    finally:
        end_git(process)
    return b"" if process.returncode else listed


def lay_out_bundle(blob: StoredBlob, commit: str, folder: Path, *, at_most: int, told: Told) -> None:
    """The files of a commit of an uploaded bundle. at_most: bytes of them. Raises Invalid, TooLarge."""
    commit = checked_commit(commit)
    with tempfile.TemporaryDirectory(dir=made(folder.parent)) as aside:
        bundle, place = Path(aside, "code.bundle"), Path(aside, "code.git")
        with blobs().open(blob) as source, bundle.open("xb") as target:
            while piece := source.read(AT_ONCE):
                target.write(piece)
        _mirror(place, told)
        told("Reading the bundle")
        said = ask_git(["bundle", "unbundle", str(bundle)], place, told, more=ALONE)
        if said.code:
            raise Invalid(
                f"The bundle cannot be read: {said.last}",
                hint="Make it with all that is needed: git bundle create code.bundle HEAD",
                field="code",
            )
        if not _has(place, commit, told):
            raise Invalid(f"The bundle does not hold the commit {commit[:10]}.", field="commit")
        _, links = _check_out(place, commit, folder, at_most, told)
        if links:
            named = ", ".join(sorted(links)[:5])
            hint = "Name the repository by its address, or upload its folder with all files as a zip."
            raise Invalid(f"A bundle holds no submodules, and this commit has {named}.", hint=hint, field="commit")


def apply_patch(blob: StoredBlob, folder: Path, *, told: Told) -> None:
    """Change the files as a patch says. Raises Invalid where it does not fit."""
    told("Applying the changes")
    with tempfile.TemporaryDirectory(dir=made(folder.parent)) as aside:
        patch, place = Path(aside, "changes.patch"), Path(aside, "code.git")
        with blobs().open(blob) as source:
            patch.write_bytes(source.read())
        _mirror(place, told)  # else git would take a .git among the code for its own, and do what that says
        apply = ["apply", "--whitespace=nowarn", "--binary", str(patch)]
        said = ask_git(apply, place, told, at=folder, more={**ALONE, "GIT_WORK_TREE": str(folder)})
    if said.code:
        raise Invalid(f"The patch does not fit this commit: {said.last}", field="patch")


def _mirror(place: Path, told: Told) -> None:
    """A bare repository that nobody works in. One that is broken is begun anew."""
    if (place / "HEAD").is_file():
        return
    cleared(place)
    aside = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    said = ask_git(["init", "--quiet", "--bare", "--template=", str(aside)], None, told, more=ALONE)
    if said.code:
        raise Unavailable(f"The worker cannot keep a copy of the code: {said.last}")
    aside.rename(place)


def _has(place: Path, commit: str, told: Told) -> bool:
    """Whether the commit is there with all of its files."""
    if ask_git(["cat-file", "-e", f"{commit}^{{commit}}"], place, told, more=ALONE).code:
        return False
    return ask_git(["rev-list", "--objects", "--no-walk", "--quiet", commit], place, told, more=ALONE).code == 0


def _fetch(place: Path, address: str, commit: str, told: Told, key: GitKey | None) -> None:
    """That one commit; where the server gives none by its id, everything that has a name. Raises TooLarge while it
    comes; what had come is gone then."""

    def measured(stage: str) -> None:
        told(stage)
        _refuse_too_large(place, address)

    try:
        _fetch_measured(place, address, commit, measured, key)
        measured("")
    except TooLarge:
        cleared(place)
        raise


def _refuse_too_large(place: Path, address: str) -> None:
    most = settings.MLED_GIT_MB * 1024**2
    if sum(_packs(place)) > most:
        raise TooLarge(
            f"{address} has more than {settings.MLED_GIT_MB:,} MB, so it is not fetched.",
            hint="Upload a bundle or a zip of what is needed; or whoever runs the worker raises MLED_GIT_MB.",
            field="commit",
        )


def _packs(place: Path) -> Iterator[int]:
    """The bytes of each file that has come so far; git renames and removes some meanwhile."""
    with suppress(FileNotFoundError), os.scandir(place / "objects" / "pack") as listed:
        for one in listed:
            with suppress(FileNotFoundError):
                yield one.stat().st_size


def _fetch_measured(place: Path, address: str, commit: str, told: Told, key: GitKey | None) -> None:
    alone = ask_git(["fetch", "--quiet", "--no-tags", "--depth=1", "--", address, commit], place, told, key=key)
    if alone.code == 0 and _has(place, commit, told):
        return
    told(f"Fetching all of {address}")
    whole = ["fetch", "--quiet", "--no-tags", "--prune", "--update-shallow", "--", address, "+refs/*:refs/mirror/*"]
    if (place / "shallow").exists():
        whole.insert(1, "--unshallow")
    said = ask_git(whole, place, told, key=key)
    if said.code and not _has(place, commit, told):
        raise Unavailable(
            f"The repository cannot be fetched: {said.last}",
            hint=f"Is the address right, and does the secret '{key.name}' open it (user:password, or a token)?"
            if key
            else "Is the address right, and may the worker read it? A secret of the project can open it; or upload a "
            "bundle of the code.",
        )
    if not _has(place, commit, told):
        raise Invalid(f"The repository has no commit {commit[:10]}.", hint="Was it pushed?", field="commit")


def _check_out(place: Path, commit: str, folder: Path, at_most: int, told: Told) -> tuple[int, dict[str, str]]:
    """How many bytes it has, and the commits of its submodules by path."""
    size, links = _refuse_too_much(place, commit, at_most, told)
    made(folder)
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        more = {**ALONE, "GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": str(Path(aside, "index"))}
        more["GIT_ATTR_NOSYSTEM"] = "1"
        said = ask_git(["read-tree", commit], place, told, more=more)
        if said.code == 0:
            said = ask_git(["checkout-index", "--all", "--force", "--quiet"], place, told, more=more, at=folder)
    if said.code:
        raise Invalid(f"The commit cannot be checked out: {said.last}", field="commit")
    return size, links


def _refuse_too_much(place: Path, commit: str, at_most: int, told: Told) -> tuple[int, dict[str, str]]:
    """A few bytes of a repository can name the same folders and files again and again: they are counted one by one,
    before git has them all in its memory. How many bytes, and the submodules. Raises TooLarge."""
    process = started(["ls-tree", "-r", "-t", "-l", "-z", commit], place, subprocess.PIPE, more=ALONE)
    entries = names = size = 0
    begun, links = b"", dict[str, str]()
    try:
        for piece in pieces(process, told):
            *lines, begun = (begun + piece).split(b"\0")
            entries, names = entries + len(lines), names + len(piece)
            size += sum(int(words[3]) for line in lines if (words := line.split(b"\t")[0].split())[3].isdigit())
            links |= dict(_link_in(line) for line in lines if line.startswith(_LINK))
            if entries > ENTRIES_MAX or names > NAMES_MAX or size > at_most:
                raise TooLarge(
                    f"This commit has more than {ENTRIES_MAX:,} files and folders."
                    if size <= at_most
                    else f"Checked out, this commit has more than {at_most / 1024**2:,.0f} MB.",
                    hint="Give the job more disk, keep data in the catalogue, or upload the part that is needed.",
                    field="commit",
                )
    finally:
        end_git(process)
    if process.returncode:
        raise Invalid(f"The files of the commit {commit[:10]} cannot be listed.", field="commit")
    return size, links


def _link_in(line: bytes) -> tuple[str, str]:
    """Path and commit of a submodule: 160000 commit <id>       -<tab><path>."""
    about, _, path = line.partition(b"\t")
    return path.decode("utf-8", "surrogateescape"), about.split()[2].decode()
