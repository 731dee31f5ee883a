"""Where the pages of logged models are."""

from django.urls import path

from registry.pages import lineage, logged_model

app_name = "registry"
urlpatterns = [
    path("p/<slug:slug>/lineage/", lineage.page, name="lineage"),
    path("p/<slug:slug>/logged-models/<str:model>/", logged_model.page, name="logged_model"),
    path("p/<slug:slug>/logged-models/<str:model>/files/<path:path>", logged_model.download, name="model_file"),
    path("p/<slug:slug>/logged-models/<str:model>/preview/<path:path>", logged_model.picture, name="model_picture"),
]
