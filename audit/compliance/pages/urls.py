"""Where the pages of compliance are. They stand before the tabs of a run, whose addresses theirs look like."""

from django.urls import path

from audit.compliance.pages import profile, rules

app_name = "compliance"
urlpatterns = [
    path("r/<str:run>/rules/", rules.page, name="run_rules"),
    path("r/<str:run>/rules/do/<str:verb>/", rules.act, name="rules_act"),
    path("p/<slug:slug>/rules/", profile.page, name="project_rules"),
]
