"""Where boards are in the REST API."""

from django.urls import path

from boards.rest import boards, entries

urlpatterns = [
    path("boards/", boards.Boards.as_view()),
    path("boards/<slug:slug>/", boards.OneBoard.as_view()),
    path("boards/<slug:slug>/entries/", entries.Entries.as_view()),
    path("boards/<slug:slug>/entries/export/", entries.ExportEntries.as_view()),
    path("boards/<slug:slug>/entries/<int:number>/", entries.OneEntry.as_view()),
    path("boards/<slug:slug>/entries/<int:number>/show/", entries.ShowEntry.as_view()),
    path("boards/<slug:slug>/entries/<int:number>/hide/", entries.HideEntry.as_view()),
    path("boards/<slug:slug>/claims/", boards.Claims.as_view()),
    path("boards/<slug:slug>/claims/keep/", boards.KeepClaim.as_view()),
    path("boards/<slug:slug>/claims/<uuid:claim>/end/", boards.EndClaim.as_view()),
    path("projects/<slug:slug>/board/", boards.BoardOfProject.as_view()),
]
