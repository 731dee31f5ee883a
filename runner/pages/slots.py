"""What pages of rooms below show of the jobs behind runs. They are registered when the room starts."""

from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from artifacts.pages.slots import Panel
from experiments.models import Run
from kernel.actor import Actor
from runner.pages.jobs_shown import is_just_launched, shown_job
from runner.pages.jobs_words import badge_of, lasted_words, told_of
from runner.queries.jobs import job_of
from runner.queries.launching import my_jobs_now, my_numbers_now

HOME_SHOWN: Final = 6


def run_strip(request: HttpRequest, viewer: Actor, run: Run) -> Panel | None:
    """Below the head of a run that was launched here: how its job stands. With ?launched: that it is there."""
    job = job_of(viewer, run)
    if job is None:
        return None
    address = request.build_absolute_uri(reverse("experiments:run", args=[run.uid.hex]))
    is_fresh = "launched" in request.GET and is_just_launched(viewer, job)
    return Panel("runner/run_job.html", {**shown_job(viewer, job), "is_fresh": is_fresh, "address": address})


def again_command(viewer: Actor, run: Run) -> str:
    """How a run that was launched here is done again from a terminal: by its recipe, which only this place has."""
    return f"mled recreate {run.readable_id} --there" if job_of(viewer, run) is not None else ""


def home_panel(viewer: Actor) -> Panel | None:
    """On the home page: one's own jobs that wait or are under way, or that others stopped lately; None for none."""
    found = list(my_jobs_now(viewer)[: HOME_SHOWN + 1])
    if not found:
        return None
    rows = [
        {"job": one, "badge": badge_of(one), "lasted": lasted_words(one), "told": told_of(one)}
        for one in found[:HOME_SHOWN]
    ]
    projects = {one.project_id: one.project for one in found}
    stopped = sum(not one.is_open for one in found)
    open_ones = len(found) - stopped
    if len(found) > HOME_SHOWN:
        open_ones, stopped = my_numbers_now(viewer)
    context = {"rows": rows, "open": open_ones, "stopped": stopped, "projects": list(projects.values())}
    return Panel("runner/home.html", context)
