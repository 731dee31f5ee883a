"""Where the registry is in the REST API."""

from django.urls import path

from registry.rest import lineage, promotions, webhooks

urlpatterns = [
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
