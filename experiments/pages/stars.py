"""A star on a run, from wherever the run is shown."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.pages.doors import actor_of, page_named, signed_in
from experiments.actions.stars import star_run, unstar_run
from experiments.queries.runs import get_run


@require_POST
@signed_in
def star(request: HttpRequest, run: str) -> HttpResponse:
    """Star the run, or take the star back (`on` says which); the button as it is then, or back to where one was."""
    viewer = actor_of(request)
    found, is_on = get_run(viewer, run), request.POST.get("on") == "1"
    (star_run if is_on else unstar_run)(viewer, found)
    if getattr(request, "htmx", False):
        context = {"run_id": found.uid.hex, "run_name": found.name, "is_starred": is_on}
        return render(request, "experiments/star_button.html", context)
    of_run = reverse("experiments:run", args=[found.uid.hex])
    return redirect(page_named(request, request.POST.get("next", ""), otherwise=of_run))
