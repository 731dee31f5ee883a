"""Where imports and exports are in the REST API."""

from django.urls import path

from transfer.rest import mlflow, transfers

urlpatterns = [
    path("projects/<slug:slug>/transfers/", transfers.Transfers.as_view()),
    path("projects/<slug:slug>/exports/", transfers.Exports.as_view()),
    path("projects/<slug:slug>/archive-imports/", transfers.ArchiveImports.as_view()),
    path("projects/<slug:slug>/mlflow-imports/", mlflow.MlflowImports.as_view()),
    path("transfers/<uuid:transfer>/", transfers.OneTransfer.as_view()),
    path("transfers/<uuid:transfer>/cancellation/", transfers.Cancellation.as_view()),
    path("transfers/<uuid:transfer>/files/<str:transfer_file>", transfers.TransferContent.as_view()),
]
