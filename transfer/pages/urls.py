"""Where the pages of imports and exports are."""

from django.urls import path

from transfer.pages import exports, mlflow, transfers

app_name = "transfer"
urlpatterns = [
    path("p/<slug:slug>/transfers/", transfers.page, name="transfers"),
    path("p/<slug:slug>/transfers/under-way/", transfers.under_way, name="under_way"),
    path("p/<slug:slug>/transfers/export/", exports.export, name="export"),
    path("p/<slug:slug>/transfers/import-archive/", exports.bring_in, name="import_archive"),
    path("p/<slug:slug>/transfers/import-mlflow/", mlflow.bring_in, name="import_mlflow"),
    path("p/<slug:slug>/transfers/<uuid:transfer>/", transfers.one, name="one"),
    path("p/<slug:slug>/transfers/<uuid:transfer>/state/", transfers.state, name="state"),
    path("p/<slug:slug>/transfers/<uuid:transfer>/do/<str:verb>/", transfers.act, name="act"),
    path("p/<slug:slug>/transfers/<uuid:transfer>/files/<str:transfer_file>", transfers.file, name="file"),
]
