"""Where projects and tokens are in the REST API."""

from django.urls import path

from accounts.rest import governance, guests, notices, projects, settings, signatures, tokens

urlpatterns = [
    path("projects/", projects.Projects.as_view()),
    path("projects/<slug:slug>/", projects.OneProject.as_view()),
    path("projects/<slug:slug>/governance/", governance.Governance.as_view()),
    path("projects/<slug:slug>/signatures/", signatures.Signatures.as_view()),
    path("signatures/<uuid:signature>/", signatures.OneSignature.as_view()),
    path("projects/<slug:slug>/members/", projects.Members.as_view()),
    path("projects/<slug:slug>/guests/", guests.Guests.as_view()),
    path("projects/<slug:slug>/guests/<uuid:person>/", guests.OneGuest.as_view()),
    path("notices/", notices.Notices.as_view()),
    path("notices/read/", notices.ReadNotices.as_view()),
    path("settings/", settings.Settings.as_view()),
    path("tokens/", tokens.Tokens.as_view()),
    path("tokens/<uuid:token>/", tokens.OneToken.as_view()),
]
