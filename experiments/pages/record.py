"""Log a past experiment: a form that writes nothing until all of it is right, and the page that says it is there."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import can, find_project, require
from accounts.markdown import as_html
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from artifacts.pages.new_version import PLAIN_MAX_BYTES, Sent
from artifacts.queries.uploads import get_upload
from experiments.actions.recorded import CONTAINER, record_run_once
from experiments.conditions import Conditions, conditions_of
from experiments.models import Run
from experiments.pages.notes import PREVIEW_MAX
from experiments.pages.record_form import KINDS, RECORD, Typed, shown
from experiments.queries.recorded import (
    as_template,
    experiments_offered,
    recorded_before,
    version_named,
    versions_offered,
)
from experiments.queries.runs import get_run, inputs_of, params_of, series_of
from experiments.recording.wanted import ARCHITECTURE, RAN, Wanted
from experiments.values import BY_HAND
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid, InvalidFields, MledError, NotFound, Refused, TooLarge, Unauthenticated

LOG = "experiments.log_run"
# Where each condition is written in the form.
WHERE = {
    "Code": ("commit", "Name the commit"),
    "Data": ("dataset_version", "Choose a version"),
    "Packages": ("files", "Add a lock file"),
    "Parameters": ("param-key-1", "Give at least one"),
    "Seed": ("param-key-1", "Add a parameter seed"),
    "Hardware": ("", "scripts record it"),
    "Command": ("command", "Add the command"),
    "Container": ("container", "Name the image"),
    "Determinism": ("param-key-1", "Add a parameter deterministic"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The form, empty or like an earlier run; a post stores the run, or does to the form what its button says."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, LOG, project)
    if request.method != "POST":
        return _form(request, project, _opened(request, viewer, project))
    try:
        typed = Typed.of(request.POST)
    except Invalid as error:
        kept = request.POST.copy()
        kept["uploads"] = ""
        return _form(request, project, Typed.of(kept), [Invalid(error.message, hint=error.hint, field="files")])
    verb, _, kind = request.POST.get("do", "").partition(" ")
    if verb == "look":
        return render(
            request, "experiments/record_seen.html", {"seen": seen_of(viewer, project, typed.wanted), "where": WHERE}
        )
    if verb == "more" and kind in KINDS:
        return _form(request, project, typed, more=kind)
    if verb == "paste" and kind == RECORD:
        return _filled(request, project, typed)
    if verb == "paste" and kind in KINDS:
        return _pasted(request, project, typed, kind)
    return _store(request, project, typed)


def _opened(request: HttpRequest, viewer: Actor, project: Project) -> Typed:
    """A form that nobody typed into yet. ?like: a run to take over; ?experiment: where it goes; ?dataset: what on."""
    like = request.GET.get("like", "")
    offered = experiments_offered(viewer, project)
    wanted = as_template(viewer, get_run(viewer, like, project=project)) if like else Wanted()
    chosen = next((one for one in offered if str(one.pk) == request.GET.get("experiment", "")), None)
    if chosen is None and not like:
        chosen = offered[0] if offered else None
    if chosen is not None:
        wanted = replace(wanted, experiment=chosen.name)
    if request.GET.get("dataset"):
        wanted = replace(wanted, dataset=request.GET["dataset"][:600])
    return Typed.like(wanted, secrets.token_urlsafe(18))


def _pasted(request: HttpRequest, project: Project, typed: Typed, kind: str) -> HttpResponse:
    try:
        typed = typed.with_pasted(kind)
    except MledError as error:
        return _form(request, project, typed, [error])
    return _form(request, project, typed)


def _filled(request: HttpRequest, project: Project, typed: Typed) -> HttpResponse:
    """The form with a whole pasted record in it. Nothing is written."""
    try:
        filled = _with_record(actor_of(request), typed)
    except MledError as error:
        return _form(request, project, typed, [error])
    return _form(request, project, filled, filled=True)


def _with_record(viewer: Actor, typed: Typed) -> Typed:
    """The form with the pasted record taken over. Raises Invalid."""
    whole = typed.whole
    try:
        uploads = [(path, get_upload(viewer, upload)) for path, upload in whole.files]
    except NotFound as error:
        raise Invalid(error.message, hint="Choose the file in the form.", field="record_paste") from None
    return typed.with_whole(whole, [Sent(str(one.pk), path, one.size_bytes or 0) for path, one in uploads])


def _store(request: HttpRequest, project: Project, typed: Typed) -> HttpResponse:
    viewer = actor_of(request)
    try:
        typed = replace(typed, sent=(*typed.sent, *_plain_files(request, viewer, project)))
        if typed.pasted.get(RECORD, "").strip():
            typed = _with_record(viewer, typed)
        typed = typed.with_everything_pasted()
        run = record_run_once(viewer, project, wanted=typed.wanted, key=typed.key)
    except InvalidFields as error:
        return _form(request, project, typed, error.problems)
    except (NotFound, Refused, Unauthenticated):
        raise
    except Conflict as error:
        before = recorded_before(viewer, project, typed.key)
        fresh = replace(typed, key=secrets.token_urlsafe(18)) if before else typed
        return _form(request, project, fresh, [] if before else [error], stored=before.run_uid.hex if before else "")
    except MledError as error:
        return _form(request, project, typed, [error])
    return redirect("experiments:record_done", slug=project.slug, run=run.uid.hex)


def _plain_files(request: HttpRequest, viewer: Actor, project: Project) -> list[Sent]:
    """The files in the form itself, kept as uploads: they need not be chosen again if something else is wrong."""
    plain = [file for file in request.FILES.getlist("files") if isinstance(file, UploadedFile) and file.name]
    if sum(file.size or 0 for file in plain) > PLAIN_MAX_BYTES:
        words = f"Without scripts a form takes at most {PLAIN_MAX_BYTES // 10**6} MB."
        raise InvalidFields([TooLarge(words, hint="Send larger files over REST.", field="files")])
    sent = []
    for file in plain:
        size = file.size or 0
        upload = begin_upload(viewer, project, size_bytes=size, purpose="a run recorded by hand")
        if size:
            upload = append_upload(viewer, upload, offset=0, incoming=cast("BinaryIO", file))
        sent.append(Sent(str(finish_upload(viewer, upload).pk), file.name or "file", size))
    return sent


def _form(
    request: HttpRequest,
    project: Project,
    typed: Typed,
    problems: Sequence[MledError] = (),
    *,
    more: str = "",
    stored: str = "",
    filled: bool = False,
) -> HttpResponse:
    """The form with what was typed. stored: the id of the run that this form made before it was changed;
    filled: a pasted record was just taken over."""
    viewer = actor_of(request)
    context: dict[str, Any] = {
        "at": "runs",
        "project": project,
        "experiments": experiments_offered(viewer, project),
        "versions": [(str(version), version.created_at) for version in versions_offered(viewer, project)],
        "statuses": [(status.value, label) for status, label in RAN.items()],
        "architecture_key": ARCHITECTURE,
        "may_register": bool(can(viewer, "datasets.register", project)),
        "seen": seen_of(viewer, project, typed.wanted),
        "where": WHERE,
        "stored": get_run(viewer, stored, project=project) if stored else None,
        "max_bytes": PLAIN_MAX_BYTES,
        "filled": filled,
        **shown(typed, problems, more=more),
    }
    context["typed"]["status"] = context["typed"]["status"] or "FINISHED"
    return render(request, "experiments/record.html", context)


def seen_of(viewer: Actor, project: Project, wanted: Wanted) -> Conditions:
    """What the record will show of the conditions of the run, by what was typed so far."""
    planned = Run(git_commit=wanted.commit.strip(), source_name=wanted.command.strip())
    new = wanted.new_dataset
    named = version_named(viewer, project, wanted.dataset) or (new.name and new.digest and new.source)
    return conditions_of(
        planned,
        params={key: value for key, value in wanted.params if key and value.strip()},
        tags={CONTAINER: wanted.container.strip()},
        series=[],
        inputs=[cast("Any", named)] if named else [],
        paths=[path for path, _ in wanted.files],
    )


@require_safe
@signed_in
def versions(request: HttpRequest, slug: str) -> JsonResponse:
    """Versions of the catalogue whose name has this text, as the field offers them."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, LOG, project)
    text = request.GET.get("q", "")[:500]
    return JsonResponse({"versions": [str(version) for version in versions_offered(viewer, project, text)]})


@require_POST
@signed_in
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Notes as they will look."""
    viewer = actor_of(request)
    require(viewer, LOG, find_project(viewer, slug))
    text = request.POST.get("text", "") or request.POST.get("note", "")
    return render(request, "experiments/run_preview.html", {"html": as_html(text[:PREVIEW_MAX])})


@require_safe
@signed_in
def done(request: HttpRequest, slug: str, run: str) -> HttpResponse:
    """That it is there: its ids, where it is, and what comes next."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = get_run(viewer, run, project=project)
    if found.source_type != BY_HAND:
        return redirect("experiments:run", run=found.uid.hex)
    context = {
        "at": "runs",
        "project": project,
        "run": found,
        "address": request.build_absolute_uri(reverse("experiments:run", args=[found.uid.hex])),
        "params": len(params_of(viewer, found)),
        "results": [(one.key, one.last_value) for one in series_of(viewer, found)][:6],
        "inputs": inputs_of(viewer, found),
        "may_log": bool(can(viewer, LOG, project)),
    }
    return render(request, "experiments/record_done.html", context)
