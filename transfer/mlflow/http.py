"""Asking an MLflow server: JSON in, JSON out, bytes of files; redirects are not followed, and secrets not told."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

import urllib3
from urllib3.exceptions import HTTPError

from artifacts.storage import Incoming, UploadBroken
from kernel.errors import NotFound
from transfer.mlflow.records import NotReadable, SourceBroken

_ANSWER_MAX: Final = 256 * 1024**2
_TRIES: Final = urllib3.Retry(
    total=5,
    redirect=0,
    backoff_factor=0.4,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
    raise_on_redirect=False,
    respect_retry_after_header=False,
)


def without_secrets(address: str) -> str:
    """An address as it may be shown and stored: without user and password, query and fragment."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    named = f"[{host}]" if ":" in host else host
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return urlunsplit((parts.scheme, named + port, parts.path.rstrip("/"), "", ""))


class Speaking:
    """A connection to one server. address: with user and password, or a token beside it, where it asks for any."""

    def __init__(self, address: str, *, token: str = "") -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotReadable("This is no address of a server.", hint="It looks like https://mlflow.example.org.")
        self.address = without_secrets(address)
        self._headers = {"User-Agent": "MLED import", "Accept-Encoding": "gzip"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        elif parts.username:
            self._headers |= urllib3.make_headers(
                basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            )
        timeout = urllib3.Timeout(connect=10, read=120)
        self._pool = urllib3.PoolManager(maxsize=8, block=True, timeout=timeout, retries=_TRIES)

    def ask(self, path: str, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON of an answer; with a body it is a POST. Raises NotFound, NotReadable, SourceBroken."""
        url = f"{self.address}{path}" + (f"?{urlencode(query)}" if query else "")
        kind = {"Content-Type": "application/json"} if body is not None else {}
        try:
            answer = self._pool.request(
                "GET" if body is None else "POST",
                url,
                headers={**self._headers, **kind},
                body=None if body is None else json.dumps(body).encode(),
                preload_content=False,
                redirect=False,
            )
            try:
                content = answer.read(_ANSWER_MAX + 1)
            finally:
                answer.release_conn()
        except (HTTPError, OSError) as error:
            raise self._silent(error) from None
        self._refuse(answer, content)
        try:
            return json.loads(content)
        except ValueError:
            raise NotReadable(
                f"{self.address} answers, but not as an MLflow server does.", hint="Is the address complete?"
            ) from None

    def _silent(self, error: Exception) -> SourceBroken:
        why = "in time" if "timed out" in str(error).lower() else "at all"
        return SourceBroken(f"{self.address} does not answer {why}.", hint="Is the server running, and reachable?")

    def _refuse(self, answer: Any, content: bytes) -> None:
        status = answer.status
        if len(content) > _ANSWER_MAX:
            raise NotReadable(f"{self.address} answers with more than can be meant.")
        if 300 <= status < 400:
            raise NotReadable(
                f"{self.address} leads elsewhere (status {status}), and redirects are not followed.",
                hint="Give the address that it leads to.",
            )
        if status in (401, 403):
            raise NotReadable(
                f"{self.address} refuses (status {status}).", hint="Give it a user and password, or a token, that may."
            )
        if status == 404:
            raise NotFound(f"{self.address} does not have this.")
        if status >= 500 or status == 429:
            raise SourceBroken(f"{self.address} fails (status {status}).", hint="See its log, then try again.")
        if status >= 400:
            raise NotReadable(f"{self.address} objects (status {status}): {_words(content)}")

    @contextmanager
    def fetch(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[Incoming]:
        """The bytes of an answer. Raises what `ask` does; UploadBroken while they are read."""
        url = f"{self.address}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {**self._headers, "Accept-Encoding": "identity"}
        try:
            answer = self._pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        except (HTTPError, OSError) as error:
            raise self._silent(error) from None
        try:
            self._refuse(answer, answer.read(2000) if answer.status >= 300 else b"")
            yield _Arriving(answer)
        finally:
            answer.close()

    def close(self) -> None:
        self._pool.clear()


class _Arriving:
    """The body of an answer; one that ends before its announced end is no file."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def read(self, size: int, /) -> bytes:
        try:
            data: bytes = self._answer.read(size)
        except (HTTPError, OSError):
            raise UploadBroken("The source broke off in the middle of a file.", hint="Try again.") from None
        return data


def _words(content: bytes) -> str:
    try:
        said = json.loads(content)
        return str(said.get("message", ""))[:300] if isinstance(said, dict) else ""
    except ValueError:
        return ""


def path_of(name: str) -> str:
    """A path of a file as part of an address."""
    return quote(name, safe="/")
