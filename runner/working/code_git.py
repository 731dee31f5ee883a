"""Code out of git: one commit of a repository or of an uploaded bundle, as files and nothing more.

Nothing that a repository says is executed: no hooks, filters or credential helpers of its own. What the operator of the
worker configured (keys, proxies, credentials) is used to fetch and not to check out; where a secret of the project is
named, that is the only credential. Submodules are repositories of their own, at the commits that are recorded.
"""

import os
import resource
import secrets
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from django.conf import settings

from artifacts.storage import StoredBlob, blobs
from kernel.errors import Invalid, MledError, TooLarge, Unavailable
from runner.repositories import checked_commit, checked_repository
from runner.working.code_reading import refuse_outside
from runner.working.code_submodules import DEPTH_MAX, LISTED_IN, submodules
from runner.working.git_keys import GitKey, mirror_name
from runner.working.workplace_folders import cache_folder, cleared, held, made

SECONDS: Final = 15 * 60.0
ENTRIES_MAX: Final = 300_000  # files and folders of a commit
NAMES_MAX: Final = 128 * 1024**2  # bytes of all their paths, which git has in its memory
MEMORY_MAX: Final = 6 * 1024**3  # bytes of addresses that git may have
LAST_LINES: Final = 4
_LOOK: Final = 0.25  # seconds
_LINK: Final = b"160000 "
_AT_ONCE: Final = 1024 * 1024
# What a repository asks for is not done.
_CAREFUL: Final = (
    *("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.symlinks=true"),
    *("-c", "protocol.ext.allow=never", "-c", "gc.auto=0", "-c", "pack.threads=2", "-c", "core.bigFileThreshold=64m"),
    *("-c", "core.packedGitWindowSize=128m", "-c", "core.packedGitLimit=1g"),
    *("-c", "fetch.recurseSubmodules=false", "-c", "submodule.recurse=false", "-c", "maintenance.auto=false"),
)
_ALONE: Final = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
_QUIET: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "SSH_ASKPASS": "/bin/false",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "LC_ALL": "C.UTF-8",
}
_PASSED_ON: Final = ("PATH", "HOME", "SSH_AUTH_SOCK", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_PASSED_ON_TOO: Final = ("NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSH_COMMAND")

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Said:
    """What git answered."""

    code: int
    text: str

    @property
    def last(self) -> str:
        """Its last lines, in which it says what went wrong."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return " ".join(lines[-LAST_LINES:])[-600:] or f"git ended with {self.code}"


def lay_out_commit(
    address: str, commit: str, folder: Path, *, at_most: int, told: Told, key: GitKey | None = None, depth: int = 0
) -> int:
    """The files of a commit of a repository with its submodules; their bytes. at_most: so many; key: a secret that
    opens it, and what lies on the same server. Raises Invalid, TooLarge, Unavailable."""
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
        within = submodules(links, _listed(place, commit, told), of=address) if links else []
    if within and depth == DEPTH_MAX:
        raise Invalid(f"Submodules lie more than {DEPTH_MAX} deep in each other.", field="commit")
    for one in within:
        inner = refuse_outside(folder, folder / one.path)
        try:
            room = at_most - size
            size += lay_out_commit(one.address, one.commit, inner, at_most=room, told=told, key=key, depth=depth + 1)
        except MledError as error:
            raise type(error)(f"Submodule {one.path}: {error.message}", hint=error.hint, field=error.field) from None
    return size


def _listed(place: Path, commit: str, told: Told) -> bytes:
    """What .gitmodules of a commit says of paths and addresses; nothing where there is none."""
    words = ["config", "--blob", f"{commit}:{LISTED_IN}", "--null", "--get-regexp", r"^submodule\..*\.(path|url)$"]
    process, listed = _started(words, place, subprocess.PIPE, more=_ALONE), b""
    try:
        for piece in _pieces(process, told):
            listed += piece
            if len(listed) > _AT_ONCE:
                raise TooLarge(f"{LISTED_IN} is larger than 1 MB.", field="commit")
    finally:
        _end(process)
    return b"" if process.returncode else listed


def lay_out_bundle(blob: StoredBlob, commit: str, folder: Path, *, at_most: int, told: Told) -> None:
    """The files of a commit of an uploaded bundle. at_most: bytes of them. Raises Invalid, TooLarge."""
    commit = checked_commit(commit)
    with tempfile.TemporaryDirectory(dir=made(folder.parent)) as aside:
        bundle, place = Path(aside, "code.bundle"), Path(aside, "code.git")
        with blobs().open(blob) as source, bundle.open("xb") as target:
            while piece := source.read(_AT_ONCE):
                target.write(piece)
        _mirror(place, told)
        told("Reading the bundle")
        said = _git(["bundle", "unbundle", str(bundle)], place, told, more=_ALONE)
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
        said = _git(apply, place, told, at=folder, more={**_ALONE, "GIT_WORK_TREE": str(folder)})
    if said.code:
        raise Invalid(f"The patch does not fit this commit: {said.last}", field="patch")


def _mirror(place: Path, told: Told) -> None:
    """A bare repository that nobody works in. One that is broken is begun anew."""
    if (place / "HEAD").is_file():
        return
    cleared(place)
    aside = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    said = _git(["init", "--quiet", "--bare", "--template=", str(aside)], None, told, more=_ALONE)
    if said.code:
        raise Unavailable(f"The worker cannot keep a copy of the code: {said.last}")
    aside.rename(place)


def _has(place: Path, commit: str, told: Told) -> bool:
    """Whether the commit is there with all of its files."""
    if _git(["cat-file", "-e", f"{commit}^{{commit}}"], place, told, more=_ALONE).code:
        return False
    return _git(["rev-list", "--objects", "--no-walk", "--quiet", commit], place, told, more=_ALONE).code == 0


def _fetch(place: Path, address: str, commit: str, told: Told, key: GitKey | None) -> None:
    """That one commit; where the server gives none by its id, everything that has a name."""
    alone = _git(["fetch", "--quiet", "--no-tags", "--depth=1", "--", address, commit], place, told, key=key)
    if alone.code == 0 and _has(place, commit, told):
        return
    told(f"Fetching all of {address}")
    whole = ["fetch", "--quiet", "--no-tags", "--prune", "--update-shallow", "--", address, "+refs/*:refs/mirror/*"]
    if (place / "shallow").exists():
        whole.insert(1, "--unshallow")
    said = _git(whole, place, told, key=key)
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
        more = {**_ALONE, "GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": str(Path(aside, "index"))}
        more["GIT_ATTR_NOSYSTEM"] = "1"
        said = _git(["read-tree", commit], place, told, more=more)
        if said.code == 0:
            said = _git(["checkout-index", "--all", "--force", "--quiet"], place, told, more=more, at=folder)
    if said.code:
        raise Invalid(f"The commit cannot be checked out: {said.last}", field="commit")
    return size, links


def _refuse_too_much(place: Path, commit: str, at_most: int, told: Told) -> tuple[int, dict[str, str]]:
    """A few bytes of a repository can name the same folders and files again and again: they are counted one by one,
    before git has them all in its memory. How many bytes, and the submodules. Raises TooLarge."""
    process = _started(["ls-tree", "-r", "-t", "-l", "-z", commit], place, subprocess.PIPE, more=_ALONE)
    entries = names = size = 0
    begun, links = b"", dict[str, str]()
    try:
        for piece in _pieces(process, told):
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
        _end(process)
    if process.returncode:
        raise Invalid(f"The files of the commit {commit[:10]} cannot be listed.", field="commit")
    return size, links


def _link_in(line: bytes) -> tuple[str, str]:
    """Path and commit of a submodule: 160000 commit <id>       -<tab><path>."""
    about, _, path = line.partition(b"\t")
    return path.decode("utf-8", "surrogateescape"), about.split()[2].decode()


def _pieces(process: "subprocess.Popen[bytes]", told: Told) -> Iterator[bytes]:
    """What it says, until it has ended."""
    end = time.monotonic() + SECONDS
    while (answer := process.stdout) is not None and time.monotonic() < end:
        if not select.select([answer], [], [], _LOOK)[0]:
            told("")
        elif piece := os.read(answer.fileno(), _AT_ONCE):
            yield piece
        else:
            process.wait()
            return
    raise _too_long()


def _git(
    words: Sequence[str],
    repository: Path | None,
    told: Told,
    *,
    more: Mapping[str, str] | None = None,
    at: Path | None = None,
    key: GitKey | None = None,
) -> Said:
    """Ask git. told: asked every now and then, so that whoever waits may give up. Raises Unavailable."""
    more = {**(more or {}), **(key.variables() if key else {})}
    with tempfile.TemporaryFile() as answer:
        code = _waited(_started(words, repository, answer, more=more, at=at), told)
        answer.seek(max(0, answer.seek(0, os.SEEK_END) - 4096))
        text = answer.read().decode("utf-8", "replace")
    return Said(code, key.hidden(text) if key else text)


def _started(
    words: Sequence[str],
    repository: Path | None,
    answer: IO[bytes] | int,
    *,
    more: Mapping[str, str] | None = None,
    at: Path | None = None,
) -> "subprocess.Popen[bytes]":
    kept = {name: os.environ[name] for name in (*_PASSED_ON, *_PASSED_ON_TOO) if name in os.environ}
    variables = {**kept, **_QUIET, "GIT_ALLOW_PROTOCOL": ":".join(settings.MLED_GIT_WAYS), **(more or {})}
    variables.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    if repository is not None:
        variables["GIT_DIR"] = str(repository)
    try:
        process = subprocess.Popen(
            ["git", *_CAREFUL, *words], cwd=at, env=variables, stdin=subprocess.DEVNULL,
            stdout=answer, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except FileNotFoundError:
        raise Unavailable(
            "There is no git on the worker's machine.", hint="Install git there, or upload the code as a zip."
        ) from None
    with suppress(OSError, ValueError):  # it has ended already, or may have less anyway
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    return process


def _waited(process: "subprocess.Popen[bytes]", told: Told) -> int:
    """Its exit code. Whatever ends the waiting ends git and what it started."""
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            try:
                return process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                told("")
    finally:
        _end(process)
    raise _too_long()


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, 9)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _too_long() -> Unavailable:
    return Unavailable("Fetching the code took longer than a quarter of an hour.", hint="Upload a bundle of it.")
