"""The broker: messages only wake workers, so that without it work is late, and not lost."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mled_site.diagnostics.words import said, size

PATIENCE_SECONDS = 3


@check("broker", "Broker", seconds=8)
def broker(notes: Notes) -> None:
    """Whether the broker answers, which version, how full it is."""
    address = str(settings.CELERY_BROKER_URL)
    if not address.startswith(("redis", "unix")):
        notes.figure("Kind", "files below MLED_DATA" if address.startswith("filesystem") else address.split(":")[0])
        return
    from redis.exceptions import AuthenticationError, RedisError

    try:
        client = server(address)
        facts, kept = client.info(), _keeps(client)
    except AuthenticationError as error:
        notes.fail(
            "broker.refused", f"The broker refuses MLED: {said(error)}.", "Check user and password in REDIS_URL."
        )
    except (RedisError, OSError) as error:
        notes.fail(
            "broker.away",
            f"The broker does not answer: {said(error)}. Background work waits; nothing is lost.",
            _how_to_reach(address),
        )
    else:
        _describe(notes, facts, kept=kept)


def server(address: str) -> Any:
    """A client of the broker with a short patience. Imported late: redis takes a while."""
    import redis

    patience = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    url = address.replace("redis+socket://", "unix://", 1)
    return redis.Redis.from_url(url, **patience)


def _how_to_reach(address: str) -> str:
    if not address.startswith(("redis://", "rediss://")):
        return "manage.py up starts it by itself: look whether MLED runs, and at MLED_DATA/broker/log."
    where = urlsplit(address)
    return f"Start Redis or Valkey on {where.hostname}, port {where.port or 6379}, or change REDIS_URL."


def _keeps(client: Any) -> str:
    """How it keeps messages through a restart. Servers of others may refuse to say."""
    from redis.exceptions import RedisError

    try:
        told = {**client.config_get("save"), **client.config_get("appendonly")}
    except RedisError:
        return "it does not say"
    if told.get("appendonly") == "yes":
        return "yes, each"
    return "yes, now and then" if told.get("save") else "no, and needs not: what is to be done is in the database"


def _describe(notes: Notes, facts: dict[str, Any], *, kept: str) -> None:
    name = "Valkey" if "valkey_version" in facts else "Redis"
    notes.figure("Version", f"{name} {facts.get('valkey_version') or facts.get('redis_version')}")
    most = int(facts.get("maxmemory") or 0)
    used = int(facts.get("used_memory") or 0)
    notes.figure("Memory", f"{size(used)}{f' of {size(most)}' if most else ''}")
    notes.figure("Keeps messages on disk", kept)
    if most and used > most * 0.9:
        notes.warn(
            "broker.full",
            f"The broker has {size(most - used)} of {size(most)} left; full, it refuses messages.",
            "Raise its maxmemory, or look whether workers run: messages that nobody takes pile up.",
        )
