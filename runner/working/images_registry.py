"""Asking a registry for an image: OCI's distribution API, version 2, anonymously or by a secret of the project.

It goes by the worker's outlet, which connects to public addresses and to networks that the operator opened, so that a
name in somebody's recipe leads to nothing that trusts the worker's machine. A credential goes to the registry, and to
where that sends for a token; never along with a redirect to another place.
"""

import errno
import hashlib
import json
import re
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3
from django.conf import settings

from kernel.errors import Invalid, MledError, TooLarge, Unavailable
from runner.executors.outlet import Outlet
from runner.images import ImageName, base_of, goes_plain, is_operators

FIELD: Final = "environment.image"
SHOWN_AS: Final = "***"
DOCUMENT_MAX: Final = 4 * 1024**2  # bytes of a manifest, a configuration or a token
REDIRECTS_MAX: Final = 5
TRIES: Final = 3
SECONDS: Final = 2 * 3600.0
_PATIENCE: Final = urllib3.Timeout(connect=30.0, read=30.0)
_AT_ONCE: Final = 1024 * 1024
_OF_DISKS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
_TAKEN: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_PAIR: Final = re.compile(r'(\w+)="([^"]*)"')

Told = Callable[[], None]


@dataclass(frozen=True, slots=True)
class RegistryKey:
    """A secret of the project for one registry. name: of the secret."""

    name: str
    user: str
    word: str

    @property
    def header(self) -> str:
        """As a registry reads it."""
        return f"Basic {b64encode(f'{self.user}:{self.word}'.encode()).decode()}"

    def hidden(self, text: str) -> str:
        """What somebody said, without the secret."""
        return text.replace(self.header.partition(" ")[2], SHOWN_AS).replace(self.word, SHOWN_AS)


def registry_key(name: str, value: str) -> RegistryKey:
    """The credential that a secret holds: user:password. Raises Invalid."""
    user, _, word = value.strip().partition(":")
    if not user or not word or any(sign in value.strip() for sign in "\r\n\0"):
        hint = "It holds user:password in one line; where there is a token, that is the password."
        raise Invalid(f"The secret '{name}' opens no registry.", hint=hint, field="environment.secret")
    return RegistryKey(name, user, word)


@dataclass(frozen=True, slots=True)
class Blob:
    """A part of an image, as a manifest names it. digest: 'sha256:…'."""

    digest: str
    size_bytes: int


class Registry:
    """One image's registry, asked within `reached`."""

    def __init__(self, name: ImageName, key: RegistryKey | None, pool: urllib3.PoolManager, told: Told) -> None:
        self._name, self._key, self._pool, self._told = name, key, pool, told
        self._base = base_of(name.registry)
        self._authorization: dict[str, str] = {}
        self._until = time.monotonic() + SECONDS

    def manifest(self, reference: str) -> tuple[bytes, str]:
        """A manifest by tag or digest, and its own digest. Raises Invalid, Unavailable."""
        content = self._document(f"manifests/{reference}", DOCUMENT_MAX)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if reference.startswith("sha256:") and digest != reference:
            raise self._other_bytes(reference)
        return content, digest

    def document(self, blob: Blob) -> bytes:
        """A small part, whole."""
        if blob.size_bytes > DOCUMENT_MAX:
            raise TooLarge(f"The configuration of {self._name} is larger than 4 MB.", field=FIELD)
        content = self._document(f"blobs/{blob.digest}", blob.size_bytes)
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != blob.digest:
            raise self._other_bytes(blob.digest)
        return content

    def fetch(self, blob: Blob, place: Path, got: Callable[[int], None]) -> None:
        """A part into a file, which is there once its digest is right. got: told the bytes so far, every now and then.

        Tried again where the connection breaks. Raises Invalid, Unavailable.
        """
        for left in reversed(range(TRIES)):
            try:
                self._fetch(blob, place, got)
                return
            except (urllib3.exceptions.HTTPError, OSError) as error:
                place.unlink(missing_ok=True)
                if isinstance(error, OSError) and (error.filename or error.errno in _OF_DISKS):
                    raise Unavailable(f"The worker cannot keep an image: {error.strerror}.") from error
                if not left:
                    raise self._broken(error) from error

    def _fetch(self, blob: Blob, place: Path, got: Callable[[int], None]) -> None:
        digest, size = hashlib.sha256(), 0
        with self._answer(f"blobs/{blob.digest}", "*/*") as answer, place.open("wb") as target:
            while piece := answer.read(_AT_ONCE, decode_content=False):
                self._heed()
                size += len(piece)
                if size > blob.size_bytes:
                    raise self._other_bytes(blob.digest)
                digest.update(piece)
                target.write(piece)
                got(size)
        if size < blob.size_bytes:
            raise urllib3.exceptions.ProtocolError("it ended before its end")
        if f"sha256:{digest.hexdigest()}" != blob.digest:
            place.unlink(missing_ok=True)
            raise self._other_bytes(blob.digest)

    def _document(self, path: str, at_most: int) -> bytes:
        try:
            with self._answer(path, _TAKEN) as answer:
                content: bytes = answer.read(at_most + 1, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._broken(error) from error
        if len(content) > at_most:
            raise TooLarge(f"What describes {self._name} is larger than it may be.", field=FIELD)
        return content

    @contextmanager
    def _answer(self, path: str, accept: str) -> Iterator[urllib3.BaseHTTPResponse]:
        """What it says, once it is satisfied with who asks."""
        url = f"{self._base}/v2/{self._name.repository}/{path}"
        answer = self._asked(url, {"Accept": accept, **self._authorization})
        if answer.status == 401:
            challenge = answer.headers.get("WWW-Authenticate", "")
            answer.close()
            self._authorization = self._signed_in(challenge)
            answer = self._asked(url, {"Accept": accept, **self._authorization})
        try:
            if answer.status != 200:
                raise self._refused(answer)
            yield answer
        finally:
            answer.close()

    def _asked(self, url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        """The answer, wherever it is redirected to; without the credential where that is another place."""
        for _ in range(REDIRECTS_MAX):
            self._heed()
            self._check_way(url)
            answer = self._pool.request(
                "GET", url, headers={**headers, "Accept-Encoding": "identity", "User-Agent": "MLED"},
                preload_content=False, decode_content=False, redirect=False, retries=False, timeout=_PATIENCE,
            )  # fmt: skip
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            to = urljoin(url, answer.headers.get("Location", ""))
            answer.close()
            if _site(to) != _site(url):
                headers = {name: value for name, value in headers.items() if name != "Authorization"}
            url = to
        raise Unavailable(f"{self._name.registry} leads from one place to another without end.", field=FIELD)

    def _check_way(self, url: str) -> None:
        """By https, or to a place that the operator named with http://."""
        if not url.startswith("https://") and not goes_plain(url):
            where = urlsplit(url).netloc.rpartition("@")[2][:100]
            raise Unavailable(f"{self._name.registry} leads to {where} without https, where nobody goes.", field=FIELD)

    def _signed_in(self, challenge: str) -> dict[str, str]:
        """The header by which it lets in, as it asks for one: the credential itself, or a token for it."""
        way, _, rest = challenge.partition(" ")
        if way.lower() == "bearer":
            return {"Authorization": f"Bearer {self._token(dict(_PAIR.findall(rest)))}"}
        if self._key is None or way.lower() != "basic":
            raise self._closed()
        return {"Authorization": self._key.header}

    def _token(self, asked: Mapping[str, str]) -> str:
        scope = f"repository:{self._name.repository}:pull"
        query = {name: value for name, value in (("service", asked.get("service", "")), ("scope", scope)) if value}
        realm = urljoin(self._base, asked.get("realm", ""))
        known = {"Authorization": self._key.header} if self._key else {}
        answer = self._asked(f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}", known)
        with answer:
            if answer.status in (400, 401, 403):
                raise self._closed()
            if answer.status != 200:
                raise self._refused(answer)
            with suppress(ValueError, AttributeError):
                told = json.loads(answer.read(DOCUMENT_MAX, decode_content=False))
                token = told.get("token") or told.get("access_token")
                if isinstance(token, str) and token.isprintable():
                    return token
        raise Unavailable(f"{self._name.registry} gives no token that can be read.", field=FIELD)

    def _heed(self) -> None:
        """Whoever waits may give up; nobody waits for ever."""
        self._told()
        if time.monotonic() > self._until:
            raise Unavailable(f"Fetching {self._name} took longer than two hours.", field=FIELD)

    def _refused(self, answer: urllib3.BaseHTTPResponse) -> MledError:
        if answer.status in (401, 403):
            return self._closed()
        if answer.status == 404:
            hint = "Is it named as `docker pull` takes it? Some registries say so of what one may not read."
            return Invalid(f"There is no image {self._name}.", hint=hint, field=FIELD)
        said = self._said(answer)
        return Unavailable(f"{self._name.registry} answers {answer.status}{said}.", hint="Try it again.", field=FIELD)

    def _said(self, answer: urllib3.BaseHTTPResponse) -> str:
        with suppress(ValueError, KeyError, IndexError, TypeError, urllib3.exceptions.HTTPError, OSError):
            content = answer.read(64 * 1024, decode_content=False)
            is_plain = answer.headers.get("Content-Type", "").startswith("text/plain")  # such as of our own way out
            words = content.decode() if is_plain else str(json.loads(content)["errors"][0]["message"])
            shown = self._key.hidden(words) if self._key else words
            return f": {' '.join(shown.split())[:200].rstrip('.')}"
        return ""

    def _closed(self) -> MledError:
        if self._key is None:
            hint = "Name a secret of the project that holds user:password for it."
        else:
            hint = f"Does the secret '{self._key.name}' hold user:password for it, and may that user read it?"
        return Unavailable(f"{self._name.registry} does not give {self._name} to us.", hint=hint, field=FIELD)

    def _other_bytes(self, digest: str) -> MledError:
        words = f"{self._name.registry} gave other bytes than {digest[:19]}… says, a part of {self._name}."
        return Invalid(words, hint="Nothing of it is used. Tell who keeps the registry.", field=FIELD)

    def _broken(self, error: Exception) -> MledError:
        words = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        shown = self._key.hidden(words) if self._key else words
        hint = "The worker reaches public registries by https, and those that MLED_IMAGE_REGISTRIES names."
        return Unavailable(f"{self._name.registry} cannot be reached: {shown}.", hint=hint, field=FIELD)


@contextmanager
def reached(name: ImageName, key: RegistryKey | None, told: Told) -> Iterator[Registry]:
    """The registry of an image, by a way out of the worker's own."""
    networks = [*settings.MLED_JOB_NETWORKS, *(_addresses(name.registry) if is_operators(name.registry) else [])]
    outlet = Outlet(networks, 0, has_port=True)
    pool = urllib3.ProxyManager(outlet.variables["https_proxy"], num_pools=8, maxsize=1)
    try:
        yield Registry(name, key, pool, told)
    finally:
        pool.clear()
        outlet.close()


def _addresses(registry: str) -> list[str]:
    """Where a registry that the operator named lies, which may be a closed network."""
    parts = urlsplit(base_of(registry))
    with suppress(OSError):
        rows = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
        return sorted({str(row[4][0]).partition("%")[0] for row in rows})
    return []


def _site(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    with suppress(ValueError):
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return "", None, None


def manifest_of(content: bytes, name: ImageName) -> dict[str, Any]:
    """A manifest as it was read. Raises Invalid."""
    with suppress(ValueError, RecursionError):
        found = json.loads(content)
        if isinstance(found, dict):
            return found
    raise Invalid(f"What describes {name} cannot be read.", field=FIELD)
