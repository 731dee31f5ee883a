"""Where experiments and runs are in the REST API."""

from django.urls import path

from experiments.rest import comments, events, experiments, files, guests, moves, recorded, runs, stars

urlpatterns = [
    path("projects/<slug:slug>/experiments/", experiments.Experiments.as_view()),
    path("projects/<slug:slug>/experiments/<str:experiment>/", experiments.OneExperiment.as_view()),
    path("projects/<slug:slug>/experiments/<str:experiment>/delete/", experiments.DeleteExperiment.as_view()),
    path("projects/<slug:slug>/experiments/<str:experiment>/restore/", experiments.RestoreExperiment.as_view()),
    path("projects/<slug:slug>/experiments/<str:experiment>/guests/", guests.Guests.as_view()),
    path("projects/<slug:slug>/experiments/<str:experiment>/guests/<uuid:person>/", guests.OneGuest.as_view()),
    path("projects/<slug:slug>/events/", events.ProjectEvents.as_view()),
    path("projects/<slug:slug>/recorded-runs/", recorded.RecordedRuns.as_view()),
    path("runs/", runs.Runs.as_view()),
    path("runs/<str:run>/", runs.OneRun.as_view()),
    path("runs/<str:run>/metric-history/", runs.MetricHistory.as_view()),
    path("runs/<str:run>/files/", files.RunFiles.as_view()),
    path("runs/<str:run>/files/<path:path>", files.RunFile.as_view()),
    path("runs/<str:run>/archive.zip", files.RunArchive.as_view()),
    path("runs/<str:run>/events/", events.RunEvents.as_view()),
    path("runs/<str:run>/move/", moves.MoveRun.as_view()),
    path("runs/<str:run>/star/", stars.RunStar.as_view()),
    path("runs/<str:run>/comments/", comments.Comments.as_view()),
    path("runs/<str:run>/comments/<uuid:comment>/", comments.OneComment.as_view()),
    path("runs/<str:run>/comments/<uuid:comment>/remove/", comments.RemoveComment.as_view()),
]
