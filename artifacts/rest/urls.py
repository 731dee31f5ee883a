"""Where datasets and uploads are in the REST API."""

from django.urls import URLPattern, path

from artifacts.rest import uploads

urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/uploads/", uploads.Uploads.as_view()),
    path("uploads/<uuid:upload>/", uploads.OneUpload.as_view()),
    path("uploads/<uuid:upload>/finish/", uploads.FinishUpload.as_view()),
]
