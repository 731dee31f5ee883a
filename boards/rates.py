"""How many entries come from one address: counted in the cache, which every process shares."""

import logging

from django.core.cache import cache

from kernel.errors import TooMany

HOUR = 3600
log = logging.getLogger(__name__)


def count_address(ip: str, *, most: int) -> None:
    """Count one entry of somebody without a role from this address. Raises TooMany. 0: as many as come."""
    if not ip or most <= 0:
        return
    key = f"board-entries:{ip}"
    try:
        cache.add(key, 0, timeout=HOUR)
        count = cache.incr(key)
    except Exception as error:  # whatever the cache is made of: claim tokens are still counted by the database
        log.warning("Entries of an address were not counted: %s", error)
        return
    if count > most:
        raise TooMany(
            "Many entries came from your address within an hour; no more are taken for now.",
            hint="Try again in an hour.",
        )
