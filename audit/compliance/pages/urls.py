"""Where the pages of compliance are. They stand before the tabs of a run, whose addresses theirs look like."""

from django.urls import path

from audit.compliance.pages import (
    access,
    log,
    log_as_of,
    log_export,
    past,
    profile,
    queue,
    report,
    report_form,
    report_preview,
    reports,
    review,
    rules,
    run_review,
)

app_name = "compliance"
urlpatterns = [
    path("r/<str:run>/rules/", rules.page, name="run_rules"),
    path("r/<str:run>/rules/do/<str:verb>/", rules.act, name="rules_act"),
    path("r/<str:run>/review/", run_review.page, name="run_review"),
    path("r/<str:run>/review/do/<str:verb>/", run_review.act, name="review_act"),
    path("findings/<uuid:finding>/do/<str:verb>/", run_review.finding_act, name="finding_act"),
    path("p/<slug:slug>/reviews/", queue.page, name="queue"),
    path("p/<slug:slug>/reviews/do/<str:verb>/", queue.act, name="queue_act"),
    path("p/<slug:slug>/reviews/<uuid:review>/", review.page, name="review"),
    path("p/<slug:slug>/reviews/<uuid:review>/state/", review.state, name="review_state"),
    path("p/<slug:slug>/reviews/<uuid:review>/assign/", queue.assign, name="assign_review"),
    path("p/<slug:slug>/reviews/<uuid:review>/start/", review.start, name="start_review"),
    path("p/<slug:slug>/reviews/<uuid:review>/decide/", review.decide, name="decide_review"),
    path("p/<slug:slug>/reports/", reports.page, name="reports"),
    path("p/<slug:slug>/reports/being-made/", reports.being_made, name="reports_open"),
    path("p/<slug:slug>/reports/new/", report_form.page, name="new_report"),
    path("p/<slug:slug>/reports/new/facts/", report_preview.part, name="report_facts"),
    path("p/<slug:slug>/reports/<uuid:report>/", report.page, name="report"),
    path("p/<slug:slug>/reports/<uuid:report>/state/", report.state, name="report_state"),
    path("p/<slug:slug>/reports/<uuid:report>/do/<str:verb>/", report.act, name="report_act"),
    path("p/<slug:slug>/reports/<uuid:report>/files/<str:report_file>", report.file, name="report_file"),
    path("verify/mled_verify.py", report.verifier, name="verifier"),
    path("p/<slug:slug>/log/", log.page, name="log"),
    path("p/<slug:slug>/log/export.jsonl", log_export.file, name="log_export"),
    path("p/<slug:slug>/log/as-of/", log_as_of.page, name="log_as_of"),
    path("p/<slug:slug>/rules/", profile.page, name="project_rules"),
    path("p/<slug:slug>/history/<slug:of>/<str:thing>/", past.page, name="past"),
    path("me/tokens/<uuid:token>/history/", past.token, name="token_past"),
    path("p/<slug:slug>/access/", access.page, name="access"),
    path("p/<slug:slug>/access/<uuid:sign_off>/", access.signed, name="access_signed"),
]
