"""Uploads that break off, sent to a real server over a real socket: nothing of them is ever readable."""

import hashlib
import json
import os
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

from tests.services.processes import wait_until

SIZE = 3_000_000


class Sender:
    """A client of one run's files that can stop in the middle of what it sends."""

    def __init__(self, live, project):
        self.live, self.base = live, urlsplit(live.tracking_uri(project)).path
        self.token = live.issue_token(f"{project}@example.org", project=project)
        run = self.ask("POST", "api/2.0/mlflow/runs/create", json.dumps({"experiment_id": "0"}).encode())
        uri = json.loads(run)["run"]["info"]["artifact_uri"]
        self.files = "api/2.0/mlflow-artifacts/artifacts/" + uri.partition(":")[2].lstrip("/")
        self.of_others = set()  # uploads in parts, which other tests on this server leave to go on

    def ask(self, method, path, body=None):
        asked = urllib.request.Request(  # noqa: S310
            f"{self.live.url}{self.base}/{path}", method=method, data=body,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
            return answer.read()

    def status(self, path):
        try:
            self.ask("GET", f"{self.files}/{path}")
        except urllib.error.HTTPError as refusal:
            return refusal.code
        return 200

    def put(self, path, content):
        self.ask("PUT", f"{self.files}/{path}", content)

    def begin(self, path, headers, sent):
        """Send a request's head and a part of its body, and leave the line open, once the server takes it in."""
        before = len(self.unfinished)
        line = self.send(path, headers, sent)
        wait_until(lambda: len(self.unfinished) > before, within=20, what="the server takes the upload in")
        return line

    def send(self, path, headers, sent):
        line = socket.create_connection((urlsplit(self.live.url).hostname, self.live.port), timeout=30)
        head = (
            f"PUT {self.base}/{self.files}/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n"
        )
        line.sendall(f"{head}{headers}\r\n\r\n".encode() + sent)
        return line

    @property
    def unfinished(self):
        return [aside for aside in self._asides() if aside not in self.of_others]

    def _asides(self):
        return list((self.live.data / "blobs" / "incoming").glob("*"))

    def begin_anew(self):
        """What lies there now is none of this test's."""
        self.of_others = set(self._asides())


@pytest.fixture(scope="module")
def sender(live_mled):
    live_mled.create_user("torn@example.org")
    live_mled.create_project("torn")
    live_mled.add_member("torn", "torn@example.org", "ml_engineer")
    return Sender(live_mled, "torn")


@pytest.fixture(autouse=True)
def alone(sender):
    sender.begin_anew()


def blob_of(sender, content):
    digest = hashlib.sha256(content).hexdigest()
    return sender.live.data / "blobs" / digest[:2] / digest[2:4] / digest


def test_a_whole_upload_is_there(sender):
    content = os.urandom(SIZE)
    sender.put("whole.bin", content)
    assert sender.ask("GET", f"{sender.files}/whole.bin") == content
    assert blob_of(sender, content).stat().st_size == SIZE
    assert sender.unfinished == []


@pytest.mark.parametrize("part", [0, 1000, SIZE - 1])
def test_an_announced_body_that_breaks_off_leaves_nothing(sender, part):
    content = os.urandom(SIZE)
    was_there = blob_of(sender, content[:part]).exists()  # nothing at all is what others upload too
    line = sender.begin(f"torn{part}.bin", f"Content-Length: {SIZE}", content[:part])
    line.close()
    wait_until(lambda: not sender.unfinished, within=20, what="the broken upload is cleared away")
    assert sender.status(f"torn{part}.bin") == 404
    assert not blob_of(sender, content).exists()
    assert blob_of(sender, content[:part]).exists() is was_there
    assert part == 0 or not was_there


def test_a_chunked_body_that_breaks_off_leaves_nothing(sender):
    content = os.urandom(100_000)
    chunk = b"186a0\r\n" + content + b"\r\n"
    line = sender.begin("chunks.bin", "Transfer-Encoding: chunked", chunk + b"186a0\r\n" + content[:10])
    line.close()
    wait_until(lambda: not sender.unfinished, within=20, what="the broken upload is cleared away")
    assert sender.status("chunks.bin") == 404
    assert not blob_of(sender, content).exists()


@pytest.mark.parametrize("wrong", [b"no size\r\n", b"-5\r\nabcde\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n"])
def test_a_body_in_chunks_that_are_none_is_refused_in_words(sender, wrong):
    with sender.send("chunks.bin", "Transfer-Encoding: chunked", b"5\r\nabcde\r\n" + wrong) as line:
        answer = line.recv(1000)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert sender.status("chunks.bin") == 404
    assert sender.unfinished == []


def test_an_overwrite_that_breaks_off_leaves_the_old_content(sender):
    sender.put("model.bin", b"the old weights")
    line = sender.begin("model.bin", f"Content-Length: {SIZE}", os.urandom(1000))
    line.close()
    wait_until(lambda: not sender.unfinished, within=20, what="the broken upload is cleared away")
    assert sender.ask("GET", f"{sender.files}/model.bin") == b"the old weights"


def test_a_slow_sender_keeps_nobody_else_waiting(sender):
    lines = [sender.begin(f"slow{n}.bin", f"Content-Length: {SIZE}", b"x") for n in range(3)]
    try:
        sender.put("quick.bin", b"done")
        assert sender.ask("GET", f"{sender.files}/quick.bin") == b"done"
    finally:
        for line in lines:
            line.close()
    wait_until(lambda: not sender.unfinished, within=20, what="the broken uploads are cleared away")
