"""One message to one address: https, the name checked, to the address that was looked up, no redirects, 5 s in all."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from kernel.errors import Invalid
from registry.webhooks.addresses import Place, Unreachable, address_of, parsed_url

SECONDS = 5.0
BODY_READ = 2048  # of an answer; more is nobody's business here
ERROR_MAX = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. status None: nothing did, and error says why."""

    status: int | None
    error: str = ""

    @property
    def is_good(self) -> bool:
        """Whether the message arrived."""
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS) -> Answer:
    """Send it, and wait for an answer at most that long in all. Never raises for what the other side does."""
    until = time.monotonic() + seconds
    try:
        place = parsed_url(url)
        connection = _Pinned(place, address_of(place, seconds=seconds), until)
    except (Invalid, Unreachable, OSError) as error:  # OSError: MLED_WEBHOOK_CA cannot be read
        return Answer(None, str(error)[:ERROR_MAX])
    watch = threading.Timer(max(0.0, until - time.monotonic()), connection.cut)
    watch.daemon = True
    watch.start()
    try:
        connection.request("POST", place.target, body=body, headers=dict(headers))
        return _read(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(None, _why(error, late=time.monotonic() >= until, seconds=seconds))
    finally:
        watch.cancel()
        connection.close()


def _read(answer: http.client.HTTPResponse) -> Answer:
    told = answer.read(BODY_READ).decode("utf-8", "replace").replace("\x00", "")
    if 200 <= answer.status < 300:
        return Answer(answer.status)
    if 300 <= answer.status < 400:
        return Answer(answer.status, f"Answered {answer.status}; redirects are not followed.")
    return Answer(answer.status, f"Answered {answer.status}. {told}".strip()[:ERROR_MAX])


def _why(error: Exception, *, late: bool, seconds: float) -> str:
    if late or isinstance(error, TimeoutError):
        return f"No answer within {seconds:g} seconds."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate is not good: {error.verify_message}."[:ERROR_MAX]
    if isinstance(error, ConnectionRefusedError):
        return "Nothing listens at that address: the connection was refused. Check it, and that its server runs."
    return f"{type(error).__name__}: {error}"[:ERROR_MAX]


class _Pinned(http.client.HTTPSConnection):
    """Connects to one address, and shows and checks the name."""

    def __init__(self, place: Place, address: str, until: float) -> None:
        super().__init__(place.host, place.port, timeout=SECONDS, context=_context())
        self._address, self._until = address, until
        self._raw: socket.socket | None = None

    def connect(self) -> None:
        """Open the connection within the time that is left."""
        plain = socket.socket(socket.AF_INET6 if ":" in self._address else socket.AF_INET, socket.SOCK_STREAM)
        self._raw = plain  # from here on `cut` and `close` find it, whatever fails
        plain.settimeout(max(0.01, self._until - time.monotonic()))
        plain.connect((self._address, self.port))
        context: ssl.SSLContext = self._context  # type: ignore[attr-defined]  # http.client's own name for it
        self.sock: Any = context.wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        self._raw = self.sock
        self.sock.do_handshake()

    def close(self) -> None:
        """Close it, also where it was never opened in full."""
        super().close()
        if self._raw is not None:
            self._raw.close()

    def cut(self) -> None:
        """End it from another thread: whoever waits on it gets an error at once."""
        if self._raw is not None:
            try:
                socket.socket.shutdown(self._raw, socket.SHUT_RDWR)
            except OSError:
                return  # closed already


def _context() -> ssl.SSLContext:
    """The system's authorities, and with MLED_WEBHOOK_CA those of a closed network."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.MLED_WEBHOOK_CA:
        context.load_verify_locations(cafile=settings.MLED_WEBHOOK_CA)
    return context
