"""The map of the REST API."""

from typing import Any

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.views import APIView

from kernel.errors import NotFound
from mled_site import schema


class Nowhere(APIView):
    """Whatever the API has not: for anybody, in its own words."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise NotFound("The API has nothing here.", hint="See /api/v1/schema/.")


__all__ = ["schema", "urlpatterns"]  # the schema knows our credentials once its module is imported

urlpatterns = [
    path("", include("accounts.rest.urls")),
    path("", include("artifacts.rest.urls")),
    path("", include("experiments.rest.urls")),
    path("", include("registry.rest.urls")),
    path("", include("audit.compliance.rest.urls")),
    path("schema/", SpectacularAPIView.as_view()),
    re_path(r"^.*", Nowhere.as_view()),
]
