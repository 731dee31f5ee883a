"""Where the pages of datasets are."""

from django.urls import URLPattern

app_name = "artifacts"
urlpatterns: list[URLPattern] = []
