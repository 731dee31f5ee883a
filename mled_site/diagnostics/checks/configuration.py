"""Settings: do they fit the address that people use, and do they keep what they should keep safe."""

from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection
from django.http.request import validate_host

from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mled_site.diagnostics.words import said, size
from mled_site.environment import unknown_settings

LEAST_MEMORY = 512 * 1024**2
MAIL_SECONDS = 4
LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "testserver"})


@check("configuration", "Settings", seconds=8)
def configuration(notes: Notes) -> None:
    """Whether the settings fit the address that people use, keep cookies safe, and mails go out."""
    notes.figure("MLED_URL", settings.MLED_URL or "not set")
    notes.figure("MLED_ALLOWED_HOSTS", ", ".join(settings.ALLOWED_HOSTS))
    notes.figure("MLED_DATA", settings.MLED_DATA)
    if settings.DEBUG:
        notes.fail(
            "configuration.debug",
            "MLED_DEBUG is on: errors show code and settings to whoever meets them.",
            "Leave MLED_DEBUG out and start MLED again.",
        )
    _address(notes)
    _request(notes)
    _mail(notes)
    _memory(notes)
    for name, nearest in unknown_settings():
        meant = f" Did you mean {nearest}?" if nearest else ""
        notes.warn(
            "configuration.unknown",
            f"{name} is set, and MLED knows no such setting: it does nothing.{meant}",
            "Correct or remove it; .env.example lists every setting.",
        )


def _address(notes: Notes) -> None:
    host = urlsplit(settings.MLED_URL).hostname or ""
    if "*" in settings.ALLOWED_HOSTS:
        notes.warn(
            "configuration.any_host",
            "MLED_ALLOWED_HOSTS allows every host name: links in mails can be made to lead elsewhere.",
            "Name the hosts that people use.",
        )
    elif settings.MLED_URL and not validate_host(host, settings.ALLOWED_HOSTS):
        notes.fail(
            "configuration.host",
            f"MLED_URL leads to {host or 'no host'}, which MLED_ALLOWED_HOSTS does not name.",
            f"Add {host or 'its host'} to MLED_ALLOWED_HOSTS.",
        )
    if settings.MLED_URL and not settings.MLED_HTTPS and host not in LOCAL:
        notes.warn(
            "configuration.no_https",
            f"{settings.MLED_URL} has no encryption: passwords and tokens can be read on the way.",
            "Put a proxy with a certificate before MLED, and set MLED_URL=https://…",
        )


def _request(notes: Notes) -> None:
    """What the request that asks tells: command lines have none."""
    asked = notes.asked
    if not asked.url:
        return
    notes.figure("This request came to", asked.url)
    here, host = settings.MLED_URL.rstrip("/"), urlsplit(asked.url).hostname or ""
    if here and here != asked.url:
        notes.warn(
            "configuration.url",
            f"You came by {asked.url}, but MLED_URL says {here}: links in mails and copied lines lead there.",
            "Set MLED_URL to the address that people use.",
        )
    elif not here and host not in LOCAL:
        notes.warn(
            "configuration.no_url",
            f"MLED_URL is not set, although people come by {asked.url}: cookies are not marked secure.",
            "Set MLED_URL to the address that people use, best with https://.",
        )
    if asked.forwarded == "https" and not settings.MLED_HTTPS:
        notes.warn(
            "configuration.proxy",
            "A proxy says that people come by https, but MLED_URL does not begin with https://.",
            "Set MLED_URL=https://…: cookies then become secure and browsers stay with https.",
        )


def _mail(notes: Notes) -> None:
    backend = settings.EMAIL_BACKEND.rsplit(".", 2)[-2]
    if backend != "smtp":
        notes.figure("Mail", f"{backend}: written to the log, none goes out" if backend == "console" else backend)
        if backend == "console":
            notes.warn(
                "configuration.no_mail",
                "No mail goes out: password resets and notices are only written to the log.",
                "Set EMAIL_URL to a mail server, with user and password, and MLED_MAIL_FROM.",
            )
        return
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    notes.figure("Mail", f"by {where}, from {settings.DEFAULT_FROM_EMAIL}")
    try:
        connection = get_connection(timeout=MAIL_SECONDS)
        connection.open()
        connection.close()
    except Exception as error:  # SMTP and sockets have many words for it
        notes.fail(
            "configuration.mail",
            f"The mail server {where} does not take mails: {said(error)}. Mails wait.",
            "Check EMAIL_URL: host, port, user and password, and smtp+tls or smtp+ssl.",
        )


def _memory(notes: Notes) -> None:
    limit = memory_limit()
    notes.figure("Memory limit", size(limit) if limit else "none")
    if limit and limit < LEAST_MEMORY:
        notes.warn(
            "configuration.memory",
            f"MLED may use {size(limit)} of memory; below {size(LEAST_MEMORY)} parts of it are killed under load.",
            "Give it more, or lower MLED_WEB_WORKERS and MLED_TASK_THREADS.",
        )


def memory_limit() -> int | None:
    """In bytes, of the container that this runs in; None where there is none."""
    path = Path("/sys/fs/cgroup/memory.max")
    text = path.read_text().strip() if path.exists() else "max"
    return int(text) if text.isdigit() else None
