"""The map of doors. MLflow's own paths never come this far: see mled_site.middleware."""

from django.contrib import admin
from django.urls import include, path

from mled_site.ready import alive, ready

urlpatterns = [
    path("", include("accounts.pages.sign_in")),
    path("", include("accounts.pages.urls")),
    path("", include("artifacts.pages.urls")),
    path("", include("audit.compliance.pages.urls")),
    path("", include("runner.pages.urls")),
    path("", include("experiments.pages.urls")),
    path("", include("registry.pages.urls")),
    path("", include("transfer.pages.urls")),
    path("", include("boards.pages.urls")),
    path("", include("mled_site.diagnostics.pages")),
    path("api/v1/", include("mled_site.api")),
    path("admin/", admin.site.urls),
    path("healthz", alive, name="alive"),
    path("readyz", ready, name="ready"),
]

handler400 = "mled_site.errors.bad_request"
handler403 = "mled_site.errors.permission_denied"
handler404 = "mled_site.errors.page_not_found"
handler500 = "mled_site.errors.server_error"
