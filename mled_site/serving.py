"""gunicorn's threads, which stay a moment with the client that they have answered.

gunicorn gives a connection back to its main thread after each answer and gets it again for the next request: two trips
through a poller, a pipe and a queue, a third of what logging a batch of points costs. Scripts that log send the next
request within a fraction of a millisecond. (docs/adr/0050)
"""

import select
import threading
from typing import Any, Final

from gunicorn.http import wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

from mled_site.kept_alive import KnowingParser, OnePacket
from mled_site.kept_connections import kept

STAYS_MS: Final = 5
FREE_AT_LEAST: Final = 2  # threads that stay with nobody, so that whoever comes anew is served at once


class StayingWorker(ThreadWorker):
    """A thread stays with its client while others are free for whoever else comes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wsgi.Response = OnePacket  # which has no setting; other protocols than HTTP/1 name their own
        self._staying = threading.BoundedSemaphore(max(0, self.cfg.threads - FREE_AT_LEAST))

    def handle(self, conn: TConn) -> Any:
        """Answer a request, and those that follow at once. What it returns says what becomes of the connection."""
        with kept(threads=self.cfg.threads):
            return self._answer(conn)

    def _answer(self, conn: TConn) -> Any:
        if conn.parser is None and not self.cfg.is_ssl:
            conn.parser = KnowingParser(self.cfg, conn.sock, conn.client)
        outcome = super().handle(conn)
        if outcome is not True or self.cfg.is_ssl or not self._staying.acquire(blocking=False):
            return outcome
        try:
            while outcome is True and self._is_nobody_waiting() and _has_more(conn):
                outcome = super().handle(conn)
        finally:
            self._staying.release()
        return outcome

    def _is_nobody_waiting(self) -> bool:
        """Neither a request for a thread nor the end of the process."""
        return bool(self.alive) and self.tpool._work_queue.empty()


def _has_more(conn: TConn) -> bool:
    """Whether the next request is there already, or begins within a moment."""
    if conn.parser.unreader.buf.getvalue():
        return True
    poll = select.poll()
    poll.register(conn.sock, select.POLLIN)
    return bool(poll.poll(STAYS_MS))
