"""Whether somebody is still signed in: asked before a form that took work to fill in is sent."""

from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.pages.doors import actor_of


@require_GET
@never_cache
def here(request: HttpRequest) -> JsonResponse:
    """Who is signed in, and the token that forms are believed with: signing in again made another. 401 for nobody."""
    actor = actor_of(request)
    if not actor.is_person:
        return JsonResponse({"user": None}, status=401)
    return JsonResponse({"user": str(actor.user_id), "name": actor.user_name, "token": get_token(request)})
