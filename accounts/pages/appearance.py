"""The theme: a setting of the user, kept on the server."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.actions.users import choose_theme
from accounts.pages.doors import actor_of, page_named, signed_in


@require_POST
@signed_in
def appearance(request: HttpRequest) -> HttpResponse:
    """Keep the theme, and back to where it was chosen."""
    choose_theme(actor_of(request), theme=request.POST.get("theme", ""))
    return redirect(page_named(request, request.POST.get("next", ""), otherwise="/"))
