"""How much one caller may ask in a minute, counted in the cache that all processes share.

Where the cache is away nobody is refused: a limit protects the server from eagerness, it is no lock.
"""

import logging
import time
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.http.response import HttpResponseBase

from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import TooMany

log = logging.getLogger(__name__)

WINDOW: Final = 60  # seconds
READS: Final = "reads"
WRITES: Final = "writes"
UNKNOWN: Final = "unknown"
_REST_AFTER_FAILURE: Final = 30.0  # seconds without asking a cache that just failed
_away_until = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller has left of a budget in this minute."""

    budget: str
    limit: int
    used: int
    seconds: int

    @property
    def left(self) -> int:
        """Calls that still pass."""
        return max(0, self.limit - self.used)

    def tell(self, answer: HttpResponseBase) -> None:
        """As the IETF's draft says it (draft-ietf-httpapi-ratelimit-headers)."""
        answer.headers["RateLimit-Policy"] = f'"{self.budget}";q={self.limit};w={WINDOW}'
        answer.headers["RateLimit"] = f'"{self.budget}";r={self.left};t={self.seconds}'


class OverBudget(TooMany):
    """The budget of this minute is used up."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(
            f"More than {standing.limit:,} {_WHAT[standing.budget]} in a minute.",
            hint=f"Wait {standing.seconds} s. Calls that take many things at once count as one.",
        )
        self.standing = standing
        self.retry_after = standing.seconds


_WHAT: Final = {READS: "calls that read", WRITES: "calls that write", UNKNOWN: "calls without a good credential"}


def spend(actor: Actor, method: str) -> Standing | None:
    """Count a call of somebody known: by token, else by user. None: not limited now. Raises OverBudget."""
    who = f"token:{actor.token.id}" if actor.token else f"user:{actor.user_id}"
    return _count(READS if method in ("GET", "HEAD", "OPTIONS") else WRITES, who)


def spend_unknown(address: str) -> Standing | None:
    """Count a call that came without a good credential, by its address. Raises OverBudget."""
    return _count(UNKNOWN, f"address:{address}")


def _count(budget: str, who: str) -> Standing | None:
    limit: int = settings.MLED_REST_A_MINUTE[budget]
    if not limit:
        return None
    moment = now().timestamp()
    used = _one_more(f"rest:{budget}:{who}:{int(moment // WINDOW)}")
    if used is None:
        return None
    standing = Standing(budget, limit, used, WINDOW - int(moment % WINDOW))
    if used > limit:
        raise OverBudget(standing)
    return standing


def _one_more(key: str) -> int | None:
    """The count with this one in it; None where the cache is away."""
    global _away_until
    if time.monotonic() < _away_until:
        return None
    try:
        try:
            return int(cache.incr(key))
        except ValueError:
            return 1 if cache.add(key, 1, timeout=2 * WINDOW) else int(cache.incr(key))
    except Exception as error:
        _away_until = time.monotonic() + _REST_AFTER_FAILURE
        log.warning("Calls of the REST API are not limited now: the cache does not answer (%s).", error)
        return None
