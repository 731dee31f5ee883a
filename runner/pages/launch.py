"""Run an experiment here: a form that launches nothing until all of it is right."""

import secrets
from collections.abc import Sequence
from typing import Any, Final, cast

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from artifacts.pages.new_version import PLAIN_MAX_BYTES
from experiments.queries.recorded import experiments_offered
from kernel.actor import Actor
from kernel.errors import Invalid, InvalidFields, MledError, NotFound, Refused, TooLarge, Unauthenticated
from runner.actions.templates import retire_template
from runner.pages.launch_doing import change_the_template, chosen_template, keep_as_template, launch_once
from runner.pages.launch_form import TEMPLATE, TRAINER, Typed
from runner.pages.launch_offers import as_chosen, run_like, template_of
from runner.pages.launch_shown import shown
from runner.recreating.likeness import like
from runner.trainers import trainers

LAUNCH: Final = "runner.launch"
SUFFIXES: Final = (
    ".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".tbz2", ".txz", ".bundle", ".ipynb", ".py", ".sh", ".r",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The form, new or like an earlier run; a post launches, or does to the form what its button says."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, LAUNCH, project)
    if request.method != "POST":
        return _form(request, project, _opened(request, viewer, project))
    typed, verb = Typed.of(request.POST), request.POST.get("do", "")
    if verb == "look":
        return render(request, "runner/launch_checks.html", shown(request, viewer, project, typed))
    if verb in ("change", "more"):
        return _form(request, project, as_chosen(viewer, project, typed.without_json), more=verb == "more")
    if typed.text("what_was") and typed.text("what") != typed.text("what_was"):  # its fields were not seen yet
        other = Invalid("This is another thing to run: look at its fields, and start it then.", field="what")
        return _form(request, project, as_chosen(viewer, project, typed.without_json), [other])
    try:
        typed = _with_file(request, viewer, project, typed.with_json())
        if verb == "json":
            return _form(request, project, typed)
        return _done(request, viewer, project, typed, verb)
    except InvalidFields as error:
        return _form(request, project, typed, error.problems)
    except (NotFound, Refused, Unauthenticated):
        raise
    except MledError as error:
        return _form(request, project, typed, [error])


def _done(request: HttpRequest, viewer: Actor, project: Project, typed: Typed, verb: str) -> HttpResponse:
    """Launched, and on to the run; or kept as a template, and on to a form from that."""
    if verb in ("template", "template_change"):
        keep = keep_as_template if verb == "template" else change_the_template
        return redirect(f"{_address(project)}?template={keep(viewer, project, typed).pk}&kept")
    if verb == "template_retire":
        retire_template(viewer, chosen_template(viewer, project, typed))
        return redirect(f"{_address(project)}?retired")
    run = launch_once(viewer, project, typed, request.POST)
    return redirect(f"{reverse('experiments:run', args=[run.uid.hex])}?launched")


def _opened(request: HttpRequest, viewer: Actor, project: Project) -> Typed:
    """A form that nobody typed into yet. ?like: a run to do again or change; ?template, ?trainer: what to run;
    ?experiment: where it goes; ?dataset: a version to run it on."""
    offered = experiments_offered(viewer, project)
    asked = next((one for one in offered if str(one.pk) == request.GET.get("experiment", "")), None)
    chosen = asked or next((one for one in offered if not one.is_default), offered[0] if offered else None)
    texts = {"key": secrets.token_urlsafe(18), "experiment": chosen.name if chosen else ""}
    ref, template = request.GET.get("like", ""), request.GET.get("template", "")
    if ref:
        run = run_like(viewer, project, ref)
        if run is None:
            raise NotFound(f"There is no run '{ref[:60]}' here that you may see.", field="like")
        found = like(viewer, run)
        texts |= {"like": run.readable_id, "experiment": run.experiment.name, "name": run.name, "queue": found.queue}
        return Typed.like(found.wanted, texts)
    if template:
        kept = template_of(viewer, project, template)
        if kept is None:
            raise NotFound("There is no such template in this project.", field="template")
        return Typed.like(kept.draft, {**texts, "what": f"{TEMPLATE}:{kept.pk}"})
    named = request.GET.get("trainer", "")
    known = [one for one in trainers() if one.name == named] or list(trainers())[:1]
    inputs = {one.inputs[0].name: request.GET.get("dataset", "")[:100] for one in known if one.inputs}
    return Typed.like(
        {"trainer": known[0].name, "inputs": inputs, "seed": 0}, {**texts, "what": f"{TRAINER}:{known[0].name}"}
    )


def _with_file(request: HttpRequest, viewer: Actor, project: Project, typed: Typed) -> Typed:
    """With the chosen file kept as an upload: it need not be chosen again if something else is wrong."""
    file = request.FILES.get("code_file")
    if not isinstance(file, UploadedFile) or not file.name:
        return typed
    if not file.name.lower().endswith(SUFFIXES):
        words = f"'{file.name[-80:]}' is no code that can be run."
        raise Invalid(words, hint=f"Send a folder, a notebook or a script: {', '.join(SUFFIXES)}.", field="code_file")
    size = file.size or 0
    if size > PLAIN_MAX_BYTES:
        words = f"Code of {size // 10**6} MB is more than the {PLAIN_MAX_BYTES // 10**6} MB that this form takes."
        raise TooLarge(words, hint="Leave data and results out of it, or name a repository.", field="code_file")
    if not size:
        raise Invalid("The file is empty.", field="code_file")
    upload = begin_upload(viewer, project, size_bytes=size, purpose="code to run")
    upload = append_upload(viewer, upload, offset=0, incoming=cast("Any", file))
    kept = finish_upload(viewer, upload)
    return typed.with_texts(code=str(kept.pk), code_name=file.name[-200:], code_of="")


def _form(
    request: HttpRequest, project: Project, typed: Typed, problems: Sequence[MledError] = (), *, more: bool = False
) -> HttpResponse:
    """The form with what was typed."""
    viewer = actor_of(request)
    context = shown(request, viewer, project, typed, problems, more=more)
    return render(request, "runner/launch.html", context)


def _address(project: Project) -> str:
    return reverse("runner:launch", args=[project.slug])
