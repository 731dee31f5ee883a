"""An image in the place of the machine's system: how it is seen, and what of this machine the shim needs within it.

Its files were made by others, and it is shared by jobs and changed by none. So nothing is put into it: the root is a
file system of bubblewrap's, the image's folders and files are bound into that one by one as far as places of ours lie
among them, and each folder on the way to such a place is made anew. A link of the image never leads one of them away.
"""

import os
import stat
import struct
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from kernel.errors import Unavailable

PYTHON: Final = PurePosixPath("/run/mled/python")
OWN: Final = ("/proc", "/dev", "/sys", "/dev/shm")  # noqa: S108 - within
FILES: Final = ("/etc/hosts", "/etc/passwd", "/etc/group")  # ours, over those of the image
ENTRIES_MAX: Final = 1000  # bubblewrap reads all mounts again for each: so many take it some seconds
TEXT_MAX: Final = 256 * 1024
# What the shim imports; the libraries that this maps are those that it needs within.
_IMPORTS: Final = "import ctypes, json, os, resource, selectors, signal, socket, subprocess, sys"
_MAPS: Final = "print(os.__file__); print(open('/proc/self/maps').read())"
_PT_INTERP: Final = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """A file or folder of this machine, and where it is seen within."""

    source: Path
    place: str
    is_writable: bool = False
    is_device: bool = False

    @property
    def option(self) -> str:
        """By which bubblewrap binds it."""
        return "--dev-bind" if self.is_device else "--bind" if self.is_writable else "--ro-bind"


@dataclass(frozen=True, slots=True)
class Carried:
    """An interpreter of this machine within an image: what it needs to be seen, and the words that start it there."""

    seen: Sequence[Seen]
    words: Sequence[str]


def laid(root: Path, source: str, places: Iterable[str]) -> list[str]:
    """The words by which an image is seen. source: where it is bound from; places: where something of ours lies.

    A file of ours that the image has as a file too is bound over it, and needs no folder of its own around it. Raises
    Unavailable for one that has too much beside the rest.
    """
    covered = {*places, *OWN}
    apart = [place for place in covered if place not in FILES or not _has_file(root, place)]
    opened = {str(folder) for place in apart for folder in PurePosixPath(place).parents}
    words: list[str] = []
    waiting = [PurePosixPath("/")]
    while waiting:
        folder = waiting.pop()
        for name in sorted(os.listdir(root / folder.relative_to("/"))):
            place = folder / name
            if str(place) in covered:
                continue
            inner = root / place.relative_to("/")
            mode = os.lstat(inner).st_mode
            if str(place) in opened:
                words += ["--perms", "0755", "--dir", str(place)]
                waiting += [place] if stat.S_ISDIR(mode) else []
            elif stat.S_ISLNK(mode):
                words += ["--symlink", os.readlink(inner), str(place)]
            else:
                words += ["--ro-bind", f"{source}{place}", str(place)]
            if len(words) > 3 * ENTRIES_MAX:
                raise Unavailable(
                    f"The image has too many files beside one another to be shown: {folder} is full of them.",
                    hint="Put them into a folder of their own.",
                )
    return words


def with_room(root: Path) -> None:
    """Put the files that ours are bound over where an image has none."""
    folder = root / "etc"
    if not os.path.lexists(folder):
        folder.mkdir()
        folder.chmod(0o755)
    if not stat.S_ISDIR(os.lstat(folder).st_mode):
        return
    for place in (root / one.lstrip("/") for one in FILES):
        if not os.path.lexists(place):
            place.touch()
            place.chmod(0o644)


def _has_file(root: Path, place: str) -> bool:
    """Whether it is a file there, with no link on the way."""
    way = [*reversed(PurePosixPath(place).parents), place]
    try:
        modes = [os.lstat(root / str(one).lstrip("/")).st_mode for one in way]
    except OSError:
        return False
    return all(map(stat.S_ISDIR, modes[:-1])) and stat.S_ISREG(modes[-1])


def text_in(root: Path, path: str) -> bytes:
    """The beginning of a small file of an image; nothing where there is none, or where links lead to it."""
    *folders, name = PurePosixPath(path).relative_to("/").parts
    held = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=held)
            os.close(held)
            held = inner
        with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=held), "rb") as file:
            return file.read(TEXT_MAX)
    except OSError:
        return b""
    finally:
        os.close(held)


def carried_by(interpreter: Path) -> Carried:
    """What an interpreter needs where nothing else of its system is: its library, what is linked to it, its loader.

    Raises Unavailable where that cannot be found out.
    """
    try:
        done = subprocess.run(
            [str(interpreter), "-I", "-S", "-c", f"{_IMPORTS}; {_MAPS}"],
            capture_output=True, text=True, check=True, timeout=60, env={},
        )  # fmt: skip
        loader = loader_of(interpreter)
    except (OSError, subprocess.SubprocessError, struct.error) as error:
        raise Unavailable(f"What the worker's Python needs within an image is not known: {error}.") from error
    first, _, maps = done.stdout.partition("\n")
    library = Path(first).parent
    mapped = {Path(line.split(maxsplit=5)[5]) for line in maps.splitlines() if ".so" in line and "/" in line}
    own = {loader.resolve()} if loader else set()
    folders = sorted({one.parent for one in mapped if one not in own and not one.is_relative_to(library)})
    libraries = [Seen(one, str(PYTHON / "libraries" / str(number))) for number, one in enumerate(folders)]
    program = PYTHON / "bin" / interpreter.name
    seen = [
        Seen(interpreter, str(program)),
        Seen(library, str(PYTHON / library.relative_to(interpreter.parent.parent))),
        *libraries,
    ]
    if loader is None:
        return Carried(seen, [str(program)])
    place = PYTHON / "loader"
    cache = [] if "musl" in loader.name else ["--inhibit-cache"]  # that of the image speaks of the image
    path = ":".join(one.place for one in libraries)
    words = [str(place), *cache, "--library-path", path, str(program)]
    return Carried([*seen, Seen(loader.resolve(), str(place))], words)


def loader_of(program: Path) -> Path | None:
    """What the system starts a program by, as the program says itself; None for one that needs none."""
    with program.open("rb") as file:
        head = file.read(64)
        if head[:4] != b"\x7fELF" or head[4:6] != b"\x02\x01":
            raise OSError(f"{program} is no program of a 64-bit system")
        start, size, count = struct.unpack_from("<Q", head, 32)[0], *struct.unpack_from("<HH", head, 54)
        for number in range(count):
            file.seek(start + number * size)
            part = file.read(56)
            if struct.unpack_from("<I", part)[0] == _PT_INTERP:
                offset, length = struct.unpack_from("<Q", part, 8)[0], struct.unpack_from("<Q", part, 32)[0]
                file.seek(offset)
                return Path(file.read(length).rstrip(b"\0").decode())
    return None
