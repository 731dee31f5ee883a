"""The theme: a setting of the user, kept on the server."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.actions.users import choose_theme
from accounts.pages.doors import actor_of, signed_in


@require_POST
@signed_in
def appearance(request: HttpRequest) -> HttpResponse:
    """Keep the theme, and back to where it was chosen."""
    choose_theme(actor_of(request), theme=request.POST.get("theme", ""))
    back = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "/")
