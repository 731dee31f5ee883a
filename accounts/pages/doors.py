"""What every page asks first: who is there. And what every form does with an error of an action."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
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
            to_sign_in = redirect_to_login(request.get_full_path())
            return HttpResponseClientRedirect(to_sign_in.url) if "HX-Request" in request.headers else to_sign_in
        _refuse_nul(request)
        return view(request, *args, **kwargs)

    door.needs_sign_in = True  # type: ignore[attr-defined]
    return door


def _refuse_nul(request: HttpRequest) -> None:
    """Raise Invalid for an address with a NUL character: nothing is named by one, and PostgreSQL takes none."""
    if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        raise Invalid("The address holds a NUL character.", hint="Check the address.")


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
