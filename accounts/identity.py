"""Is somebody who is signed in really there? What they know or hold is asked for again, and attempts are counted.

A second factor joins by `register_factor`; then whoever has set it up is asked for it, too.
"""

import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from django.core.cache import cache

from accounts.access import roles_text
from accounts.models import Membership, User
from accounts.notices import tell
from accounts.roles import Role
from audit.ledger.acting import acting, record_denial
from kernel.actor import Actor, system
from kernel.errors import Invalid, TooMany, Unavailable

VERB = "accounts.proved_identity"
MINUTES = 15
FAILURES_OF_ONE = 5  # wrong proofs of one person in that time before they have to wait
FAILURES_OF_ADDRESS = 50  # of everybody behind one address
ALARM_AT = 3  # then the person is told; when they have to wait, administrators are told, too

log = logging.getLogger(__name__)

PASSWORD = "password"  # noqa: S105 - the name of a factor
EMAIL = "e-mail"


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that proves who somebody is. accepts: whether an answer is right, in equal time for any answer."""

    name: str
    is_set_up: Callable[[User], bool]
    accepts: Callable[[User, str], bool]


_factors: dict[str, Factor] = {
    PASSWORD: Factor(PASSWORD, lambda user: True, lambda user, answer: user.check_password(answer)),
}


def register_factor(factor: Factor) -> None:
    """Ask everybody who has set this factor up for it, beside the password."""
    _factors[factor.name] = factor


def factors_of(user: User) -> list[str]:
    """The names of what this person is asked for."""
    return [factor.name for factor in _factors.values() if factor.is_set_up(user)]


def checked_identity(
    actor: Actor, answers: Mapping[str, str], *, email: str | None, ip: str
) -> tuple[User, tuple[str, ...]]:
    """The actor's own user, and what proved it. email: None where the session has already proved it.

    A failure is counted and recorded. Raises Invalid, the same whatever was wrong; TooMany; Unavailable where attempts
    cannot be counted, for then nobody may try.
    """
    user: User = User.objects.get(pk=cast("UUID", actor.user_id))
    counters = _counters(user, ip)
    for key, (count, limit) in counters.items():
        if count > limit:
            _refuse(actor, user, by_address=key.startswith("proof-address"), first=count == limit + 1)
    if not _is_right(user, answers, email):
        _fail(actor, user, counters[_of_person(user)][0])
    _forgive(counters, user)
    given = factors_of(user)
    return user, tuple(given if email is None else [EMAIL, *given])


def _is_right(user: User, answers: Mapping[str, str], email: str | None) -> bool:
    """Everything is checked, whatever was wrong before: the time tells nothing."""
    address = user.email if email is None else email.strip().lower()
    right = hmac.compare_digest(address.encode("utf-8", "replace"), user.email.encode())
    for name in factors_of(user):
        right = _factors[name].accepts(user, answers.get(name, "")) and right
    return right and user.is_active and not user.is_service


def _of_person(user: User) -> str:
    return f"proof:{user.pk.hex}"


def _counters(user: User, ip: str) -> dict[str, tuple[int, int]]:
    """This attempt counted, before it is looked at: key -> how many, how many are allowed. Raises Unavailable."""
    limits = {_of_person(user): FAILURES_OF_ONE}
    if ip:
        limits[f"proof-address:{ip}"] = FAILURES_OF_ADDRESS
    return {key: (_count(key), limit) for key, limit in limits.items()}


def _count(key: str) -> int:
    try:
        cache.add(key, 0, timeout=MINUTES * 60)
        return cache.incr(key)
    except Exception as error:  # whatever the cache is made of: what cannot be counted must not be tried
        raise Unavailable(
            "Attempts to sign cannot be counted just now, so none is taken.", hint="Try again in a minute."
        ) from error


def _forgive(counters: Mapping[str, tuple[int, int]], user: User) -> None:
    """A right answer clears the person's count and takes itself off the address's."""
    try:
        for key in counters:
            if key == _of_person(user):
                cache.delete(key)
            elif cache.get(key):
                cache.decr(key)
    except Exception as error:  # the proof was right; a count that stays too high runs out by itself
        log.warning("A count of failed proofs was not cleared: %s", error)


def _fail(actor: Actor, user: User, count: int) -> None:
    why = f"Wrong e-mail or password at signing, attempt {count} in {MINUTES} minutes."
    record_denial(actor, VERB, roles=roles_text(actor, None), project_id=None, subject=user.ledger_subject, why=why)
    if count in (ALARM_AT, FAILURES_OF_ONE):
        _alarm(user, count)
    raise Invalid(
        "That is not right, so nothing was signed.",
        hint="Check e-mail and password. Failed attempts are recorded.",
        field="password",
    )


def _refuse(actor: Actor, user: User, *, by_address: bool, first: bool) -> None:
    """Raise TooMany; the first one of a while is recorded."""
    if first:
        why = "Too many wrong proofs from this address." if by_address else "Too many wrong proofs."
        record_denial(actor, VERB, roles=roles_text(actor, None), project_id=None, subject=user.ledger_subject, why=why)
    where = "from this address" if by_address else "for this account"
    raise TooMany(f"Too many failed attempts to sign {where}.", hint=f"Wait {MINUTES} minutes.", field="password")


def _alarm(user: User, count: int) -> None:
    """Tell the person, and administrators once the account has to wait."""
    with acting(system(), "accounts.signing_alarm") as act:
        act.always = True
        act.reason = f"{count} failed attempts to sign in {MINUTES} minutes."
        act.speaks_of(user.ledger_subject)
        tell(
            [user],
            kind="signing.failed",
            text=f"{count} attempts to sign in your name failed. If this was not you, change your password now.",
            url="/me/",
        )
        if count == FAILURES_OF_ONE:
            others = [one for one in administrators() if one.pk != user.pk]
            tell(others, kind="signing.failed", text=f"{count} attempts to sign in the name of {user} failed.")


def administrators() -> list[User]:
    """Everybody who administers the site by a role of their own, and may sign in."""
    rows = Membership.objects.filter(project=None, role=Role.ADMINISTRATOR, user__is_active=True)
    return [row.user for row in rows.select_related("user")]
