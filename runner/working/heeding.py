"""What a job under way hears from outside: that somebody stopped it, that its lease is lost, that its worker leaves."""

import threading

MESSAGES = "runner.{}"  # Celery's queue of the messages that wake the workers of a queue
awake = threading.Event()  # of this process's worker: set by a message, as there is something to do


class Interrupted(Exception):
    """Something was heard while the job was made ready, so that it goes no further."""


class Heard:
    """Told by the loop of the worker, asked by the thread of the job."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.lost = threading.Event()
        self.leaving = threading.Event()
        self._something = threading.Event()

    def tell(self, what: threading.Event) -> None:
        """Say one of the three."""
        if not what.is_set():
            what.set()
            self._something.set()

    def anything(self) -> bool:
        """Whether one of the three was said."""
        return self.stopped.is_set() or self.lost.is_set() or self.leaving.is_set()

    def heed(self) -> None:
        """Raise Interrupted where something was said."""
        if self.anything():
            raise Interrupted

    def wait(self, seconds: float) -> None:
        """Until something new is said, or so long."""
        if self._something.wait(seconds):
            self._something.clear()
