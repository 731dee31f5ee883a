"""Where the pages of launching, of jobs and of the queue are."""

from django.urls import path

from runner.pages import jobs, launch, queue, recreating, rules, sweeps, workers

app_name = "runner"
urlpatterns = [
    path("r/<str:run>/recreate/", recreating.page, name="recreate"),
    path("r/<str:run>/bundle.zip", recreating.bundle, name="bundle"),
    path("p/<slug:slug>/launch/", launch.page, name="launch"),
    path("p/<slug:slug>/queue/", queue.page, name="queue"),
    path("p/<slug:slug>/queue/listed/", queue.listed, name="queue_listed"),
    path("p/<slug:slug>/queue/do/<str:verb>/", queue.act, name="queue_act"),
    path("p/<slug:slug>/jobs/<uuid:job>/", jobs.page, name="job"),
    path("p/<slug:slug>/jobs/<uuid:job>/state/", jobs.state, name="job_state"),
    path("p/<slug:slug>/jobs/<uuid:job>/stop/", jobs.stop, name="job_stop"),
    path("p/<slug:slug>/jobs/<uuid:job>/retry/", jobs.retry, name="job_retry"),
    path("p/<slug:slug>/sweeps/<uuid:sweep>/state/", sweeps.state, name="sweep_state"),
    path("p/<slug:slug>/sweeps/<uuid:sweep>/stop/", sweeps.stop, name="sweep_stop"),
    path("p/<slug:slug>/settings/jobs/", rules.page, name="rules"),
    path("p/<slug:slug>/settings/jobs/secrets/<str:secret>/remove/", rules.remove, name="remove_secret"),
    path("workers/", workers.site, name="workers"),
    path("workers/<uuid:worker>/<str:verb>/", workers.act, name="worker_act"),
    path("workers/words/<uuid:admission>/withdraw/", workers.withdraw, name="withdraw_admission"),
    path("p/<slug:slug>/workers/", workers.of_project, name="project_workers"),
    path("p/<slug:slug>/workers/<uuid:worker>/<str:verb>/", workers.act, name="project_worker_act"),
]
