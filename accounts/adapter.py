"""allauth's sign-in over our actions: no sign-up, and a changed password is an act like any other."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts.models import User
from kernel.actor import Actor, ActorKind, Door


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth brings no types
    """What allauth asks us."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def set_password(self, user: User, password: str) -> None:
        from accounts.actions.users import change_password

        actor = Actor(ActorKind.USER, Door.WEB, user_id=user.id, user_name=user.name, is_active=user.is_active)
        change_password(actor, password=password)
        user.refresh_from_db()

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """There are no user names."""
