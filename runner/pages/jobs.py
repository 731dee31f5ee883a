"""A job on its own: its state while it goes on, all that was asked for, stopping it, trying it again."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access import can, find_project
from accounts.pages.doors import actor_of, signed_in
from experiments.queries.runs import tag_of
from kernel.actor import Actor
from kernel.errors import MledError, NotFound
from runner.actions.jobs import retry_job, stop_job
from runner.images import WITHOUT_TAG
from runner.models import Job
from runner.packages import image_of
from runner.pages.jobs_shown import shown_job
from runner.queries.jobs import get_job
from runner.queries.secrets import SEE as SEE_SECRETS
from runner.recipes import resources_of


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, job: UUID) -> HttpResponse:
    """What was asked for, to the last setting, and how it went."""
    viewer, found = _asked(request, slug, job)
    recipe = found.recipe
    context = {
        "at": "queue",
        "inputs": recipe.inputs.select_related("version__dataset__project").order_by("name"),
        "resources": resources_of(recipe),
        "image": image_of(recipe.environment),
        "sees_secrets": bool(can(viewer, SEE_SECRETS, found.project)),
        "without": tag_of(viewer, found.run, WITHOUT_TAG),
        **shown_job(viewer, found),
    }
    return render(request, "runner/job.html", context)


@require_safe
@signed_in
def state(request: HttpRequest, slug: str, job: UUID) -> HttpResponse:
    """How it stands: a page that is open asks again until it is over."""
    viewer, found = _asked(request, slug, job)
    response = render(request, "runner/job_state.html", shown_job(viewer, found))
    response["Cache-Control"] = "private, no-store"
    return response


@require_POST
@signed_in
def stop(request: HttpRequest, slug: str, job: UUID) -> HttpResponseBase:
    """Stop it, and back to where the button was."""
    return _act(request, slug, job, _stop)


@require_POST
@signed_in
def retry(request: HttpRequest, slug: str, job: UUID) -> HttpResponseBase:
    """The same once more, in a new run, and on to that."""
    return _act(request, slug, job, _retry)


def _stop(viewer: Actor, found: Job, reason: str) -> tuple[Job, str]:
    held = stop_job(viewer, found, reason=reason)
    name = found.run.readable_id
    return held, f"{name} is asked to stop." if held.is_open else f"{name} is stopped."


def _retry(viewer: Actor, found: Job, reason: str) -> tuple[Job, str]:
    again = retry_job(viewer, found)
    return again, ""


def _act(
    request: HttpRequest, slug: str, job: UUID, act: Callable[[Actor, Job, str], tuple[Job, str]]
) -> HttpResponseBase:
    viewer, found = _asked(request, slug, job)
    try:
        done, words = act(viewer, found, request.POST.get("reason", "").strip())
    except NotFound:
        raise
    except MledError as error:
        messages.error(request, str(error))
        return redirect(_back(request, found))
    if done.pk != found.pk:
        return redirect(f"{reverse('experiments:run', args=[done.run.uid.hex])}?launched")
    messages.success(request, words)
    return redirect(_back(request, found))


def _back(request: HttpRequest, job: Job) -> str:
    """The queue, for a button that stands there; else the run."""
    if request.POST.get("back") == "queue":
        return reverse("runner:queue", args=[job.project.slug])
    return reverse("experiments:run", args=[job.run.uid.hex])


def _asked(request: HttpRequest, slug: str, job: UUID) -> tuple[Actor, Job]:
    viewer = actor_of(request)
    return viewer, get_job(viewer, job, project=find_project(viewer, slug))
