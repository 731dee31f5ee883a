"""What every page asks first: who is there. And what every form does with an error of an action."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from accounts.access import sight
from accounts.models import Project
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound, Refused, Unauthenticated

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def actor_of(request: HttpRequest) -> Actor:
    """The actor that the middleware put on the request."""
    return cast(Actor, request.actor)  # type: ignore[attr-defined]


def signed_in(view: View[P]) -> View[P]:
    """Only for people who are signed in; everybody else is led to the sign-in page and back."""

    @wraps(view)
    def door(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not actor_of(request).is_person:
            to_sign_in = redirect_to_login(_page_to_come_back_to(request))
            return HttpResponseClientRedirect(to_sign_in.url) if "HX-Request" in request.headers else to_sign_in
        _refuse_nul(request)
        return view(request, *args, **kwargs)

    door.needs_sign_in = True  # type: ignore[attr-defined]
    return door


def _page_to_come_back_to(request: HttpRequest) -> str:
    """Where one was as the session ended: at the address of a form or of a part of a page there is no page."""
    here, is_part = request.get_full_path(), "HX-Request" in request.headers
    if request.method in ("GET", "HEAD") and not is_part:
        return here
    try:
        was = urlsplit(request.headers.get("HX-Current-URL" if is_part else "Referer", ""))
    except ValueError:
        return here
    page = f"{was.path}?{was.query}" if was.query else was.path
    return page_named(request, page, otherwise=here) if was.netloc == request.get_host() else here


def _refuse_nul(request: HttpRequest) -> None:
    """Raise Invalid for an address with a NUL character: nothing is named by one, and PostgreSQL takes none."""
    if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        raise Invalid("The address holds a NUL character.", hint="Check the address.")


def page_named(request: HttpRequest, address: str, *, otherwise: str) -> str:
    """The page of ours that a form says to go on to, else the other one.

    Only what begins with a slash is an address of ours: Django would look for a view that is called as any other word.
    """
    is_ours = address.startswith("/") and url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else otherwise


def sees_experiments(viewer: Actor, project: Project) -> bool:
    """Whether the viewer sees any experiment of a project that they see: all of them, or single ones by a grant."""
    seen = sight(viewer, "experiments.see")
    return seen.everything or project.pk in seen.projects or bool(seen.experiments)


def fill_in_error(form: forms.BaseForm, error: MledError) -> None:
    """Put an action's error beside the field it speaks of, else above the form. A refusal goes on to its page."""
    if error.field in form.fields:
        form.add_error(error.field, f"{error.message} {error.hint}".strip())
    elif isinstance(error, NotFound | Refused | Unauthenticated):
        raise error
    else:
        form.add_error(None, f"{error.message} {error.hint}".strip())
