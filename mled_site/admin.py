"""The admin console's site: opened by the administrator's role, never by a flag on the user."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse

from accounts.access import can
from kernel.errors import Refused

OURS = ("accounts.", "audit.")


class MledAdminSite(AdminSite):
    """Keeps users, groups, memberships and tokens; evidence is there to read only. Signing in is that of the pages."""

    site_header = site_title = "MLED administration"
    index_title = "What an administrator keeps"
    index_template = "admin/front.html"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        actor = getattr(request, "actor", None)
        return actor is not None and bool(can(actor, "console.use"))

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only what our rooms register: packages bring consoles for their tables that know nothing of our actions."""
        if admin_class is not None and admin_class.__module__.startswith(OURS):
            super().register(model_or_iterable, admin_class, **options)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        actor = getattr(request, "actor", None)
        if actor is not None and actor.is_person:
            raise Refused("The console is for administrators.", hint="Ask one of them.")
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"), resolve_url("account_login"))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return HttpResponseRedirect(resolve_url("account_logout"))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return HttpResponseRedirect(resolve_url("account_change_password"))
