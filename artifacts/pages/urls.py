"""Where the pages of datasets are."""

from django.urls import path

from artifacts.pages import aliases, catalogue, descriptions, diff, new_version, quota, recall, records, version
from artifacts.pages.shelf_urls import shelf_urls

VERSION = "p/<slug:slug>/datasets/<uuid:dataset>/v/<int:number>/"

app_name = "artifacts"
urlpatterns = [
    path("p/<slug:slug>/storage/", quota.page, name="storage"),
    path("p/<slug:slug>/datasets/", catalogue.datasets, name="datasets"),
    path("p/<slug:slug>/datasets/new/", catalogue.new_dataset, name="new_dataset"),
    path("p/<slug:slug>/datasets/<uuid:dataset>/", version.dataset, name="dataset"),
    path("p/<slug:slug>/datasets/<uuid:dataset>/edit/", descriptions.edit, name="edit_dataset"),
    path("p/<slug:slug>/datasets/<uuid:dataset>/new-version/", new_version.new_version, name="new_version"),
    path("p/<slug:slug>/datasets/<uuid:dataset>/external/", new_version.external, name="new_external"),
    path("p/<slug:slug>/datasets/<uuid:dataset>/diff/", diff.diff, name="diff"),
    path("p/<slug:slug>/datasets/<uuid:dataset>/aliases/", aliases.aliases, name="aliases"),
    path("p/<slug:slug>/datasets/<uuid:dataset>/aliases/remove/", aliases.remove, name="remove_alias"),
    path(VERSION, version.overview, name="version"),
    path(f"{VERSION}record/", records.edit, name="record"),
    path(f"{VERSION}recall/", recall.recall, name="recall"),
    path(f"{VERSION}reinstate/", recall.reinstate, name="reinstate"),
    path(f"{VERSION}profile/", version.profile, name="version_profile"),
    *shelf_urls(VERSION, "version", version.find_shelf),
    path(f"{VERSION}<str:part>/", version.part, name="version_part"),
]
