"""Speaking with a server of Git LFS: asked in batches which objects lie where, which are then fetched and verified.

Its answers name addresses, anywhere. Who makes a server's answers must not send a worker around in closed networks, so
all goes by a way out that reaches the server of the repository, public addresses and networks that jobs may reach. The
credential of a repository goes to its own server alone, and what a server wants said to one place is said to no other.
"""

import hashlib
import json
import os
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import urllib3
from django.conf import settings
from urllib3.exceptions import HTTPError

from kernel.errors import Unavailable
from runner.executors.outlet import Outlet
from runner.working.git_asking import Told
from runner.working.git_keys import GitKey, site_of

BATCH: Final = 100  # objects, as git-lfs asks for
AT_ONCE: Final = 4  # downloads
SECONDS: Final = 2 * 3600.0
TRIES: Final = 3
REDIRECTS: Final = 5
ADDRESS_MAX: Final = 8000
ANSWER_MAX: Final = 4 * 1024**2
HEADERS_MAX: Final = 32
_KIND: Final = "application/vnd.git-lfs+json"
_PIECE: Final = 1024 * 1024
_LOOK: Final = 0.25  # seconds
_ELSEWHERE: Final = (301, 302, 307, 308)
_PASSING: Final = (408, 429, 500, 502, 503, 504)
_ITS_OWN: Final = {"host", "content-length", "connection", "transfer-encoding", "proxy-authorization"}
_QUIET: Final = urllib3.Timeout(connect=30, read=60)


class Refusing(Exception):
    """It does not give this; the message says why. digests: of those concerned, none for all; is_closed: it wants to
    know who asks; is_passing: it may do so later."""

    def __init__(
        self, why: str, *, digests: Sequence[str] = (), is_closed: bool = False, is_passing: bool = False
    ) -> None:
        super().__init__(why)
        self.digests, self.is_closed, self.is_passing = frozenset(digests), is_closed, is_passing


def checked_place(address: str) -> str:
    """An address that may be asked, by the ways that workers go. Raises Refusing, without the address."""
    if len(address) > ADDRESS_MAX or not address.isascii() or not address.isprintable() or " " in address:
        raise Refusing("It is no address.")
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise Refusing("It is no address.") from None
    ways = [way for way in settings.MLED_GIT_WAYS if way in ("https", "http")]
    if parts.scheme not in ways:
        raise Refusing(f"Files of Git LFS are fetched over {' or '.join(ways) or 'no way that is allowed here'}.")
    if not host or "@" in parts.netloc:
        raise Refusing("An address has a host, and neither user nor password.")
    return address


class LfsServer:
    """Asked by the address of its door. own: the server of the repository, to which alone its credential goes; key:
    that; otherwise: gives another one where it is asked for and there is none."""

    def __init__(
        self, address: str, *, own: str, key: GitKey | None, otherwise: Callable[[], GitKey | None], told: Told
    ) -> None:
        self._address, self._own, self._key, self._otherwise, self._told = address, own, key, otherwise, told
        self._until = time.monotonic() + SECONDS
        self._given_up = threading.Event()
        self._come = 0

    def fetch(self, wanted: Mapping[str, int], folder: Path) -> None:
        """Put these objects, sizes by digest, into the folder under their digests. Raises Refusing, Unavailable."""
        digests = sorted(wanted)
        whole = sum(wanted.values())
        with closing(Outlet(settings.MLED_JOB_NETWORKS, 0, has_port=True, servers=_servers(self._own))) as outlet:
            self._pool = urllib3.ProxyManager(
                outlet.address, maxsize=AT_ONCE, block=True, timeout=_QUIET, retries=False, ssl_context=_trusted()
            )
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="lfs") as threads:
                try:
                    for start in range(0, len(digests), BATCH):
                        some = {digest: wanted[digest] for digest in digests[start : start + BATCH]}
                        [places] = self._waited([threads.submit(self._again, self._places, some)], whole)
                        self._waited([threads.submit(self._again, self._load, *one, folder) for one in places], whole)
                except BaseException:
                    self._given_up.set()
                    outlet.close()  # whoever waits for bytes waits no more
                    raise

    def _waited(self, under_way: "list[Future[Any]]", whole: int) -> list[Any]:
        """What they gave. Raises what one of them raised, and what the telling raises."""
        open_ones = set(under_way)
        while open_ones:
            done, open_ones = wait(open_ones, _LOOK)
            self._told(f"Fetching files of Git LFS: {self._come / 1024**2:,.0f} of {whole / 1024**2:,.0f} MB")
            for one in done:
                one.result()
            if time.monotonic() > self._until:
                raise Refusing(f"It took longer than {SECONDS / 3600:.0f} hours.")
        return [one.result() for one in under_way]

    def _again(self, do: Callable[..., Any], *words: Any) -> Any:
        """A few times, where it may work the next time."""
        for left in reversed(range(TRIES)):
            try:
                return do(*words)
            except Refusing as error:
                if not left or not error.is_passing or self._given_up.wait(0.5 * (TRIES - left)):
                    raise
        return None

    def _places(self, wanted: Mapping[str, int]) -> list[tuple[str, int, str, dict[str, str]]]:
        """Digest, size, address and headers of each. Raises Refusing."""
        objects = [{"oid": digest, "size": size} for digest, size in wanted.items()]
        asked = {"operation": "download", "transfers": ["basic"], "objects": objects, "hash_algo": "sha256"}
        body, kinds = json.dumps(asked).encode(), {"Accept": _KIND, "Content-Type": _KIND}
        try:
            said = self._batch(body, kinds)
        except Refusing as error:
            if self._key is not None or not error.is_closed:
                raise
            self._key = self._otherwise()
            if self._key is None:
                raise
            said = self._batch(body, kinds)
        return _read(said, wanted)

    def _batch(self, body: bytes, headers: Mapping[str, str]) -> Any:
        with self._answer("POST", f"{self._address}/objects/batch", headers, {}, body) as answer:
            try:
                content = answer.read(ANSWER_MAX + 1)
            except (HTTPError, OSError):
                raise Refusing("The connection broke off.", is_passing=True) from None
        try:
            if len(content) > ANSWER_MAX:
                raise ValueError
            return json.loads(content)
        except (ValueError, RecursionError):
            raise Refusing("It answers, but not as a server of Git LFS does.") from None

    def _load(self, digest: str, size: int, address: str, headers: Mapping[str, str], folder: Path) -> None:
        """One object into its place, once it is what it should be. Raises Refusing, Unavailable."""
        aside = folder / f"{digest}.{secrets.token_hex(4)}"
        hashed, left = hashlib.sha256(), size
        try:
            with self._answer("GET", address, {}, headers) as answer, aside.open("xb") as target:
                while piece := answer.read(min(_PIECE, left + 1), decode_content=False):
                    left -= len(piece)
                    if left < 0 or self._given_up.is_set():
                        break
                    hashed.update(piece)
                    target.write(piece)
                    self._come += len(piece)
            if left or hashed.hexdigest() != digest:
                words = "It gave other bytes than the pointer names by size and SHA-256."
                raise Refusing(words, digests=[digest], is_passing=left > 0)
            aside.replace(folder / digest)
        except Refusing as error:
            self._come -= size - max(0, left)  # it is counted anew
            error.digests = frozenset([digest])
            raise
        except (HTTPError, OSError) as error:
            if isinstance(error, OSError) and error.errno:
                raise Unavailable(f"The worker cannot keep the files of Git LFS: {error.strerror}.") from error
            raise Refusing("The connection broke off.", digests=[digest], is_passing=True) from None
        finally:
            aside.unlink(missing_ok=True)

    @contextmanager
    def _answer(
        self, method: str, address: str, headers: Mapping[str, str], own: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[Any]:
        """A good answer, wherever it is found. own: headers for the server of this address alone. Raises Refusing."""
        meant_for = site_of(address)
        for _ in range(REDIRECTS + 1):
            site = site_of(checked_place(address))
            sent = {"User-Agent": "MLED", "Accept-Encoding": "identity", **self._credential(site), **headers}
            if site == meant_for:
                sent = {**{name: value for name, value in sent.items() if name.lower() not in _named(own)}, **own}
            answer = self._asked(method, address, sent, body)
            try:
                if answer.status not in _ELSEWHERE:
                    self._refuse(answer)
                    yield answer
                    return
                address = urljoin(address, answer.headers.get("Location", ""))
            finally:
                answer.close()
        raise Refusing("It leads from one address to the next.")

    def _asked(self, method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Any:
        try:
            return self._pool.request(
                method, address, headers=dict(headers), body=body, preload_content=False, redirect=False
            )
        except (HTTPError, OSError) as error:
            raise Refusing(f"It cannot be reached: {_why(error)}", is_passing=True) from None

    def _credential(self, site: str) -> dict[str, str]:
        if self._key is None or site != self._own:
            return {}
        return {"Authorization": self._key.header}

    def _refuse(self, answer: Any) -> None:
        if 200 <= answer.status < 300:
            return
        try:
            said = _words(answer.read(2000))
        except (HTTPError, OSError):
            said = ""
        shown = self._key.hidden(said) if self._key else said
        words = f"It answers {answer.status}{f': {shown}' if shown else '.'}"
        raise Refusing(words, is_closed=answer.status in (401, 403), is_passing=answer.status in _PASSING)


def _read(said: Any, wanted: Mapping[str, int]) -> list[tuple[str, int, str, dict[str, str]]]:
    """What an answer to a batch says of each. Raises Refusing for what it has not, and for what is no such answer."""
    objects = said.get("objects") if isinstance(said, dict) else None
    if not isinstance(objects, list):
        raise Refusing("It answers, but not as a server of Git LFS does.")
    found, why = dict[str, tuple[str, dict[str, str]]](), ""
    for one in objects:
        digest = one.get("oid") if isinstance(one, dict) else None
        if not isinstance(digest, str) or digest not in wanted:
            continue
        error, actions = one.get("error"), one.get("actions")
        if isinstance(error, dict):
            why = why or f"It says: {' '.join(str(error.get('message', '')).split())[:200]}"
        download = actions.get("download") if isinstance(actions, dict) else None
        if isinstance(download, dict) and isinstance(download.get("href"), str):
            found[digest] = download["href"], _headers(download.get("header"))
    if missing := sorted(wanted.keys() - found.keys()):
        raise Refusing(why or "It does not have it.", digests=missing)
    return [(digest, size, *found[digest]) for digest, size in wanted.items()]


def _headers(said: Any) -> dict[str, str]:
    """Those that a server wants sent, as far as they are headers that another may choose."""
    chosen = list(said.items())[:HEADERS_MAX] if isinstance(said, dict) else []
    return {
        name: value
        for name, value in chosen
        if isinstance(value, str)
        and name.replace("-", "").replace("_", "").isalnum()
        and (name + value).isascii()
        and value.isprintable()
        and name.lower() not in _ITS_OWN
    }


def _named(headers: Mapping[str, str]) -> set[str]:
    return {name.lower() for name in headers}


def _servers(site: str) -> list[tuple[str, int]]:
    """Host and port of a site of the web."""
    parts = urlsplit(site)
    ports = {"https": 443, "http": 80}
    return [(parts.hostname or "", parts.port or ports[parts.scheme])] if parts.scheme in ports else []


def _trusted() -> ssl.SSLContext:
    """The authorities of the system, and those that git was given."""
    context = ssl.create_default_context()
    if more := os.environ.get("GIT_SSL_CAINFO"):
        context.load_verify_locations(more)
    return context


def _why(error: Exception) -> str:
    """In the words of the way out, where it refused."""
    said = str(error)
    _, refused, words = said.partition("Tunnel connection failed: ")
    if refused:
        return words.partition(" ")[2].rstrip("')")[:300]
    if "timed out" in said.lower():
        return "it does not answer in time."
    return f"{said.rpartition('>: ')[2][:300]}"


def _words(content: bytes) -> str:
    text = content.decode("utf-8", "replace")
    try:
        said = json.loads(text)
        text = str(said.get("message", "")) if isinstance(said, dict) else ""
    except ValueError:
        text = "" if "<" in text else text
    return " ".join(text.split())[:300]
