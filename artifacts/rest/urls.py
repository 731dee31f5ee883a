"""Where datasets and uploads are in the REST API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
