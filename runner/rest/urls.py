"""Where launching, jobs and sweeps are in the REST API."""

from django.urls import path

from runner.rest import jobs, recreating, rules, secrets, sweeps, templates, workers

urlpatterns = [
    path("projects/<slug:slug>/run-templates/", templates.TemplatesOfProject.as_view()),
    path("run-templates/<uuid:template>/", templates.OneTemplate.as_view()),
    path("trainers/", templates.Trainers.as_view()),
    path("trainers/<slug:trainer_name>/", templates.OneTrainer.as_view()),
    path("recipes/<uuid:recipe>/", templates.OneRecipe.as_view()),
    path("projects/<slug:slug>/environments/", templates.EnvironmentsOfProject.as_view()),
    path("environments/<uuid:environment>/", templates.OneEnvironment.as_view()),
    path("projects/<slug:slug>/jobs/", jobs.JobsOfProject.as_view()),
    path("jobs/<uuid:job>/", jobs.OneJob.as_view()),
    path("jobs/<uuid:job>/stop/", jobs.StopJob.as_view()),
    path("jobs/<uuid:job>/retry/", jobs.RetryJob.as_view()),
    path("jobs/<uuid:job>/output/", jobs.JobOutputPieces.as_view()),
    path("runs/<str:run>/job/", jobs.JobOfRun.as_view()),
    path("runs/<str:run>/recreations/", recreating.Recreations.as_view()),
    path("runs/<str:run>/bundle/", recreating.RunBundle.as_view()),
    path("projects/<slug:slug>/sweeps/", sweeps.SweepsOfProject.as_view()),
    path("sweeps/<uuid:sweep>/", sweeps.OneSweep.as_view()),
    path("sweeps/<uuid:sweep>/stop/", sweeps.StopSweep.as_view()),
    path("projects/<slug:slug>/runner-rules/", rules.Rules.as_view()),
    path("projects/<slug:slug>/secrets/", secrets.Secrets.as_view()),
    path("projects/<slug:slug>/secrets/<str:secret>/", secrets.OneSecret.as_view()),
    path("workers/", workers.Workers.as_view()),
    path("workers/join/", workers.Join.as_view()),
    path("workers/admissions/", workers.Admissions.as_view()),
    path("workers/admissions/<uuid:admission>/", workers.OneAdmission.as_view()),
    path("workers/<uuid:worker>/", workers.OneWorker.as_view()),
    path("workers/<uuid:worker>/drain/", workers.DrainWorker.as_view()),
    path("queues/", workers.Queues.as_view()),
    path("projects/<slug:slug>/workers/", workers.Workers.as_view()),
    path("projects/<slug:slug>/workers/<uuid:worker>/", workers.OneWorker.as_view()),
    path("projects/<slug:slug>/workers/<uuid:worker>/drain/", workers.DrainWorker.as_view()),
    path("projects/<slug:slug>/queues/", workers.Queues.as_view()),
]
