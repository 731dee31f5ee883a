"""Where a webhook may lead: https, to a host whose every address is a public one.

The name is looked up once and the connection goes to the address that was checked, so that a name that answers
differently the second time leads nowhere else. Closed networks are opened by MLED_WEBHOOK_ALLOW_NETWORKS.
"""

import ipaddress
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from kernel.errors import Invalid

URL_MAX = 1000
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Beyond what Python calls not global: ways to carry one address inside another, and what is no longer in use.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.88.99.0/24", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10",
    )
)  # fmt: skip


class Unreachable(Exception):
    """The host cannot be found, or must not be called; the message says which."""


@dataclass(frozen=True, slots=True)
class Place:
    """A parsed webhook URL. target: path and query, as they stand on the request line."""

    host: str
    port: int
    target: str


def parsed_url(url: str) -> Place:
    """The parts of a webhook's URL. Raises Invalid for what no webhook may have, a private address among it."""
    if len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise _wrong(f"It has at most {URL_MAX:,} printable ASCII characters and no spaces.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong("It cannot be read as a URL.") from None
    if parts.scheme != "https":
        raise _wrong("Only https:// is called.")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise _wrong("Leave out user and password; the signature proves who calls.")
    if parts.fragment:
        raise _wrong("Leave out the part after '#'.")
    if not host or port == 0:
        raise _wrong("It names no host.")
    literal = _literal(host)
    if literal is not None and not is_allowed(literal):
        raise _wrong(f"{host} is not a public address.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(host, port or 443, target)


def _wrong(why: str) -> Invalid:
    return Invalid(
        f"This address cannot be a webhook's. {why}", hint="For example https://ci.example.org/mled", field="url"
    )


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def is_allowed(address: Address, opened: Sequence[str] | None = None) -> bool:
    """Whether an address may be called: a public one, or one in a network that this installation opens.

    opened: those networks, where it is not about webhooks.
    """
    plain = _unwrapped(address)
    if is_opened(plain, settings.MLED_WEBHOOK_ALLOW_NETWORKS if opened is None else opened):
        return True
    if plain.is_multicast or plain.is_reserved or plain.is_unspecified or not plain.is_global:
        return False
    return not any(plain.version == network.version and plain in network for network in _NEVER)


def _unwrapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_opened(address: Address, networks: Sequence[str]) -> bool:
    """Whether it lies in one of these."""
    found = [ipaddress.ip_network(text, strict=False) for text in networks]
    return any(address.version == network.version and address in network for network in found)


def address_of(place: Place, *, seconds: float, opened: Sequence[str] | None = None) -> str:
    """The address to connect to. Raises Unreachable, also where only one of several addresses is not allowed."""
    found = _looked_up(place, seconds)
    if not found:
        raise Unreachable(f"The name {place.host} leads nowhere.")
    for text in found:
        literal = _literal(text)
        if literal is None or not is_allowed(literal, opened):
            raise Unreachable(f"{place.host} leads to {text}, which is not a public address.")
    return found[0]


def _looked_up(place: Place, seconds: float) -> list[str]:
    """All addresses of the host, in the order of the system. A look-up cannot be stopped, so it has its own thread."""
    found: list[str] = []
    failed: list[str] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            failed.append(str(error))
        else:
            found.extend(dict.fromkeys(str(row[4][0]) for row in rows))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Unreachable(f"The name {place.host} was not found in time.")
    if failed:
        raise Unreachable(f"The name {place.host} cannot be found: {failed[0][:100]}.")
    return found
