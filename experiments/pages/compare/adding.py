"""Finding a run to add, by its name or id."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from experiments.pages.compare.frame import TABS, framed, offered
from kernel.errors import NotFound


@require_safe
@signed_in
def found(request: HttpRequest) -> HttpResponse:
    """The runs of a name, each a link to the comparison with it; a part of the page. `tab=`: the one to stay on."""
    tab = request.GET.get("tab", "overview")
    if tab not in dict(TABS):
        raise NotFound(f"There is no tab '{tab[:40]}'.")
    frame = framed(request, tab)
    words = request.GET.get("find", "").strip()[:200]
    offers = offered(frame.viewer, frame.asked, frame.runs, words)
    return render(request, "experiments/compare_found.html", {"offered": offers, "words": words})
