"""Signing in by e-mail and password; what a user may do in the admin console comes from roles, never from flags."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts.models import User


class EmailBackend(BaseBackend):
    """Equal time for known and unknown users: an unknown one costs a hash, too."""

    def authenticate(
        self, request: HttpRequest | None, email: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        address = email or kwargs.get("username")
        if not address or password is None:
            return None
        user: User | None = User.objects.filter(email=address.strip().lower()).first()
        if user is None:
            User().set_password(password)
            return None
        return user if user.check_password(password) and user.is_active and not user.is_service else None

    def get_user(self, user_id: Any) -> User | None:
        found: User | None = User.objects.filter(pk=user_id, is_active=True).first()
        return found

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return bool(user_obj.is_active and user_obj.is_staff)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return bool(user_obj.is_active and user_obj.is_staff)
