"""Where the registry is in the REST API."""

from django.urls import path

from registry.rest import cards, lineage, models, promotions, versions, webhooks

MODEL = "projects/<slug:slug>/models/<str:name>/"
VERSION = f"{MODEL}versions/<int:number>/"

urlpatterns = [
    path("projects/<slug:slug>/models/", models.Models.as_view()),
    path(MODEL, models.OneModel.as_view()),
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
    path("projects/<slug:slug>/lineage/", lineage.Lineage.as_view()),
]
