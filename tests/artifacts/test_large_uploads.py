"""A large file over real sockets: constant memory, broken connections, a killed worker, on disk and in S3.

128 MiB in every run, 2 GiB under `make test-full`.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import socket
import threading
import time
from urllib.parse import urlsplit

import psutil
import pytest

from tests.services.processes import wait_until
from tests.services.scale import sized

MB = 1 << 20
SIZE = sized(128, 2048) * MB
GROWTH_MAX = {"files": 72 * MB, "s3": 120 * MB}  # of both web workers together, the client of S3 in each included
BLOCK = os.urandom(MB)


class Large:
    """A file of so many bytes that is never in memory as a whole."""

    def __init__(self, size: int) -> None:
        self.size = size

    def pieces(self, start: int = 0, end: int | None = None):
        """Its bytes from start to end, up to a MiB at a time."""
        end = self.size if end is None else end
        at = start
        while at < end:
            number, within = divmod(at, MB)
            block = number.to_bytes(8, "big") + BLOCK[8:]
            piece = block[within : within + end - at]
            yield piece
            at += len(piece)

    def digest(self) -> str:
        sha256 = hashlib.sha256()
        for piece in self.pieces():
            sha256.update(piece)
        return sha256.hexdigest()


class Sender:
    """Speaks to the REST API of a live server, and may stop in the middle of what it says."""

    def __init__(self, live, slug: str) -> None:
        self.live, self.host, self.port = live, urlsplit(live.url).hostname, live.port
        person = f"{slug}@example.org"
        live.create_user(person)
        live.create_project(slug)
        live.add_member(slug, person, "ml_engineer")
        self.store = "s3" if slug.startswith("large-s3") else "files"
        self.slug, self.token = slug, live.issue_token(person, project=slug)
        self.head = {"Authorization": f"Bearer {self.token}"}

    def ask(self, method, path, body=b"", **headers):
        line = http.client.HTTPConnection(self.host, self.port, timeout=300)
        line.request(method, path, body=body, headers={**self.head, **headers})
        answer = line.getresponse()
        text = answer.read()
        line.close()
        assert answer.status < 300, text[:400]
        return json.loads(text)

    def received(self, upload) -> int:
        return self.ask("GET", f"/api/v1/uploads/{upload}/")["received_bytes"]

    def append(self, upload, large, offset, end=None):
        """Send from there to the end, in one request."""
        end = end or large.size
        told = {"Upload-Offset": str(offset), "Content-Length": str(end - offset)}
        return self.ask("PATCH", f"/api/v1/uploads/{upload}/", large.pieces(offset, end), **told)["received_bytes"]

    @contextlib.contextmanager
    def under_way(self, upload, large, offset, sent):
        """A request that announced all of the rest and has sent some of it; its line is cut at the end."""
        with socket.create_connection((self.host, self.port), timeout=60) as line:
            line.sendall(
                f"PATCH /api/v1/uploads/{upload}/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n"
                f"Upload-Offset: {offset}\r\nContent-Length: {large.size - offset}\r\n\r\n".encode()
            )
            for piece in large.pieces(offset, offset + sent):
                line.sendall(piece)
            yield

    def download(self, path) -> str:
        """The digest of what comes back."""
        line = http.client.HTTPConnection(self.host, self.port, timeout=300)
        line.request("GET", path, headers=self.head)
        answer = line.getresponse()
        assert answer.status == 200
        sha256 = hashlib.sha256()
        while piece := answer.read(MB):
            sha256.update(piece)
        line.close()
        return sha256.hexdigest()


class Memory:
    """How much memory the web workers take at most, beyond what they took at first."""

    def __init__(self, live) -> None:
        self.live, self.first, self.peak, self.done = live, self.now(live), 0, threading.Event()

    @staticmethod
    def now(live) -> int:
        total = 0
        for pid in live.web_workers():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += psutil.Process(pid).memory_info().rss
        return total

    def _watch(self) -> None:
        while not self.done.wait(0.05):
            self.peak = max(self.peak, self.now(self.live))

    def __enter__(self):
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.done.set()
        self.thread.join()

    @property
    def growth(self) -> int:
        return self.peak - self.first


@pytest.fixture(params=["files", "s3"])
def sender(request):
    live = request.getfixturevalue("live_mled" if request.param == "files" else "live_mled_on_s3")
    return Sender(live, f"large-{request.param}-{os.urandom(3).hex()}")


def begin(sender, large):
    body = json.dumps({"size_bytes": large.size, "digest": large.digest()}).encode()
    return sender.ask("POST", f"/api/v1/projects/{sender.slug}/uploads/", body, **{"Content-Type": "application/json"})


@pytest.mark.slow
def test_a_large_file_goes_through_broken_connections_in_constant_memory(sender):
    large = Large(SIZE + 12_345)
    told = begin(sender, large)
    upload, part = told["id"], told["part_bytes"]
    sender.append(upload, large, 0, part)  # what a first upload loads is no growth
    times = {}
    with Memory(sender.live) as memory:
        began = time.monotonic()
        with sender.under_way(upload, large, part, 2 * part + part // 2):
            wait_until(lambda: sender.received(upload) == 3 * part, within=60, what="two more pieces are kept")
        assert sender.received(upload) == 3 * part
        half = large.size // 2 // part * part
        assert sender.append(upload, large, 3 * part, half) == half
        with sender.under_way(upload, large, half, part + 1000):
            wait_until(lambda: sender.received(upload) >= half + part, within=60, what="one more piece is kept")
        at = sender.received(upload)
        assert sender.append(upload, large, at) == large.size
        times["sent"], began = time.monotonic() - began, time.monotonic()
        finished = sender.ask("POST", f"/api/v1/uploads/{upload}/finish/")
        times["finished"], began = time.monotonic() - began, time.monotonic()
        assert finished == {"digest": large.digest(), "size_bytes": large.size}
        path = place_in_a_run(sender, upload)
        assert sender.download(path) == finished["digest"]
        times["fetched"] = time.monotonic() - began
    print(f"{large.size / MB:,.0f} MiB: {times}, memory grew by {memory.growth / MB:.1f} MiB")
    assert memory.peak > 0
    assert memory.growth < GROWTH_MAX[sender.store] < SIZE


def place_in_a_run(sender, upload) -> str:
    """Put it into a new run; gives the address to fetch it from."""
    base, json_body = f"/mlflow/{sender.slug}/api/2.0", {"Content-Type": "application/json"}
    run = sender.ask("POST", f"{base}/mlflow/runs/create", b'{"experiment_id": "0"}', **json_body)["run"]["info"]
    body = json.dumps({"upload": upload, "path": "weights/large.bin"}).encode()
    sender.ask("POST", f"/api/v1/runs/{run['run_id']}/files/", body, **json_body)
    root = run["artifact_uri"].partition(":")[2].lstrip("/")
    return f"{base}/mlflow-artifacts/artifacts/{root}/weights/large.bin"


def test_a_sender_need_not_say_how_much_it_sends_at_once(live_mled):
    """curl does so when it reads from a pipe: chunks, and an end."""
    sender = Sender(live_mled, f"piped-{os.urandom(4).hex()}")
    large = Large(20 * MB + 5)
    upload = begin(sender, large)["id"]
    told = {"Upload-Offset": "0", "Transfer-Encoding": "chunked"}
    line = http.client.HTTPConnection(sender.host, sender.port, timeout=60)
    line.request("PATCH", f"/api/v1/uploads/{upload}/", large.pieces(), {**sender.head, **told}, encode_chunked=True)
    assert json.loads(line.getresponse().read())["received_bytes"] == large.size
    line.close()
    assert sender.ask("POST", f"/api/v1/uploads/{upload}/finish/")["digest"] == large.digest()


@pytest.mark.slow
@pytest.mark.parametrize("_", range(sized(2, 20)))
def test_a_killed_worker_loses_at_most_one_piece(live_mled, _):
    sender = Sender(live_mled, f"killed-{os.urandom(4).hex()}")
    large = Large(40 * MB)
    told = begin(sender, large)
    upload, part = told["id"], told["part_bytes"]
    incoming = str(live_mled.data / "blobs" / "incoming")

    def taking_it_in():
        found = []
        for pid in live_mled.web_workers():
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [pid for one in psutil.Process(pid).open_files() if one.path.startswith(incoming)]
        return found

    with sender.under_way(upload, large, 0, 2 * part + part // 3):
        wait_until(lambda: sender.received(upload) == 2 * part and taking_it_in(), within=60, what="it arrives")
        for pid in set(taking_it_in()):
            live_mled.kill_a_web_worker(pid)
    wait_until(lambda: len(live_mled.web_workers()) == 2 and live_mled.is_healthy(), within=60, what="it is back")
    assert sender.received(upload) == 2 * part
    assert sender.append(upload, large, 2 * part) == large.size
    assert sender.ask("POST", f"/api/v1/uploads/{upload}/finish/")["digest"] == large.digest()
