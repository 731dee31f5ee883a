"""Whether somebody does the work of the background: a sign of life that workers leave in the cache."""

import logging

from django.core.cache import cache

from kernel.clock import now

log = logging.getLogger(__name__)

ALIVE_FOR = 60  # seconds after the last sign of life
_SIGN = "workers.alive"


def sign_of_life() -> None:
    """Say that a worker is there. Where the cache is away nobody hears it, and the work is done all the same."""
    try:
        cache.set(_SIGN, now().isoformat(), ALIVE_FOR)
    except Exception as error:
        log.warning("A worker's sign of life was not kept: %s", error)


def is_worker_alive() -> bool:
    """Whether a worker gave a sign of life within the last minute."""
    try:
        return cache.get(_SIGN) is not None
    except Exception as error:
        log.warning("Whether a worker is alive is not known: %s", error)
        return False
