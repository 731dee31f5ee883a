"""A connection that remembers heads reads what gunicorn's own parser reads, and refuses what that refuses."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import Response
from hypothesis import given, settings
from hypothesis import strategies as some

from mled_site.kept_alive import HEADS_MAX, KnowingParser, OnePacket, head_of

PEER = ("127.0.0.1", 40_000)
STRANGER = ("203.0.113.9", 40_000)

_paths = some.sampled_from(["/health", "/mlflow/p/api/2.0/mlflow/runs/log-batch", "/a?b=c", "*", "no-slash"])
_lines = some.sampled_from(
    [
        "Host: 127.0.0.1", "Host: two", "Authorization: Bearer mled_x", "User-Agent: one", "Accept: a", "Accept: b",
        "Content-Type: application/json", "Connection: close", "Connection: keep-alive", "Expect: 100-continue",
        "Expect: more", "Transfer-Encoding: chunked", "Content-Length: 3", "Content-Length: x", "Content-Length:3",
        "Content-Length: +3", "Content-Length: ", "content-length: 3", "Content_Length: 3", "X_Forwarded_For: 1",
        "X-Forwarded-Proto: https", "X-Forwarded-Proto: http", " folded", "bad name: 1", "nothing", "X: \x01",
    ]
)  # fmt: skip
_lengths = some.one_of(some.none(), some.integers(0, 40))
_bodies = some.sampled_from([b"", b"{}", b"abc", b"x" * 40, b"GET / HTTP/1.1\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"])


@some.composite
def _requests(draw) -> bytes:
    method = draw(some.sampled_from(["GET", "POST", "POST", "HEAD", "get"]))
    version = draw(some.sampled_from(["HTTP/1.1"] * 5 + ["HTTP/1.0", "HTTP/3.0"]))
    body, length = draw(_bodies), draw(_lengths)
    lines = [f"{method} {draw(_paths)} {version}", "Host: h", *draw(some.lists(_lines, max_size=2))]
    if length is not None:
        name = draw(some.sampled_from(["Content-Length", "Content-Length", "content-length", "CONTENT-LENGTH"]))
        lines.insert(draw(some.integers(1, len(lines))), f"{name}: {len(body) if length > 2 else length}")
    return draw(some.sampled_from([b"", b"", b"\r\n"])) + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def _read(kind: type[RequestParser], data: bytes, size: int, *, peer=PEER, at_once: int = 40) -> list[object]:
    """What each request of a connection says, to the first that is refused or the end."""
    told: list[object] = []
    parser = kind(Config(), _pieces(data, size), peer)
    for _ in range(at_once):
        try:
            request: Request = next(parser)
            said = [request.method, request.uri, request.path, request.query, request.version, list(request.headers)]
            told.append([*said, request.scheme, request.should_close(), request._expected_100_continue])
            told.append(request.body.read())
        except Exception as error:  # which one it is, is what is compared
            return [*told, type(error).__name__]
    return told


@settings(max_examples=400)
@given(some.lists(_requests(), min_size=1, max_size=4), some.integers(1, 3), some.sampled_from([7, 200, 8_192]))
def test_any_connection_is_read_as_gunicorn_reads_it(requests, times, size):
    data = b"".join(requests * times)
    for peer in (PEER, STRANGER):
        assert _read(KnowingParser, data, size, peer=peer) == _read(RequestParser, data, size, peer=peer)


def test_a_head_is_parsed_once_while_lengths_of_bodies_differ(monkeypatch):
    parsed: list[bytes] = []
    ordinary = Request.parse_headers

    def counted(self, data, from_trailer=False):
        parsed.append(data)
        return ordinary(self, data, from_trailer)

    monkeypatch.setattr(Request, "parse_headers", counted)
    bodies = [b"x" * length for length in (5, 0, 12, 5, 100)]
    data = b"".join(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s" % (len(one), one) for one in bodies)
    told = _read(KnowingParser, data, 8_192)
    assert told[1::2][: len(bodies)] == bodies
    assert [said[5][1] for said in told[:-1:2]] == [("CONTENT-LENGTH", str(len(one))) for one in bodies]
    assert len(parsed) == 1


def test_a_connection_remembers_a_few_heads_and_no_more():
    data = b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number for number in range(3 * HEADS_MAX))
    parser = KnowingParser(Config(), iter([data]), PEER)
    assert [next(parser).path for _ in range(3 * HEADS_MAX)] == [f"/{number}" for number in range(3 * HEADS_MAX)]
    assert len(parser.mesg_class.args[0]) <= HEADS_MAX


@pytest.mark.parametrize(
    "length", [b"", b"x", b"-1", b"1_000", b" 3", b"3 ", b"\xb2", "٣".encode(), b"1" * 16, b"3, 3"]
)
def test_a_length_that_is_no_plain_number_is_left_to_gunicorn(length):
    assert head_of(b"POST / HTTP/1.1\r\nContent-Length: %s\r\n\r\nabc" % length) is None


class TestOnePacket:
    @pytest.fixture(name="ends")
    def _ends(self) -> Iterator[tuple[socket.socket, socket.socket]]:
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with one, other:
            other.settimeout(5)
            yield one, other

    def _answered(
        self, kind: type[Response], ends, pieces: list[bytes], *, method="GET", **headers: str
    ) -> list[bytes]:
        """The packets of an answer."""
        ours, theirs = ends
        request = next(RequestParser(Config(), iter([f"{method} / HTTP/1.1\r\nHost: h\r\n\r\n".encode()]), PEER))
        answer = kind(request, ours, Config())
        answer.start_response("200 OK", [(name.replace("_", "-"), value) for name, value in headers.items()])
        for piece in pieces:
            answer.write(piece)
        answer.close()
        ours.shutdown(socket.SHUT_WR)
        packets = iter(lambda: theirs.recv(200_000), b"")
        return [re.sub(rb"Date: [^\r]*", b"", packet) for packet in packets]

    def test_head_and_body_go_in_one_where_the_body_comes_whole(self, ends):
        (packet,) = self._answered(OnePacket, ends, [b"{}"], Content_Length="2")
        assert packet.startswith(b"HTTP/1.1 200 OK\r\n")
        assert packet.endswith(b"\r\n\r\n{}")

    @pytest.mark.parametrize(
        ("pieces", "asks"),
        [
            ([b"{", b"}"], {"Content_Length": "2"}),
            ([b"{}more"], {"Content_Length": "2"}),
            ([b"{", b"}"], {}),
            ([], {"Content_Length": "0"}),
            ([b"{}"], {"Content_Length": "2", "method": "HEAD"}),
            ([b"x" * 70_000], {"Content_Length": "70000"}),
        ],
    )  # fmt: skip
    def test_any_other_answer_goes_out_as_gunicorn_sends_it(self, ends, pieces, asks):
        ours = self._answered(OnePacket, ends, pieces, **asks)
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with one, other:
            other.settimeout(5)
            assert ours == self._answered(Response, (one, other), pieces, **asks)
