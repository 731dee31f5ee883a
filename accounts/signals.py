"""Sign-ins are acts, too: kept as events without row changes."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from accounts.models import User
from audit.ledger.acting import acting
from audit.ledger.values import Subject, secret
from kernel.actor import Actor, ActorKind, Door, anonymous


def connect() -> None:
    """Listen to Django's sign-in signals."""
    user_logged_in.connect(_signed_in, dispatch_uid="accounts.signed_in")
    user_logged_out.connect(_signed_out, dispatch_uid="accounts.signed_out")
    user_login_failed.connect(_failed, dispatch_uid="accounts.sign_in_failed")


def _actor(request: HttpRequest | None, user: User | None) -> Actor:
    request_id = getattr(request, "request_id", "")
    if user is None:
        return anonymous(Door.WEB, request_id)
    ip = request.META.get("REMOTE_ADDR", "") if request else ""
    return Actor(ActorKind.USER, Door.WEB, user_id=user.id, user_name=user.name, request_id=request_id, ip=ip)


def _keep(verb: str, request: HttpRequest | None, user: User | None, reason: str = "") -> None:
    with acting(_actor(request, user), verb) as act:
        act.always = True
        act.reason = reason
        act.subject = user.ledger_subject if user else Subject("accounts.user", "")


def _signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    _keep("accounts.signed_in", request, user)


def _signed_out(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        _keep("accounts.signed_out", request, user)


def _failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    address = credentials.get("email") or credentials.get("username") or ""
    _keep("accounts.sign_in_failed", request, None, reason=f"address {secret(address)}")
