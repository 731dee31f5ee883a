"""Calls of the REST API: retried where that is safe, refused in words, and never with a token in the clear."""

from __future__ import annotations

import email.utils
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from mled.places import Place, is_loopback
from mled.problems import Away, NotSignedIn, Problem, Usage, kind_of
from mled.version import __version__

API: Final = "/api/v1/"
ATTEMPTS: Final = 4
WAIT_MAX: Final = 60.0  # seconds; who is asked to wait longer is told so
AGAIN: Final = frozenset({429, 502, 503, 504})
_REPEATABLE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_TIMEOUT: Final = httpx.Timeout(120.0, connect=15.0)

Params = Mapping[str, str | int | Sequence[str]]


class Connection:
    """A connection to one server. Paths are those below /api/v1/."""

    def __init__(
        self,
        place: Place,
        *,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
        told: Callable[[str], None] | None = None,
    ) -> None:
        self.place = place
        self._wait = wait
        self._told = told or (lambda words: None)
        _refuse_clear_text(place)
        headers = {"Accept": "application/json", "User-Agent": f"mled/{__version__}"}
        if place.token:
            headers["Authorization"] = f"Bearer {_plain(place.token)}"
        self._http = httpx.Client(headers=headers, timeout=_TIMEOUT, transport=transport)

    def close(self) -> None:
        """Let go of its sockets."""
        self._http.close()

    def get(self, path: str, params: Params | None = None) -> Any:
        """What lies there, as JSON."""
        return self.send("GET", path, params=params).json()

    def post(self, path: str, json: Any = None, *, key: str = "") -> Any:
        """Make or do something. key: the Idempotency-Key; one of its own unless given, so that a repeat is safe."""
        return _json(self.send("POST", path, json=json, headers={"Idempotency-Key": key or uuid.uuid4().hex}))

    def patch(self, path: str, json: Any, *, etag: str = "") -> Any:
        """Change something, if it still is what `etag` names."""
        return _json(self.send("PATCH", path, json=json, headers={"If-Match": etag} if etag else {}))

    def put(self, path: str, json: Any = None, *, etag: str = "") -> Any:
        """Say how something shall be."""
        return _json(self.send("PUT", path, json=json, headers={"If-Match": etag} if etag else {}))

    def delete(self, path: str, json: Any = None) -> Any:
        """Take something away."""
        return _json(self.send("DELETE", path, json=json))

    def pages(self, path: str, params: Params | None = None) -> Iterator[dict[str, Any]]:
        """All rows of a list, page after page."""
        page = self.get(path, params)
        while True:
            yield from page["results"]
            if not page.get("next"):
                return
            page = self.get(self._below(page["next"]))

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One call. Raises Problem."""
        request = self._http.build_request(
            method, self._url(path), params=params, json=json, content=content, headers=headers
        )
        answer = self._answered(request)
        if answer.is_success:
            return answer
        raise self._problem(answer)

    @contextmanager
    def stream(
        self, path: str, params: Params | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """A long answer, read while it comes."""
        request = self._http.build_request("GET", self._url(path), params=params, headers=headers)
        answer = self._answered(request, stream=True)
        try:
            if not answer.is_success:
                answer.read()
                raise self._problem(answer)
            yield answer
        except httpx.TransportError as error:
            raise self._away(error) from None
        finally:
            answer.close()

    def probe(self, address: str) -> httpx.Response:
        """One answer from anywhere on this server, without a token and without patience. Raises httpx errors."""
        with httpx.Client(timeout=10.0) as plain:
            return plain.get(self.place.url + address)

    def _url(self, path: str) -> str:
        return self.place.url + API + path.lstrip("/")

    def _below(self, following: str) -> str:
        """The path below the API of an address that the server gave: only that, whichever host it names."""
        parts = urlsplit(following)
        path = parts.path.partition(API)[2]
        return f"{path}?{parts.query}" if parts.query else path

    def _answered(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        safe = request.method in _REPEATABLE or "Idempotency-Key" in request.headers
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                answer = self._http.send(request, stream=stream)
            except httpx.TransportError as error:
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if last or not (safe or unsent) or isinstance(error, httpx.UnsupportedProtocol):
                    raise self._away(error) from None
                self._pause(_backoff(attempt), "does not answer")
                continue
            if last or not _asks_to_come_back(answer) or not (safe or answer.status_code in (429, 503)):
                return answer
            seconds = _retry_after(answer, _backoff(attempt))
            if seconds > WAIT_MAX:
                return answer
            answer.close()
            self._pause(seconds, "is busy" if answer.status_code in (429, 503) else "is away")
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, seconds: float, why: str) -> None:
        self._told(f"{self.place.url} {why}; trying again in {seconds:.0f} s" if seconds >= 1 else "")
        self._wait(seconds)

    def _problem(self, answer: httpx.Response) -> Problem:
        if not answer.is_closed:
            answer.read()
        body = _body(answer)
        if answer.is_redirect:
            return Problem(
                f"{self.place.url} leads on to {answer.headers.get('location', 'another address')[:200]}.",
                hint="Use the address that it leads to: `mled login <address>`.",
                status=answer.status_code,
            )
        hint = str(body.get("hint") or body.get("detail") or "")
        if answer.status_code == 401:
            hint = self.how_to_sign_in()
        if answer.status_code == 429 and "retry-after" in answer.headers:
            hint = f"Try again in {_retry_after(answer, 0):.0f} s."
        return kind_of(answer.status_code)(
            str(body.get("title") or _unexpected(answer)),
            hint=hint,
            field=str(body.get("field") or ""),
            code=str(body.get("code") or ""),
            status=answer.status_code,
            request_id=str(body.get("request_id") or answer.headers.get("x-request-id", "")),
            problems=body.get("problems") or (),
            body=body,
        )

    def how_to_sign_in(self) -> str:
        """Where a token is made, and what is done with it."""
        made = f"Make one at {self.place.url}/me/tokens/"
        if self.place.token_from == "MLED_TOKEN":  # noqa: S105  # the name of a variable
            return f"{made} and put it into MLED_TOKEN."
        return f"{made}, then run `mled login {self.place.url}`."

    def _away(self, error: httpx.TransportError) -> Problem:
        where, words = self.place.url, str(error) or type(error).__name__
        if isinstance(error, httpx.UnsupportedProtocol | httpx.ProxyError):
            return Usage(f"{where} cannot be asked: {words}.", hint="Check the address and the proxy's variables.")
        if "CERTIFICATE_VERIFY_FAILED" in words:
            return Away(
                f"The certificate of {where} is not trusted: {words.partition('failed: ')[2] or words}.",
                hint="Name your own authority's certificate in SSL_CERT_FILE.",
            )
        if isinstance(error, httpx.TimeoutException):
            return Away(f"{where} did not answer in time.", hint="Try again; `mled doctor` looks closer.")
        return Away(
            f"{where} does not answer: {words}.", hint="Is it running, and is the address right? `mled doctor` looks."
        )


def _refuse_clear_text(place: Place) -> None:
    if (
        not place.token
        or place.parts.scheme != "http"
        or is_loopback(place.parts.hostname or "")
        or place.insecure_http
    ):
        return
    raise NotSignedIn(
        f"{place.url} is not encrypted: everybody on the way could read the token.",
        hint="Use https://; or say --insecure-http (MLED_INSECURE_HTTP=1) where you trust the network.",
    )


def _asks_to_come_back(answer: httpx.Response) -> bool:
    """Whether the same call may do better later; 409 with Retry-After: the same call is still under way."""
    return answer.status_code in AGAIN or (answer.status_code == 409 and "retry-after" in answer.headers)


def _plain(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise NotSignedIn("The token has signs that no token has.", hint="Copy it once more, whole.")
    return token


def _backoff(attempt: int) -> float:
    return min(8.0, 0.25 * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311  # spreads callers, guards nothing


def _retry_after(answer: httpx.Response, otherwise: float) -> float:
    said = str(answer.headers.get("retry-after", "")).strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        moment = email.utils.parsedate_to_datetime(said)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, TypeError, IndexError):
        return otherwise


def _body(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _unexpected(answer: httpx.Response) -> str:
    if answer.status_code in (502, 503, 504):
        return f"The server is away for the moment ({answer.status_code})."
    if answer.status_code >= 500:
        return f"The server made a mistake ({answer.status_code})."
    return f"The server answered {answer.status_code} {answer.reason_phrase}; is this an address of MLED?"


def _json(answer: httpx.Response) -> Any:
    return answer.json() if answer.content else None
