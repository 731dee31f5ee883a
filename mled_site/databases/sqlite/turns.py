"""Writers of one SQLite file in a queue: the threads of this process among themselves, and the process among others.

SQLite lets a writer that finds another try again after sleeps that grow to a tenth of a second, so whoever came last
goes first. Here each waits asleep and is woken when it is its turn.
"""

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Final, Protocol

from mled_site.databases.sqlite.gate import Gate

# How many turns threads of one process take in a row while another process waits: going from one process to another
# costs some hundred microseconds, from thread to thread a tenth of that.
IN_A_ROW: Final = 4
LOOK_AFTER_SECONDS: Final = 1.0  # how often a waiting thread looks whether the one before it still lives


Errands = SimpleQueue["Turn | str"]


class TooLong(Exception):
    """It was not this writer's turn within its patience."""


class Writer(Protocol):
    """Whose turn it is: a connection."""

    def undo_dead_transaction(self) -> None:
        """Roll back what a thread that has ended left open."""


class Turn:
    """One writer's place in the queue, then its right to write until it gives that back."""

    def __init__(self, turns: "Turns", writer: Writer) -> None:
        self.turns = turns
        self.thread = threading.current_thread()
        self.writer = weakref.ref(writer, partial(turns.lost, weakref.ref(self)))
        self.called = threading.Lock()
        self.called.acquire()

    def give_back(self) -> None:
        """Let the next one write. Giving back twice, or what a parent process took, does nothing."""
        self.turns.give_back(self)


class Turns:
    """The queue of one database file in this process. Lives as long as a connection to that file."""

    def __init__(self, path: str) -> None:
        self._gate = Gate(path)
        self._mutex = threading.Lock()
        self._waiting: deque[Turn] = deque()
        self._holder: Turn | None = None
        self._is_asked = False  # the doorman stands at the gate, or will
        self._in_a_row = 0
        self._errands: Errands = SimpleQueue()
        self.is_of_parent = False
        doorman = threading.Thread(
            target=_keep_the_door, args=(weakref.ref(self), self._gate, self._errands), name="sqlite-turns", daemon=True
        )
        doorman.start()
        weakref.finalize(self, self._errands.put, "go home").atexit = False

    def take(self, writer: Writer, patience_seconds: Callable[[], float]) -> Turn:
        """Wait for the right to write; how long at most is asked only where others are before. Raises TooLong."""
        turn = Turn(self, writer)
        with self._mutex:
            if self._holder is None and not self._waiting and not self._is_asked and self._gate.enter_at_once():
                self._holder, self._in_a_row = turn, 0
                return turn
            self._waiting.append(turn)
            if self._holder is None:
                self._ask()
        try:
            self._wait(turn, time.monotonic() + patience_seconds())
        except BaseException:
            self.give_back(turn)
            raise
        return turn

    def give_back(self, turn: Turn) -> None:
        with self._mutex:
            if self._holder is turn:
                self._holder = None
                self._call_next()
            elif turn in self._waiting:
                self._waiting.remove(turn)

    def come_in(self) -> None:
        """The doorman has been let in."""
        with self._mutex:
            self._is_asked, self._in_a_row = False, -1
            self._call_next()

    def lost(self, turn: "weakref.ref[Turn]", _writer: object) -> None:
        """A connection was collected while it had its turn. Comes at any moment, in any thread, so it takes no lock."""
        if (left := turn()) is not None:
            self._errands.put(left)

    def leave_to_parent(self) -> None:
        """In a forked child: neither the turn that a thread of the parent has nor the files are this process's."""
        self.is_of_parent = True
        self._gate.close()
        self._mutex, self._holder, self._waiting = threading.Lock(), None, deque()

    def _wait(self, turn: Turn, end: float) -> None:
        while not turn.called.acquire(timeout=max(0.0, min(LOOK_AFTER_SECONDS, end - time.monotonic()))):
            self._look_after_holder()
            with self._mutex:
                if self._holder is turn:
                    return
            if time.monotonic() >= end:
                raise TooLong

    def _look_after_holder(self) -> None:
        """A thread that ends within a transaction is a bug; others need not wait for ever because of it."""
        holder = self._holder
        if holder is None or holder.thread.is_alive():
            return
        if (writer := holder.writer()) is not None:
            writer.undo_dead_transaction()
        self.give_back(holder)

    def _call_next(self) -> None:
        """Under the mutex, and inside the gate."""
        self._in_a_row += 1
        if self._waiting and self._in_a_row >= IN_A_ROW:
            self._in_a_row = 0
            if self._gate.is_wanted():
                self._gate.leave()
                self._ask()
                return
        if not self._waiting:
            self._gate.leave()
            return
        self._holder = self._waiting.popleft()
        self._holder.called.release()

    def _ask(self) -> None:
        """Send the doorman to the gate: waiting there cannot be cut short, so no writer does it itself."""
        if not self._is_asked:
            self._is_asked = True
            self._errands.put("ask")


def _keep_the_door(of: "weakref.ref[Turns]", gate: Gate, errands: Errands) -> None:
    """The one thread that waits at the gate, until nobody is left who could want to go through."""
    while (errand := errands.get()) != "go home":
        if errand == "ask":
            gate.enter()
        turns = of()
        if turns is None:
            break
        turns.come_in() if isinstance(errand, str) else turns.give_back(errand)
        del turns, errand
    gate.close()


_of_files: "weakref.WeakValueDictionary[str, Turns]" = weakref.WeakValueDictionary()
_making = threading.Lock()


def turns_of(path: str) -> Turns:
    """The queue of that file. Raises OSError where no file can be made beside it."""
    with _making:
        found = _of_files.get(path)
        if found is None:
            found = _of_files[path] = Turns(path)
        return found


def _leave_all_to_parent() -> None:
    global _making
    _making = threading.Lock()
    for turns in list(_of_files.values()):
        turns.leave_to_parent()
    _of_files.clear()


os.register_at_fork(after_in_child=_leave_all_to_parent)
