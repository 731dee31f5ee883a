"""What gunicorn does for each request of a kept-alive connection, done once where the next request begins alike.

A script that logs sends the same head again and again, but for the length of the body: gunicorn's parser takes some
45 µs for it, a tenth of what logging a batch of points costs. So a connection remembers the heads that it has read:
reading one depends on nothing but its bytes, the settings and the peer, and neither of the latter two changes within a
connection. (docs/adr/0050)
"""

from functools import partial
from typing import Any, Final, NamedTuple

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import Response

HEADS_MAX: Final = 8  # of a connection
HEAD_BYTES_MAX: Final = 2_000
ONE_PACKET_BYTES_MAX: Final = 64_000
_END: Final = b"\r\n\r\n"
_LENGTHS: Final = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")
_LENGTH: Final = "CONTENT-LENGTH"
_DIGITS_MAX: Final = 15


class Head(NamedTuple):
    """The first bytes that came of a request. like: all of its head but the digits that say how long the body is."""

    like: bytes
    length: str | None  # None where `like` holds all of it
    end: int


class Known(NamedTuple):
    """What a head that was read says. length: of its body; at: where among the headers that stands."""

    said: dict[str, Any]
    headers: tuple[tuple[str, str], ...]
    length: int
    at: int | None


class KnownRequest(Request):
    """A request whose head may be one that its connection has read before."""

    def __init__(self, heads: dict[bytes, Known], cfg: Any, unreader: Any, peer: Any, number: int = 1) -> None:
        data = unreader.read()
        head = head_of(data)
        known = heads.get(head.like) if head else None
        if head is not None and known is not None:
            self._say_again(known, head, unreader, number)
            unreader.unread(data[head.end :])
            return
        if data:
            unreader.unread(data)
        super().__init__(cfg, unreader, peer, number)
        if head is not None and _is_plain(self):
            if len(heads) >= HEADS_MAX:
                heads.clear()
            heads[head.like] = _known(self)

    def _say_again(self, known: Known, head: Head, unreader: Any, number: int) -> None:
        self.__dict__.update(known.said)
        self.req_number = number
        self.headers = list(known.headers)
        length = known.length
        if head.length is not None and known.at is not None:
            self.headers[known.at] = (_LENGTH, head.length)
            length = int(head.length)
        self.trailers: list[Any] = []
        self.body = Body(LengthReader(unreader, length))


def head_of(data: bytes) -> Head | None:
    """The head that a request begins with; None where it has not come whole, or its length is written in another way
    than clients write it."""
    end = data.find(_END, 0, HEAD_BYTES_MAX)
    if end < 0:
        return None
    end += len(_END)
    for name in _LENGTHS:
        at = data.find(name, 0, end)
        if at >= 0:
            at += len(name)
            behind = data.index(b"\r", at, end)
            digits = data[at:behind]
            if not digits.isdigit() or len(digits) > _DIGITS_MAX:
                return None
            return Head(data[:at] + data[behind:end], digits.decode(), end)
    return Head(data[:end], None, end)


def _is_plain(request: Request) -> bool:
    """Whether all that its head brought about is what the request remembers: no answer that was due before, no end of
    the connection, no chunks."""
    return (
        isinstance(request.body.reader, LengthReader)
        and not request.must_close
        and not request._expected_100_continue
        and request.proxy_protocol_info is None
    )


def _known(request: Request) -> Known:
    names = [name for name, _ in request.headers]
    at = names.index(_LENGTH) if _LENGTH in names else None
    return Known(dict(request.__dict__), tuple(request.headers), request.body.reader.length, at)


class KnowingParser(RequestParser):
    """The requests of a connection, each head read once."""

    def __init__(self, cfg: Any, source: Any, source_addr: Any) -> None:
        super().__init__(cfg, source, source_addr)
        self.mesg_class = partial(KnownRequest, {})

    def finish_body(self, deadline: float | None = None, max_bytes: int | None = None) -> bool:
        """Read what the application left of the body; most often it left nothing, which is told at once."""
        body = self.mesg and self.mesg.body
        if body and isinstance(body.reader, LengthReader) and not body.reader.length and not body.failed:
            return True
        return bool(super().finish_body(deadline, max_bytes))


class _Kept(list[bytes]):
    """In the place of a socket: keeps what is sent."""

    sendall = list.append


class OnePacket(Response):
    """An answer whose head waits for its body, where that comes whole: one packet, and the client wakes once."""

    def write(self, body: bytes) -> None:
        """Send a piece of the body, and the head before the first."""
        if self.headers_sent or self.chunked or self._omits_body or not self._is_whole(body):
            super().write(body)
            return
        sock, kept = self.sock, _Kept()
        self.sock: Any = kept
        try:
            self.send_headers()
        finally:
            self.sock = sock
        self.sent += len(body)
        sock.sendall(b"".join(kept) + body)

    def _is_whole(self, body: bytes) -> bool:
        return isinstance(body, bytes) and len(body) == self.response_length and len(body) <= ONE_PACKET_BYTES_MAX
