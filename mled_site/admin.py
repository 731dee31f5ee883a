"""The admin console's site: opened by the administrator's role, never by a flag on the user."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from accounts.access import can


class MledAdminSite(AdminSite):
    """Keeps users, groups, memberships and tokens; evidence is there to read only."""

    site_header = site_title = "MLED administration"
    index_title = "What an administrator keeps"

    def has_permission(self, request: HttpRequest) -> bool:
        actor = getattr(request, "actor", None)
        return actor is not None and bool(can(actor, "console.use"))
