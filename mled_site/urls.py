"""The map of doors. MLflow's own paths never come this far: see mled_site.middleware."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("accounts.pages.sign_in")),
    path("admin/", admin.site.urls),
]
