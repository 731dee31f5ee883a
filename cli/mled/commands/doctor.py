"""doctor: what stands between this machine and its server; and how the server itself is, for administrators."""

from __future__ import annotations

import datetime as dt
import email.utils
import os
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import click
import httpx

from mled.here import Here, command
from mled.places import Place, config_file, is_loopback, readable_by_others
from mled.printing import is_terminal
from mled.problems import NotAllowed, NotFound, NotSignedIn, Problem
from mled.version import __version__

OK, WARNING, FAILED = "ok", "warning", "failed"
CLOCK_S = 30
EXPIRES_SOON = dt.timedelta(days=7)


@dataclass(frozen=True)
class Finding:
    """What one look found. next: what to do where it is not ok."""

    level: str
    check: str
    what: str
    next: str = ""


@command("doctor")
@click.option("--local", is_flag=True, help="Only this side, not the server's own diagnosis.")
def doctor(here: Here, local: bool) -> None:
    """Look at everything between you and the server.

    Settings, address, TLS, token, clocks, versions.
    Administrators also get the server's own diagnosis. Ends with 1 where something failed.
    """
    findings = list(_findings(here))
    if not local and all(finding.level != FAILED for finding in findings):
        findings += _of_the_server(here)
    if here.show.as_json:
        here.show.json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            _print(here, finding)
    if any(finding.level == FAILED for finding in findings):
        click.get_current_context().exit(1)


def _print(here: Here, finding: Finding) -> None:
    if not is_terminal():
        here.show.line("\t".join((finding.level, finding.check, finding.what, finding.next)))
        return
    if here.show.quiet and finding.level == OK:
        return
    here.show.line(f"{finding.level:<8} {finding.check:<10} {finding.what}")
    if finding.next:
        here.show.line(f"{'':<19} → {finding.next}")


def _findings(here: Here) -> Iterator[Finding]:
    yield Finding(OK, "client", f"mled {__version__}")
    yield _settings()
    try:
        place = here.place
        here.connection  # noqa: B018  # refuses a token in the clear
    except Problem as problem:
        yield Finding(FAILED, "address", problem.message, problem.hint)
        return
    yield from _proxies(place)
    answer, finding = _reached(here, place)
    yield finding
    if answer is None:
        return
    yield _clock(answer)
    yield from _token(here)


def _settings() -> Finding:
    path = config_file()
    if not path.exists():
        return Finding(OK, "settings", f"none in {path}; the environment is all there is")
    if readable_by_others(path):
        return Finding(WARNING, "settings", f"{path} holds a token and others may read it", f"chmod 600 '{path}'")
    return Finding(OK, "settings", str(path))


def _proxies(place: Place) -> Iterator[Finding]:
    proxy = getproxies().get(place.parts.scheme) or getproxies().get("all")
    host = place.parts.hostname or ""
    if proxy and is_loopback(host) and host not in os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")):
        yield Finding(WARNING, "proxy", f"calls to {host} go by a proxy", f"Set NO_PROXY={host}.")
    elif proxy:
        shown = urlsplit(proxy if "://" in proxy else f"//{proxy}")
        yield Finding(OK, "proxy", f"{shown.hostname}:{shown.port or ''}".rstrip(":"))


def _reached(here: Here, place: Place) -> tuple[httpx.Response | None, Finding]:
    begun = time.monotonic()
    try:
        answer = here.connection.probe("/healthz")
        alive = answer.is_success and answer.json() == {"alive": True}
    except httpx.HTTPError as error:
        words = str(error) or type(error).__name__
        hint = "Is the server running, and is the address right?"
        if "CERTIFICATE" in words:
            hint = f"Name your authority's certificate in SSL_CERT_FILE (now {ssl.get_default_verify_paths().cafile})."
        return None, Finding(FAILED, "address", f"{place.url} does not answer: {words}", hint)
    except ValueError:
        alive = False
    if not alive:
        words = f"{place.url} answers {answer.status_code}, but not as MLED does"
        return None, Finding(FAILED, "address", words, "Check the address, and what stands before the server.")
    took_ms = (time.monotonic() - begun) * 1000
    if place.parts.scheme == "http" and not is_loopback(place.parts.hostname or ""):
        return answer, Finding(WARNING, "address", f"{place.url} answers, unencrypted", "Use https.")
    return answer, Finding(OK, "address", f"{place.url} answers in {took_ms:.0f} ms")


def _clock(answer: httpx.Response) -> Finding:
    try:
        there = email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return Finding(OK, "clock", "the server does not tell its time")
    off = time.time() - there
    if abs(off) > CLOCK_S:
        words = f"this machine is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the server"
        return Finding(WARNING, "clock", words, "Let both keep their time by NTP: times of runs come from here.")
    return Finding(OK, "clock", f"within {CLOCK_S} s of the server's")


def _token(here: Here) -> Iterator[Finding]:
    if not here.place.token:
        yield Finding(FAILED, "token", "there is none", here.connection.how_to_sign_in())
        return
    try:
        me = here.connection.get("me/")
    except Problem as problem:
        kind = "token" if isinstance(problem, NotSignedIn) else "account"
        yield Finding(FAILED, kind, problem.message, problem.hint)
        return
    token = me.get("token") or {}
    yield Finding(OK, "account", f"{me['name']} <{me['email']}>, {_projects(len(me['projects']))}")
    yield _expiry(here, token)
    yield from _project(here, [one["slug"] for one in me["projects"]])


def _projects(number: int) -> str:
    return "1 project" if number == 1 else f"{number} projects"


def _expiry(here: Here, token: dict[str, Any]) -> Finding:
    words = f"'{token.get('name', '')}' from {here.place.token_from}, for {', '.join(token.get('scopes') or [])}"
    if not token.get("expires_at"):
        return Finding(OK, "token", words)
    ends = dt.datetime.fromisoformat(token["expires_at"].replace("Z", "+00:00"))
    left = ends - dt.datetime.now(dt.timezone.utc)
    words += f", until {ends:%Y-%m-%d}"
    if left < EXPIRES_SOON:
        days = max(0, left.days)
        return Finding(WARNING, "token", f"{words}: {days} days left", here.connection.how_to_sign_in())
    return Finding(OK, "token", words)


def _project(here: Here, known: list[str]) -> Iterator[Finding]:
    slug = here.place.project
    if slug and slug not in known:
        yield Finding(FAILED, "project", f"there is no '{slug}' for you", f"Yours: {', '.join(known) or 'none'}.")
    elif slug:
        yield Finding(OK, "project", slug)


def _of_the_server(here: Here) -> Iterator[Finding]:
    try:
        found = here.connection.get("diagnostics/")
    except (NotAllowed, NotFound):
        yield Finding(OK, "server", "its own diagnosis is for administrators")
        return
    except Problem as problem:
        yield Finding(FAILED, "server", problem.message, problem.hint)
        return
    yield _versions(str(found.get("version", "")))
    for check in found["checks"]:
        for one in check["problems"]:
            yield Finding(one["level"], check["name"], one["what"], one["next"])
        if not check["problems"]:
            figures = ", ".join(f"{figure['name']} {figure['value']}" for figure in check["figures"][:4])
            yield Finding(OK, check["name"], figures or check["title"])


def _versions(there: str) -> Finding:
    if there.split(".")[:2] != __version__.split(".")[:2]:
        words = f"the server is MLED {there}, this is mled {__version__}"
        return Finding(WARNING, "versions", words, f"pip install 'mled=={there}'")
    return Finding(OK, "versions", f"the server is MLED {there}")
