"""Where the registry is in the REST API."""

from django.urls import path

from registry.rest import cards, lineage, logged_models, models, promotions, run_models, searching, versions, webhooks

MODEL = "projects/<slug:slug>/models/<str:name>/"
LOGGED = "projects/<slug:slug>/logged-models/<str:model>/"
VERSION = f"{MODEL}versions/<int:number>/"

urlpatterns = [
    path("projects/<slug:slug>/models/", models.Models.as_view()),
    path(MODEL, models.OneModel.as_view()),
    path("projects/<slug:slug>/model-search/", searching.SearchModels.as_view()),
    path("projects/<slug:slug>/model-version-search/", searching.SearchVersions.as_view()),
    path("projects/<slug:slug>/logged-models/", logged_models.LoggedModels.as_view()),
    path(LOGGED, logged_models.OneLoggedModel.as_view()),
    path(f"{LOGGED}params/", logged_models.LoggedModelParams.as_view()),
    path(f"{LOGGED}tags/", logged_models.LoggedModelTags.as_view()),
    path(f"{LOGGED}tags/<path:key>/", logged_models.OneLoggedModelTag.as_view()),
    path(f"{LOGGED}files/", logged_models.LoggedModelFiles.as_view()),
    path(f"{LOGGED}files/<path:path>", logged_models.OneLoggedModelFile.as_view()),
    path(f"{MODEL}compare/", searching.CompareVersions.as_view()),
    path(f"{MODEL}tags/", models.ModelTags.as_view()),
    path(f"{MODEL}tags/<path:key>/", models.OneModelTag.as_view()),
    path(f"{MODEL}aliases/<str:alias>/", models.OneAlias.as_view()),
    path(f"{MODEL}versions/", versions.ModelVersions.as_view()),
    path(VERSION, versions.OneModelVersion.as_view()),
    path(f"{VERSION}stage/", versions.VersionStage.as_view()),
    path(f"{VERSION}tags/", versions.VersionTags.as_view()),
    path(f"{VERSION}tags/<path:key>/", versions.OneVersionTag.as_view()),
    path(f"{VERSION}card/", cards.ModelCard.as_view()),
    path(f"{VERSION}card/<str:section>/", cards.ModelCardSection.as_view()),
    path(f"{VERSION}files/", versions.VersionFiles.as_view()),
    path(f"{VERSION}files/<path:path>", versions.OneVersionFile.as_view()),
    path("projects/<slug:slug>/promotions/", promotions.Promotions.as_view()),
    path("projects/<slug:slug>/promotions/checklist/", promotions.Checklist.as_view()),
    path("projects/<slug:slug>/webhooks/", webhooks.Webhooks.as_view()),
    path("webhooks/<uuid:webhook>/", webhooks.OneWebhook.as_view()),
    path("webhooks/<uuid:webhook>/secret/", webhooks.NewSecret.as_view()),
    path("webhooks/<uuid:webhook>/ping/", webhooks.Ping.as_view()),
    path("webhooks/<uuid:webhook>/deliveries/", webhooks.Deliveries.as_view()),
    path("deliveries/<uuid:delivery>/resend/", webhooks.Resend.as_view()),
    path("promotions/<uuid:promotion>/", promotions.OnePromotion.as_view()),
    path("promotions/<uuid:promotion>/decision/", promotions.Decide.as_view()),
    path("promotions/<uuid:promotion>/withdrawal/", promotions.Withdraw.as_view()),
    path("runs/<str:run>/models/", run_models.RunModels.as_view()),
    path("projects/<slug:slug>/lineage/", lineage.Lineage.as_view()),
]
