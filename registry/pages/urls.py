"""Where the pages of logged models are."""

from django.urls import path

from artifacts.pages.shelf_urls import shelf_urls
from registry.pages import lineage, logged_model

app_name = "registry"
urlpatterns = [
    path("p/<slug:slug>/lineage/", lineage.page, name="lineage"),
    path("p/<slug:slug>/logged-models/<str:model>/", logged_model.page, name="logged_model"),
    *shelf_urls("p/<slug:slug>/logged-models/<str:model>/", "logged_model", logged_model.find_shelf),
]
