"""Where compliance is in the REST API."""

from django.urls import path

from audit.compliance.rest import access, keeping, log, reports, reviews, rules, verifications

urlpatterns = [
    path("runs/<str:run>/assessment/", rules.RunAssessment.as_view()),
    path("runs/<str:run>/rules/<str:rule>/exception/", rules.RuleException.as_view()),
    path("runs/<str:run>/rules/<str:rule>/waiver/", rules.OneWaiver.as_view()),
    path("runs/<str:run>/verifications/", verifications.RunVerifications.as_view()),
    path("runs/<str:run>/waivers/", rules.Waivers.as_view()),
    path("projects/<slug:slug>/log/", log.ProjectLog.as_view()),
    path("projects/<slug:slug>/rules/", rules.ProjectRules.as_view()),
    path("projects/<slug:slug>/reports/", reports.Reports.as_view()),
    path("projects/<slug:slug>/reviews/", reviews.Reviews.as_view()),
    path("projects/<slug:slug>/draws/", reviews.Draws.as_view()),
    path("projects/<slug:slug>/trail-reviews/", reviews.Trails.as_view()),
    path("projects/<slug:slug>/access/", access.Access.as_view()),
    path("projects/<slug:slug>/access/sign-offs/", access.SignOffs.as_view()),
    path("projects/<slug:slug>/holds/", keeping.Holds.as_view()),
    path("holds/<uuid:hold>/lift/", keeping.Lift.as_view()),
    path("projects/<slug:slug>/purges/", keeping.Purges.as_view()),
    path("purges/<uuid:purge>/carry-out/", keeping.CarryOut.as_view()),
    path("purges/<uuid:purge>/refuse/", keeping.RefusePurge.as_view()),
    path("purges/<uuid:purge>/withdraw/", keeping.WithdrawPurge.as_view()),
    path("runs/<str:run>/reviews/", reviews.RunReviews.as_view()),
    path("runs/<str:run>/amendment/", reviews.Amendment.as_view()),
    path("runs/<str:run>/findings/", reviews.RunFindings.as_view()),
    path("reports/<uuid:report>/", reports.OneReport.as_view()),
    path("reports/<uuid:report>/cancellation/", reports.Cancellation.as_view()),
    path("reports/<uuid:report>/files/<str:report_file>", reports.ReportContent.as_view()),
    path("reviews/<uuid:review>/", reviews.OneReview.as_view()),
    path("reviews/<uuid:review>/start/", reviews.Start.as_view()),
    path("reviews/<uuid:review>/verdict/", reviews.Verdict.as_view()),
    path("reviews/<uuid:review>/changes/", reviews.Changes.as_view()),
    path("findings/<uuid:finding>/answer/", reviews.Answer.as_view()),
    path("findings/<uuid:finding>/ask-again/", reviews.AskAgain.as_view()),
    path("findings/<uuid:finding>/closure/", reviews.Closure.as_view()),
]
