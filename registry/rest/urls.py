"""Where the registry is in the REST API."""

from django.urls import path

from registry.rest import lineage

urlpatterns = [
    path("projects/<slug:slug>/lineage/", lineage.Lineage.as_view()),
]
