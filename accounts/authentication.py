"""From a credential to an actor: API tokens (Bearer, or Basic with the token as password) and signed-in sessions."""

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from accounts.facts import Facts, facts, presumed_facts
from accounts.models import ApiToken, User
from accounts.one_run import may_have_jobs
from kernel.actor import Actor, ActorKind, Door, anonymous
from kernel.clock import now
from kernel.digests import sha256_hex
from kernel.errors import TooMany, Unauthenticated

TOKEN_PREFIX = "mled_"  # noqa: S105 - not a secret
FAILURES_A_MINUTE = 60  # wrong tokens from one address before it has to wait
_USED_EVERY = dt.timedelta(minutes=5)  # last use is kept this finely: no write on every request


@dataclass(frozen=True, slots=True)
class Presumed:
    """Who a token's owner was when this process last asked. It counts where `stamp` still stands, and whoever acts on
    it has the database say so in the statement that writes."""

    actor: Actor
    stamp: UUID


def bearer_secret(header: str) -> str | None:
    """The token in an Authorization header; None where there is none. Raises Unauthenticated for a broken header."""
    scheme, _, rest = header.partition(" ")
    if not header:
        return None
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            raise Unauthenticated("The Authorization header cannot be read.", hint="Send 'Bearer <token>'.") from None
    raise Unauthenticated(f"The scheme '{scheme[:20]}' is not one of Bearer and Basic.", hint="Send 'Bearer <token>'.")


def actor_for_token(secret: str, door: Door, *, request_id: str = "", client: str = "", ip: str = "") -> Actor:
    """The owner of a live token. Raises Unauthenticated, the same for unknown, expired and revoked ones."""
    known, token = _known_token(secret)
    if token is None or known is None or not _is_good(known, token):
        _count_failure(ip)
        raise Unauthenticated(
            "This token is not good: unknown, expired or revoked.",
            hint="Make a new one on the Tokens page and put it into MLFLOW_TRACKING_TOKEN.",
        )
    return _by_token(known, token, door, request_id=request_id, client=client, ip=ip)


def presumed_for_token(secret: str, door: Door, *, request_id: str, client: str, ip: str) -> Presumed | None:
    """The owner of a live token by what is known already; None where anything has to be asked or noted first."""
    known = presumed_facts()
    token = known.tokens.get(sha256_hex(secret.encode())) if known is not None else None
    if known is None or known.stamp is None or token is None or _is_use_due(token) or not _is_good(known, token):
        return None
    return Presumed(_by_token(known, token, door, request_id=request_id, client=client, ip=ip), known.stamp)


def actor_for_token_id(token_id: UUID, door: Door, *, request_id: str = "", client: str = "", ip: str = "") -> Actor:
    """The owner of a live token, where we signed its id ourselves: such a link ends with the token."""
    token, known = ApiToken.objects.filter(pk=token_id).select_related("user").first(), facts()
    if token is None or not _is_good(known, token):
        raise Unauthenticated("The token behind this link is expired or revoked.", hint="Begin again with a new one.")
    return _by_token(known, token, door, request_id=request_id, client=client, ip=ip)


def _is_good(known: Facts, token: ApiToken) -> bool:
    """Neither ended nor its owner gone; a job's token also ends where its owner may not have jobs any more."""
    if not token.is_live or not token.user.is_active:
        return False
    return token.run_uid is None or may_have_jobs(known, token)


def _by_token(known: Facts, token: ApiToken, door: Door, *, request_id: str, client: str, ip: str) -> Actor:
    _note_use(token)
    memo = {"facts": known}
    return _person(token.user, door, token=known.grant(token), request_id=request_id, client=client, ip=ip, memo=memo)


def _known_token(secret: str) -> tuple[Facts | None, ApiToken | None]:
    if not secret.startswith(TOKEN_PREFIX):
        return None, None
    known = facts()
    return known, known.token(sha256_hex(secret.encode()))


def _person(user: User, door: Door, **more: Any) -> Actor:
    return Actor(ActorKind.USER, door, user_id=user.id, user_name=user.name, is_active=user.is_active, **more)


def _note_use(token: ApiToken) -> None:
    if _is_use_due(token):
        token.last_used_at = now()
        token.save()


def _is_use_due(token: ApiToken) -> bool:
    return token.last_used_at is None or now() - token.last_used_at > _USED_EVERY


def _count_failure(ip: str) -> None:
    key = f"token-failures:{ip}"
    cache.add(key, 0, timeout=60)
    try:
        count = cache.incr(key)
    except ValueError:
        return
    if count > FAILURES_A_MINUTE:
        raise TooMany("Too many wrong tokens from this address.", hint="Wait a minute and check the token.")


def actor_from_request(request: HttpRequest, door: Door) -> Actor:
    """Whoever a request's token names, else its session's user, else nobody."""
    request_id = getattr(request, "request_id", "")
    client = request.META.get("HTTP_USER_AGENT", "")[:200]
    ip = request.META.get("REMOTE_ADDR", "")
    secret = bearer_secret(request.META.get("HTTP_AUTHORIZATION", ""))
    if secret is not None:
        return actor_for_token(secret, door, request_id=request_id, client=client, ip=ip)
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return _person(user, door, request_id=request_id, client=client, ip=ip)
    return anonymous(door, request_id)


class TokenAuthentication(BaseAuthentication):
    """DRF: a token in the Authorization header."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        secret = bearer_secret(request.META.get("HTTP_AUTHORIZATION", ""))
        if secret is None:
            return None
        actor = actor_from_request(request._request, Door.REST)
        request._request.actor = actor  # type: ignore[attr-defined]
        return User.objects.get(pk=cast("UUID", actor.user_id)), actor.token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="MLED"'


class PageSessionAuthentication(SessionAuthentication):
    """DRF: the session of a signed-in page, with its CSRF check."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        if found is not None:
            request._request.actor = actor_from_request(request._request, Door.REST)  # type: ignore[attr-defined]
        return found
