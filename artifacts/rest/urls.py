"""Where datasets and uploads are in the REST API."""

from django.urls import URLPattern, path

from artifacts.rest import archives, datasets, quotas, uploads, versions

DATASET = "projects/<slug:slug>/datasets/<uuid:dataset>/"
VERSION = f"{DATASET}versions/<int:number>/"

urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/quota/", quotas.Quota.as_view()),
    path("projects/<slug:slug>/uploads/", uploads.Uploads.as_view()),
    path("uploads/<uuid:upload>/", uploads.OneUpload.as_view()),
    path("uploads/<uuid:upload>/finish/", uploads.FinishUpload.as_view()),
    path("projects/<slug:slug>/datasets/", datasets.Datasets.as_view()),
    path(DATASET, datasets.OneDataset.as_view()),
    path(f"{DATASET}diff/", datasets.DatasetDiff.as_view()),
    path(f"{DATASET}aliases/", datasets.Aliases.as_view()),
    path(f"{DATASET}aliases/<str:alias>/", datasets.OneAlias.as_view()),
    path(f"{DATASET}versions/", versions.Versions.as_view()),
    path(VERSION, versions.OneVersion.as_view()),
    path(f"{VERSION}record/", versions.VersionRecordView.as_view()),
    path(f"{VERSION}withdraw/", versions.WithdrawVersion.as_view()),
    path(f"{VERSION}reinstate/", versions.ReinstateVersion.as_view()),
    path(f"{VERSION}profile/", versions.VersionProfileView.as_view()),
    path(f"{VERSION}uses/", versions.VersionUses.as_view()),
    path(f"{VERSION}archive.zip", archives.VersionArchive.as_view()),
    path(f"{VERSION}files/", versions.VersionFiles.as_view()),
    path(f"{VERSION}files/<path:path>", versions.VersionFile.as_view()),
]
