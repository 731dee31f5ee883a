"""Where the pages of the registry are."""

from django.urls import path

from artifacts.pages.shelf_urls import shelf_urls
from registry.pages import (
    lineage,
    logged_model,
    model,
    model_compare,
    models,
    promotions,
    version,
    version_acts,
    webhooks,
)

app_name = "registry"
LOGGED, MODEL = "p/<slug:slug>/logged-models/<str:model>/", "p/<slug:slug>/models/<str:name>/"
VERSION, PROMOTION = f"{MODEL}v/<int:number>/", "p/<slug:slug>/promotions/<uuid:promotion>/"

urlpatterns = [
    path(LOGGED, logged_model.page, name="logged_model"),
    *shelf_urls(LOGGED, "logged_model", logged_model.find_shelf),
    path("p/<slug:slug>/lineage/", lineage.page, name="lineage"),
    path("p/<slug:slug>/models/", models.models, name="models"),
    path("p/<slug:slug>/register/", models.register, name="register"),
    path(MODEL, model.page, name="model"),
    path(f"{MODEL}compare/", model_compare.page, name="model_compare"),
    path(f"{MODEL}history/", model.history, name="model_history"),
    path(f"{MODEL}do/<str:verb>/", model.act, name="model_act"),
    path(VERSION, version.overview, name="version"),
    path(f"{VERSION}promote/", promotions.ask, name="ask_promotion"),
    path(f"{VERSION}do/<str:verb>/", version_acts.act, name="version_act"),
    *shelf_urls(VERSION, "version", version.find_shelf),
    path(f"{VERSION}<str:tab>/", version.tab, name="version_tab"),
    path("p/<slug:slug>/promotions/", promotions.promotions, name="promotions"),
    path(PROMOTION, promotions.promotion, name="promotion"),
    path(f"{PROMOTION}state/", promotions.state, name="promotion_state"),
    path(f"{PROMOTION}decide/", promotions.decide, name="decide_promotion"),
    path(f"{PROMOTION}withdraw/", promotions.withdraw, name="withdraw_promotion"),
    path("p/<slug:slug>/webhooks/", webhooks.webhooks, name="webhooks"),
    path("p/<slug:slug>/webhooks/<uuid:webhook>/", webhooks.webhook, name="webhook"),
    path("p/<slug:slug>/webhooks/<uuid:webhook>/do/<str:verb>/", webhooks.act, name="webhook_act"),
    path("p/<slug:slug>/deliveries/<uuid:delivery>/resend/", webhooks.resend, name="resend_delivery"),
]
