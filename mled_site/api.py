"""The map of the REST API."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path, re_path, resolve
from drf_spectacular.views import SpectacularAPIView
from rest_framework.views import APIView

from accounts.authentication import actor_from_request
from accounts.pages.doors import signed_in
from accounts.rest.ageing import AT_LEAST
from kernel.actor import Door
from kernel.errors import NotFound
from mled_site import schema
from mled_site.diagnostics.rest import Diagnosis


class Nowhere(APIView):
    """Whatever the API has not: for anybody, in its own words."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        meant = _with_a_slash(request.path)
        hint = f"Did you mean {meant} with a slash at its end?" if meant else "See /api/v1/docs/ or /api/v1/schema/."
        raise NotFound("The API has nothing here.", hint=hint)


def _with_a_slash(path: str) -> str:
    """The same address with the slash that was forgotten, where the API has something there; else ''."""
    if path.endswith("/"):
        return ""
    found = getattr(resolve(f"{path}/").func, "cls", None)
    return "" if found is Nowhere else f"{path}/"


@signed_in
def _docs(request: HttpRequest) -> HttpResponse:
    """The page that describes the API and makes calls as whoever is signed in."""
    root = f"{request.scheme}://{request.get_host()}"
    return render(request, "rest_docs.html", {"root": root, "days": AT_LEAST.days})


def docs(request: HttpRequest) -> Any:
    """A page below the API's address: by session, as any page."""
    request.META.pop("HTTP_AUTHORIZATION", None)
    request.actor = actor_from_request(request, Door.WEB)  # type: ignore[attr-defined]
    return _docs(request)


docs.needs_sign_in = True  # type: ignore[attr-defined]
__all__ = ["schema", "urlpatterns"]  # the schema knows our credentials once its module is imported

urlpatterns = [
    path("", include("accounts.rest.urls")),
    path("", include("artifacts.rest.urls")),
    path("", include("experiments.rest.urls")),
    path("", include("registry.rest.urls")),
    path("", include("audit.compliance.rest.urls")),
    path("", include("runner.rest.urls")),
    path("", include("transfer.rest.urls")),
    path("", include("boards.rest.urls")),
    path("diagnostics/", Diagnosis.as_view()),
    path("schema/", SpectacularAPIView.as_view(), name="rest-schema"),
    path("docs/", docs, name="rest-docs"),
    re_path(r"^.*", Nowhere.as_view()),
]
