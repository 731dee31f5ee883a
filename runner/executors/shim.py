"""The first process of every execution: runs the command, carries its calls to MLED, and ends with all of its kind.

Only the standard library, and nothing of MLED: it is started by its path, apart from everything. It is given an order
as JSON on one file descriptor, hears its worker on a second (b"T": have it end), and reports on a third how it went.
Once the second ends, or a fourth (a pidfd of the worker) says that its process is gone, everything ends at once. One
thread and one loop: what it uses itself must not count against the limits of the command.
"""

import ctypes
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
from typing import Any, Final

PIECE: Final = 64 * 1024
INSIDE: Final = "http://127.0.0.1:5000"
PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_CHILD_SUBREAPER: Final = 36
NOT_STARTED: Final = 127


class Shim:
    """One command, from its start to its end."""

    def __init__(self, order: dict[str, Any], control: int, worker: int) -> None:
        self.order = order
        self.control = control
        self.worker = worker
        self.loop = selectors.DefaultSelector()
        self.woken, wake = socket.socketpair()
        self.woken.setblocking(False)
        wake.setblocking(False)
        self._wake = wake
        self.child = 0
        self.told = False

    def run(self) -> dict[str, Any]:
        """Start the command and stay until it has ended. Returns the report."""
        self._hear()
        variables = dict(self.order["variables"])
        for port, door in self.order["doors"]:
            own = self._listen(port, door)
            if door == self.order["doors"][0][1]:
                variables = _told_where(variables, own)
        try:
            self.child = self._start(variables)
        except (OSError, ValueError) as error:
            return {"cannot": _cannot(self.order, error)}
        while True:
            for key, events in self.loop.select():
                ended = key.data(key, events)
                if ended is not None:
                    return {"code": ended, "told": self.told}

    def _hear(self) -> None:
        """Signals wake the loop, and so does the worker."""
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, _noted)
        self.loop.register(self.woken, selectors.EVENT_READ, self._signalled)
        self.loop.register(self.control, selectors.EVENT_READ, self._told)
        self.loop.register(self.worker, selectors.EVENT_READ, self._left)

    def _start(self, variables: dict[str, str]) -> int:
        """The command, in a session of its own and with its limits."""

        def limited() -> None:
            for name, (soft, hard) in self.order["limits"].items():
                resource.setrlimit(getattr(resource, name), (soft, hard))

        begun = subprocess.Popen(
            self.order["words"],
            cwd=self.order["folder"],
            env=variables,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=limited,
        )
        begun.returncode = 0  # reaped below with everything else
        return begun.pid

    def _signalled(self, key: selectors.SelectorKey, events: int) -> int | None:
        numbers = self.woken.recv(PIECE)
        for number in set(numbers) - {signal.SIGCHLD}:
            self._pass_on(number)
        return self._reap()

    def _reap(self) -> int | None:
        """Take note of whatever has ended. Returns the code of the command once that is it."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if pid == 0:
                return None
            if pid == self.child:
                return os.waitstatus_to_exitcode(status)

    def _told(self, key: selectors.SelectorKey, events: int) -> int | None:
        if not os.read(self.control, 16):
            self._left(key, events)
        self.told = True
        self._pass_on(signal.SIGTERM)
        return None

    def _left(self, key: selectors.SelectorKey, events: int) -> None:
        """There is no worker any more."""
        end_everything()
        os._exit(128 + signal.SIGKILL)

    def _pass_on(self, number: int) -> None:
        if self.child:
            try:
                os.killpg(self.child, number)
            except (ProcessLookupError, PermissionError):
                return  # it has just ended

    def _listen(self, port: int, door: str) -> str:
        """Be an address for the command: before it starts, so that its first call finds somebody."""
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
        listener.setblocking(False)
        self.loop.register(listener, selectors.EVENT_READ, lambda key, events: self._accept(key, door))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def _accept(self, key: selectors.SelectorKey, door: str) -> None:
        try:
            inner, _address = key.fileobj.accept()  # type: ignore[union-attr]
        except OSError:
            return  # it has gone again
        outer = socket.socket(socket.AF_UNIX)
        try:
            _connect(outer, door)
        except OSError:
            inner.close()
            outer.close()
            return
        inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an answer comes in pieces, the first is small
        inner.setblocking(False)
        outer.setblocking(False)
        there, back = Flow(self.loop, inner, outer), Flow(self.loop, outer, inner)
        there.other, back.other = back, there
        there.watch()


class Flow:
    """One direction of a connection. Reads on only once what it read before has been taken."""

    def __init__(self, loop: selectors.BaseSelector, source: socket.socket, target: socket.socket) -> None:
        self.loop = loop
        self.source = source
        self.target = target
        self.held = b""
        self.is_over = False
        self.is_closed = False
        self.other: Flow = self

    def watch(self) -> None:
        """Ask the loop for what this connection waits for just now, in both of its directions."""
        for end, reads, writes in ((self.source, self, self.other), (self.target, self.other, self)):
            wanted = selectors.EVENT_READ if not (reads.held or reads.is_over) else 0
            wanted |= selectors.EVENT_WRITE if writes.held else 0
            known = end.fileno() in self.loop.get_map()
            if wanted and known:
                self.loop.modify(end, wanted, self.moved)
            elif wanted:
                self.loop.register(end, wanted, self.moved)
            elif known:
                self.loop.unregister(end)

    def moved(self, key: selectors.SelectorKey, events: int) -> None:
        """One of its ends can be read from or written to."""
        if self.is_closed or self.other.is_closed:
            return
        reads, writes = (self, self.other) if key.fileobj is self.source else (self.other, self)
        try:
            if events & selectors.EVENT_WRITE:
                writes.give()
            if events & selectors.EVENT_READ:
                reads.take()
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if self.is_over and self.other.is_over and not (self.held or self.other.held):
            self.close()
        else:
            self.watch()

    def take(self) -> None:
        """What came in."""
        self.held = self.source.recv(PIECE)
        if self.held:
            self.give()
        else:
            self.is_over = True
            self.target.shutdown(socket.SHUT_WR)

    def give(self) -> None:
        """Pass it on, as much as is taken."""
        try:
            self.held = self.held[self.target.send(self.held) :]
        except BlockingIOError:
            return

    def close(self) -> None:
        """Both directions."""
        self.is_closed = True
        for end in (self.source, self.target):
            if end.fileno() in self.loop.get_map():
                self.loop.unregister(end)
            end.close()


def end_everything() -> None:
    """Kill whatever descends from this process. As the first of its namespace, its own end does that."""
    if os.getpid() == 1:
        return
    for _round in range(1000):
        found = descendants(os.getpid())
        if not found:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in found:
                try:
                    os.kill(pid, number)
                except (ProcessLookupError, PermissionError):
                    continue
        _wait_for_some()


def _wait_for_some() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def descendants(root: int) -> list[int]:
    """Every process below this one, other than those that only wait to be reaped by somebody else."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as opened:
                    state, parent = opened.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue  # it has ended
            if state != b"Z" or int(parent) == root:
                parents[int(name)] = int(parent)
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _told_where(variables: dict[str, str], own: str) -> dict[str, str]:
    """MLED is at another port than the usual where that is not the command's alone."""
    starts = {name for name, value in variables.items() if value == INSIDE or value.startswith(INSIDE + "/")}
    return {name: own + value[len(INSIDE) :] if name in starts else value for name, value in variables.items()}


def _connect(opened: socket.socket, door: str) -> None:
    """By its folder: the whole path may be longer than the system takes."""
    folder = os.open(os.path.dirname(door), os.O_PATH)
    try:
        opened.connect(f"/proc/self/fd/{folder}/{os.path.basename(door)}")
    finally:
        os.close(folder)


def _cannot(order: dict[str, Any], error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):  # of a NUL byte in a word, or '=' in the name of a variable
        return f"The command cannot be started: {error}."
    if error.filename == order["folder"]:
        return f"Its folder cannot be used: {error.strerror}."
    return f"The command '{order['words'][0]}' cannot be started: {error.strerror}."


def _noted(number: int, frame: object) -> None:
    """The loop hears of it by the descriptor; a handler has to be there for that."""


def _be_untouchable() -> None:
    """No process of the command reads or changes this one; orphans of the command become its children."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getpid() == 1:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # with bubblewrap, which waits outside


def main(order_fd: int, control_fd: int, report_fd: int, worker_fd: int) -> int:
    """Returns the exit code: that of the command, 128 and more where a signal ended it."""
    _be_untouchable()
    for descriptor in (control_fd, report_fd, worker_fd):
        os.set_inheritable(descriptor, False)
    with open(order_fd, "rb") as opened:
        order = json.load(opened)
    os.write(report_fd, b"R")  # it is ready, and whatever happens now is the command's
    report = Shim(order, control_fd, worker_fd).run()
    end_everything()
    os.write(report_fd, json.dumps(report).encode())
    code = report.get("code", NOT_STARTED)
    return int(code) if code >= 0 else 128 - int(code)


if __name__ == "__main__":
    os._exit(main(*(int(word) for word in sys.argv[1].split(","))))
