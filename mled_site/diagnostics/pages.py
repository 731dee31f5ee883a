"""The page of the diagnosis: each check arrives by itself, so that a slow one holds up no other."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from mled_site.diagnostics.queries import checks_named, diagnosis
from mled_site.diagnostics.results import Asked
from mled_site.diagnostics.showing import as_text, headline


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """All checks: as they come in, or (?now=1, for browsers without scripts) all of them at once."""
    checks, asked = checks_named(actor_of(request), ()), asked_by(request)
    context = {"checks": checks, "thorough": asked.thorough, "headline": "", "at": "diagnostics"}
    if "now" in request.GET:
        report = diagnosis(actor_of(request), (), asked)
        context |= {"results": report.results, "headline": headline(report)}
    return render(request, "diagnostics/page.html", context)


@require_safe
@signed_in
def one(request: HttpRequest, check: str) -> HttpResponse:
    """One check, examined now: a row of the page, or the page with this alone."""
    report = diagnosis(actor_of(request), (check,), asked_by(request))
    if request.headers.get("HX-Request"):
        return render(request, "diagnostics/result.html", {"result": report.results[0]})
    context = {"results": report.results, "headline": headline(report), "alone": True, "at": "diagnostics"}
    return render(request, "diagnostics/page.html", context)


@require_safe
@signed_in
def text(request: HttpRequest) -> HttpResponse:
    """All of it as plain text, for a bug report."""
    report = diagnosis(actor_of(request), (), asked_by(request))
    return HttpResponse(as_text(report), content_type="text/plain; charset=utf-8")


def asked_by(request: HttpRequest) -> Asked:
    """What a request tells of itself."""
    return Asked(
        url=f"{request.scheme}://{request.get_host()}",
        forwarded=request.headers.get("X-Forwarded-Proto", ""),
        thorough="thorough" in request.GET,
    )


app_name = "diagnostics"
urlpatterns = [
    path("diagnostics/", page, name="page"),
    path("diagnostics/as-text/", text, name="text"),
    path("diagnostics/<slug:check>/", one, name="one"),
]
