"""Where projects and tokens are in the REST API."""

from django.urls import path

from accounts.rest import guests, projects, tokens

urlpatterns = [
    path("projects/", projects.Projects.as_view()),
    path("projects/<slug:slug>/", projects.OneProject.as_view()),
    path("projects/<slug:slug>/members/", projects.Members.as_view()),
    path("projects/<slug:slug>/guests/", guests.Guests.as_view()),
    path("projects/<slug:slug>/guests/<uuid:person>/", guests.OneGuest.as_view()),
    path("tokens/", tokens.Tokens.as_view()),
    path("tokens/<uuid:token>/", tokens.OneToken.as_view()),
]
