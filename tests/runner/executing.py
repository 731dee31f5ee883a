"""Orders for the tests of executors, and what came of them."""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

from runner.executors import Ended, Execution, Executor, Order
from runner.executors.bubblewrap import interpreter
from runner.recipes import Resources

T = TypeVar("T")
PYTHON = str(interpreter())


@dataclass
class Bench:
    """One executor, with orders in a folder of the test's own. mark: what only the processes of this test carry;
    root: the image in which they are executed, if they are."""

    executor: Executor
    folder: Path
    mark: str
    root: Path | None = None

    def order(self, *words: str, limits: Resources | None = None, **more: Any) -> Order:
        """An order to run these words."""
        place = self.folder / secrets.token_hex(4)
        home = place / "home"
        home.mkdir(parents=True)
        variables: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "MARK": self.mark}
        made = Order(
            name=place.name,
            words=words,
            home=home,
            folder=home,
            stdout=place / "stdout",
            stderr=place / "stderr",
            variables=variables,
            limits=limits or Resources(seconds=60),
            root=self.root,
        )
        return replace(made, **more)

    def python(self, code: str, *arguments: str, **more: Any) -> Order:
        """An order to run this code."""
        return self.order(PYTHON, "-c", code, *arguments, **more)

    def do(self, order: Order) -> "Done":
        """Execute it to its end."""
        execution = self.executor.start(order)
        return Done(until_ended(execution), order, execution)

    def strays(self) -> list[int]:
        """Processes of this test that still run."""
        wanted = f"MARK={self.mark}".encode()
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                if wanted in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                    found.append(int(name))
        return found

    def shims(self) -> list[int]:
        """Processes of executors whose jobs bear the mark in their name."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                words = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
                if any(word.startswith(b"mled-job=") and word.endswith(self.mark.encode()) for word in words):
                    found.append(int(name))
        return found


@dataclass
class Done:
    """What came of an order."""

    ended: Ended
    order: Order
    execution: Execution

    @property
    def out(self) -> str:
        return self.order.stdout.read_text()

    @property
    def err(self) -> str:
        return self.order.stderr.read_text()


PROGRAMS = ("sh", "env", "printf", "pwd", "true", "sleep", "touch", "cat", PYTHON)


def an_image(root: Path) -> Path:
    """A folder that is the root of an image: programs of this machine, its Python, and what they are linked to."""
    shutil.copytree(
        Path(os.__file__).parent, root / os.path.dirname(os.__file__).lstrip("/"),
        ignore=shutil.ignore_patterns("test", "site-packages", "__pycache__", "idlelib", "ensurepip", "config-*"),
    )  # fmt: skip
    modules = Path(os.__file__).parent / "lib-dynload"
    parts = [one for name in ("_ssl", "_hashlib", "zlib") for one in modules.glob(f"{name}.*")]
    for program in (*(Path(shutil.which(one) or one) for one in PROGRAMS), *parts):
        linked = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
        for source in (program, *map(Path, re.findall(r"(/\S+) \(0x", linked))):
            place = root / str(source).lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                shutil.copy(source, place)
                place.chmod(0o755)
    root.chmod(0o755)
    return root


def until_ended(execution: Execution, within: float = 60.0) -> Ended:
    """Look at it again and again, as a worker does."""
    return until(execution.poll, within=within, what="the execution has ended")


def until(look: Callable[[], T | None], *, within: float = 60.0, what: str) -> T:
    """What this gives as soon as it gives something."""
    end = monotonic() + within
    while True:
        found = look()
        if found:
            return found
        assert monotonic() < end, f"{what}: not within {within} seconds"
        sleep(0.05)
