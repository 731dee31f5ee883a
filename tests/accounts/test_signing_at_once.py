"""Guessing a password at the signing dialogue from many places at once gains nothing: attempts are counted together."""

from __future__ import annotations

from typing import Any

from accounts.identity import FAILURES_OF_ONE
from accounts.models import Notice
from accounts.signing import prove
from kernel.errors import Invalid, TooMany
from mled_site.supervise.broker import redis_cache
from tests.factories import PASSWORD, a_user, acting_as, events
from tests.together import errors, together


def test_wrong_proofs_at_once_are_counted_in_the_cache_that_all_workers_share(
    committed_db: str, valkey_url: str, settings: Any
) -> None:
    settings.CACHES = {"default": redis_cache(valkey_url)}
    user = a_user("Mona", password=PASSWORD)
    attempts = FAILURES_OF_ONE + 4
    outcomes = together(
        *[lambda: prove(acting_as(user), "guess", email=user.email, ip="203.0.113.5") for _ in range(attempts)]
    )
    kinds = [type(error) for error in errors(outcomes)]
    assert kinds.count(Invalid) == FAILURES_OF_ONE
    assert kinds.count(TooMany) == attempts - FAILURES_OF_ONE
    denied = events(verb="accounts.proved_identity", outcome="denied")
    assert len(denied) == FAILURES_OF_ONE + 1, "Each failure, and the first that was not even looked at."
    assert Notice.objects.filter(user=user).count() == 2
