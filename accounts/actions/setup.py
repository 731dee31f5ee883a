"""The first administrator: let in by a one-time link that the first start prints. There is no default password."""

import secrets

from django.db import transaction

from accounts.actions.users import create_user
from accounts.models import Membership, SetupLink, User
from accounts.roles import Role
from audit.ledger.acting import acting
from kernel.actor import operator
from kernel.digests import sha256_hex
from kernel.errors import NotFound


def is_set_up() -> bool:
    """Whether there is any user yet."""
    return User.objects.exists()


def issue_setup_link() -> str | None:
    """The path of a fresh link, which ends earlier ones; None once there is a user."""
    if is_set_up():
        return None
    secret = secrets.token_urlsafe(24)
    with transaction.atomic():
        SetupLink.objects.all().delete()
        SetupLink.objects.create(digest=sha256_hex(secret.encode()))
    return f"/setup/{secret}/"


def check_setup_link(secret: str) -> SetupLink:
    """The open link. Raises NotFound for a used, replaced or invented one."""
    link = SetupLink.objects.filter(digest=sha256_hex(secret.encode())).first()
    if link is None or is_set_up():
        raise NotFound(
            "This set-up link is not good: it works once, and only the latest one.",
            hint="Start MLED again on the machine; it prints a new one while there is no user.",
        )
    return link


def use_setup_link(secret: str, *, email: str, name: str, password: str, request_id: str = "") -> User:
    """Make the first administrator, acting as the operator who started the machine. Raises NotFound, Invalid."""
    actor = operator(request_id)
    with acting(actor, "accounts.set_up") as act:
        link = SetupLink.objects.select_for_update().filter(pk=check_setup_link(secret).pk).first()
        if link is None:
            raise NotFound("This set-up link was used a moment ago.", hint="Sign in.")
        user = create_user(actor, email=email, name=name, password=password)
        Membership(project=None, user=user, role=Role.ADMINISTRATOR).save()
        link.delete()
        act.subject = user.ledger_subject
    return user
