"""The executor without a sandbox: its command sees and does what the worker's own user may. Only where somebody who
knows that has chosen it. Limits are held by the watch alone."""

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kernel.errors import Unavailable
from runner.executors import bubblewrap, launching, watching
from runner.executors.contract import Order
from runner.executors.execution import Running, kill, kill_tree
from runner.executors.groups import remove_leftovers
from runner.executors.sandbox import marked

PATIENCE: Final = 5.0
NEXT: Final = "Take MLED_EXECUTOR=plain away from it, or choose a queue whose workers have a sandbox."


@dataclass(slots=True)
class Plain:
    """See the contract."""

    name: str = "plain"

    def lacks(self) -> str:
        """Nothing: choosing it is the permission."""
        return ""

    def start(self, order: Order) -> Running:
        """See the contract."""
        if order.root is not None:
            raise Unavailable("An image is executed by a sandbox alone, and this worker has none.", hint=NEXT)
        order = _where_they_are(order)
        (order.home / "tmp").mkdir(mode=0o700, exist_ok=True)
        doors = [(0, str(order.door))] if order.door is not None else []
        told = launching.for_shim(order, doors=doors, limits_processes=False)
        start = launching.Start.make(order, told)
        shim = [str(bubblewrap.interpreter()), "-I", "-S", str(launching.SHIM)]
        try:
            process = start.begin([*shim, start.pipes.word, launching.mark(order.name)])
        except BaseException:
            start.give_back()
            raise
        return Running(order, process, start, process.pid, end_tree)

    def sweep(self, names: Sequence[str]) -> None:
        """See the contract."""
        for pid in marked(names):
            kill_tree(pid)
        remove_leftovers(launching.scope(), names)


def end_tree(running: Running) -> None:
    """The shim ends all that descends from it once nobody tells it anything any more; what got away from it is found
    by what only this order's processes have in their environment."""
    if running.process.poll() is None:
        running.start.pipes.hang_up()
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(timeout=PATIENCE)
        kill_tree(running.process.pid)
    running.process.wait()
    while strays := _strays(running.order):
        kill(strays)


def _strays(order: Order) -> list[int]:
    wanted = {f"{name}={value}".encode() for name, value in order.variables.items()}
    if not wanted:
        return []
    processes = watching.table()
    of_others = {one.pid for shim in marked([]) for one in watching.below(processes, shim)}
    found = []
    for pid in processes.keys() - of_others:
        with suppress(OSError):
            if wanted <= set(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")):
                found.append(pid)
    return found


def _where_they_are(order: Order) -> Order:
    """Nothing can be shown at another place here, so that the order speaks of the place where it is."""
    moves = sorted(((place, str(path)) for path, place in order.places.items()), key=lambda one: -len(one[0]))

    def moved(text: str) -> str:
        for place, path in moves:
            text = text.replace(place, path)
        return text

    return replace(
        order,
        words=[moved(word) for word in order.words],
        variables={name: moved(value) for name, value in order.variables.items()},
    )
