"""Where compliance is in the REST API."""

from django.urls import path

from audit.compliance.rest import rules

urlpatterns = [
    path("runs/<str:run>/assessment/", rules.RunAssessment.as_view()),
    path("runs/<str:run>/rules/<str:rule>/exception/", rules.RuleException.as_view()),
    path("runs/<str:run>/rules/<str:rule>/waiver/", rules.OneWaiver.as_view()),
    path("runs/<str:run>/waivers/", rules.Waivers.as_view()),
    path("projects/<slug:slug>/rules/", rules.ProjectRules.as_view()),
]
