"""A container registry of the test run's own, Debian's docker-registry, and images that a test puts together and pushes
by the registry's own API: from a few files, or from programs of this machine with what they are linked to."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pytest
import urllib3

from tests.services.processes import answers, free_port, start, stop, wait_until

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, "")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
USER, WORD = "robot", "geheim-7"
BCRYPTED = "$2b$04$DBIQZWXwQCEW4NMWfxVvuOO/XtzSvKou8ghcLyA5YxhQKmPXbLu9a"  # WORD, as the registry keeps it


@dataclass
class Registry:
    """A running one. place: the folder in which it keeps things."""

    port: int
    place: Path
    authorization: str = ""
    http: urllib3.PoolManager = field(default_factory=urllib3.PoolManager)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def named(self) -> str:
        """As MLED_IMAGE_REGISTRIES names it."""
        return f"http://{self.host}"

    def push(self, name: str, *layers: bytes, tag: str = "1", machine: str = MACHINE, **config: Any) -> str:
        """An image of these layers; its digest. config: such as Env."""
        about = {"os": "linux", "architecture": machine, "config": config, "rootfs": {"type": "layers"}}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, **self.keep(name, json.dumps(about).encode())},
            "layers": [{"mediaType": LAYER, **self.keep(name, one)} for one in layers],
        }
        return self.describe(name, tag, manifest)

    def describe(self, name: str, tag: str, manifest: Mapping[str, Any]) -> str:
        """A manifest; its digest."""
        content = json.dumps(manifest).encode()
        kind = manifest.get("mediaType", MANIFEST)
        answer = self._ask("PUT", f"{self.named}/v2/{name}/manifests/{tag}", content, kind)
        assert answer.status == 201, answer.data
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def keep(self, name: str, content: bytes) -> dict[str, Any]:
        """A part of an image, as a manifest names it."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        begun = self._ask("POST", f"{self.named}/v2/{name}/blobs/uploads/")
        assert begun.status == 202, begun.data
        to = begun.headers["Location"]
        done = self._ask("PUT", f"{to}{'&' if '?' in to else '?'}digest={digest}", content, "application/octet-stream")
        assert done.status == 201, done.data
        return {"digest": digest, "size": len(content)}

    def spoil(self, digest: str) -> None:
        """Have a part be of other bytes than its digest says."""
        plain = digest.removeprefix("sha256:")
        data = next(self.place.glob(f"**/blobs/sha256/{plain[:2]}/{plain}/data"))
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 1
        data.write_bytes(bytes(content))

    def _ask(self, method: str, url: str, body: bytes = b"", kind: str = "") -> Any:
        headers = {"Content-Type": kind} if kind else {}
        if self.authorization:
            headers["Authorization"] = self.authorization
        return self.http.request(method, url, body=body, headers=headers)


def skip_without() -> None:
    if shutil.which("docker-registry") is None:
        pytest.skip("no container registry here: apt install docker-registry")
    if not MACHINE:
        pytest.skip(f"images are for linux/amd64 and linux/arm64, and this is {os.uname().machine}")


@contextmanager
def running_registry(
    place: Path, auth: Mapping[str, Any] | None = None, *, authorization: str = ""
) -> Iterator[Registry]:
    """Starts within a second; what it keeps goes with its folder. auth: as its configuration takes it."""
    skip_without()
    place.mkdir(parents=True, exist_ok=True)
    told = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(place / "kept")}, "cache": {"blobdescriptor": "inmemory"}},
        "http": {"addr": (port := f"127.0.0.1:{free_port()}")},
        **({"auth": dict(auth)} if auth else {}),
    }
    (place / "config.yml").write_text(json.dumps(told))  # JSON is YAML
    number = int(port.partition(":")[2])
    variables = {"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"}
    with (place / "log").open("w") as log:
        process = start(["docker-registry", "serve", str(place / "config.yml")], stdout=log, stderr=log, env=variables)
        try:
            wait_until(lambda: answers(number) or process.poll() is not None, within=30, what="the registry answers")
            assert process.poll() is None, (place / "log").read_text()
            yield Registry(number, place, authorization)
        finally:
            stop(process)


@contextmanager
def closed_registry(place: Path) -> Iterator[Registry]:
    """One that asks for a name and a password."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "passwords").write_text(f"{USER}:{BCRYPTED}\n")
    auth = {"htpasswd": {"realm": "images", "path": str(place / "passwords")}}
    with running_registry(place, auth, authorization=f"Basic {_base64(f'{USER}:{WORD}'.encode())}") as made:
        yield made


@dataclass
class Tokens:
    """Who gives out tokens. asked: for what, each with the credential that came along."""

    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def named(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def token_registry(place: Path) -> Iterator[tuple[Registry, Tokens]]:
    """One that sends for a token, which whoever has the password is given; and everybody for what begins with open/."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = rsa.generate_private_key(65537, 2048)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tokens")])
    made = x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(datetime.now(UTC) - timedelta(days=1))
    certificate = made.not_valid_after(datetime.now(UTC) + timedelta(days=1)).sign(key, hashes.SHA256())
    place.mkdir(parents=True, exist_ok=True)
    (place / "roots.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    chain = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()

    def token(scope: str, actions: Sequence[str]) -> str:
        now, (kind, name, _) = int(time.time()), scope.split(":")
        access = [{"type": kind, "name": name, "actions": list(actions)}]
        claims = {"iss": "tests", "sub": "", "aud": "images", "exp": now + 300, "nbf": now - 60, "iat": now,
                  "jti": str(now), "access": access}  # fmt: skip
        head = {"typ": "JWT", "alg": "RS256", "x5c": [chain]}
        signed = ".".join(_urlsafe(json.dumps(part).encode()) for part in (head, claims))
        return f"{signed}.{_urlsafe(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    told = Tokens(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scope = parse_qs(urlsplit(self.path).query).get("scope", [""])[0]
            said = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            told.asked.append((scope, said))
            may = said == f"{USER}:{WORD}" or (not said and scope.startswith("repository:open/"))
            body = json.dumps({"token": token(scope, ["pull"])} if may else {}).encode()
            self.send_response(200 if may else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """`asked` holds what a test looks at."""

    class Pushing(Registry):
        def _ask(self, method: str, url: str, body: bytes = b"", kind: str = "") -> Any:
            name = re.findall(r"/v2/(.+)/(?:blobs|manifests)/", url)[0]
            self.authorization = f"Bearer {token(f'repository:{name}:x', ['pull', 'push'])}"
            return super()._ask(method, url, body, kind)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asks = {
            "realm": f"{told.named}/token", "service": "images", "issuer": "tests",
            "rootcertbundle": str(place / "roots.pem"),
        }  # fmt: skip
        try:
            with running_registry(place, {"token": asks}) as registry:
                yield Pushing(registry.port, registry.place), told
        finally:
            server.shutdown()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


# --- Layers


def entry(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """What is told of one file, folder or link."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode = kind, link, mode
    return made


def layer(*entries: tuple[tarfile.TarInfo | str, bytes | str | None], packed: str = "gzip") -> bytes:
    """Files with their content, by name or as `entry` tells of them; None for none."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for one, said in entries:
            told = entry(one) if isinstance(one, str) else one
            content = said.encode() if isinstance(said, str) else said
            told.size = len(content or b"")
            archive.addfile(told, io.BytesIO(content) if content is not None else None)
    return pack(held.getvalue(), packed)


def pack(plain: bytes, packed: str) -> bytes:
    """As a layer is packed."""
    if packed == "zstd":
        return pa.Codec("zstd").compress(plain, asbytes=True)
    return gzip.compress(plain, 1, mtime=0) if packed == "gzip" else plain


def with_programs(*names: str, packed: str = "gzip") -> bytes:
    """A layer with programs of this machine below /bin, and with what they are linked to where they look for it."""
    held, there = io.BytesIO(), set[str]()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name in names:
            program = Path(shutil.which(name) or name)
            _add(archive, there, f"bin/{program.name}", program)
            linked = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
            for found in re.findall(r"(/\S+) \(0x", linked):
                _add(archive, there, found.lstrip("/"), Path(found))
    return pack(held.getvalue(), packed)


def _add(archive: tarfile.TarFile, there: set[str], name: str, source: Path) -> None:
    if name not in there:
        there.add(name)
        content = source.resolve().read_bytes()
        told = entry(name, mode=0o755)
        told.size = len(content)
        archive.addfile(told, io.BytesIO(content))
