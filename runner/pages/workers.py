"""Workers and queues: of the site for administrators, of a project for its ML engineers."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import can, find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, MledError, NotFound
from runner.actions.workers import (
    ADMIT,
    MANAGE,
    admit_worker,
    drain_worker,
    new_word,
    take_off_worker,
    withdraw_admission,
)
from runner.elsewhere import command, lacks, only_here
from runner.models import Admission
from runner.pages.jobs_words import Badge
from runner.queries.workers import (
    SEE,
    QueueNow,
    WorkerNow,
    admissions_of,
    get_admission,
    get_worker,
    projects_of_workers,
    queues_of,
    workers_of,
)

WORKER_ACTS: Final = ("drain", "resume", "take-off")
_BADGES: Final = {
    "ready": Badge("ok", "ok", "Ready"),
    "busy": Badge("accent", "running", "Busy"),
    "draining": Badge("warn", "hold", "Draining"),
    "gone": Badge("fail", "bad", "Gone"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A worker in words. machine: its system, processors and memory."""

    now: WorkerNow
    badge: Badge
    machine: str


@dataclass(frozen=True, slots=True)
class Made:
    """A word, for the one answer that shows it."""

    admission: Admission
    command: str
    notes: list[str]


class NewWorker(forms.Form):
    """What the worker on the other machine is called."""

    name = forms.CharField(
        max_length=120,
        help_text="As it shall stand in the list: <code>gpu-2</code>",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def site(request: HttpRequest) -> HttpResponse:
    """All workers; an administrator's post makes the word for one on another machine, and the answer shows it."""
    viewer = actor_of(request)
    if not can(viewer, SEE) and (known := projects_of_workers(viewer)):
        return render(request, "runner/workers_where.html", {"at": "workers", "projects": known}, status=403)
    form, made = NewWorker(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        word = new_word()
        try:
            admission = admit_worker(viewer, name=form.cleaned_data["name"], word=word)
        except MledError as error:
            fill_in_error(form, error)
        else:
            address = request.build_absolute_uri("/").rstrip("/")
            made, form = Made(admission, command(address, word), only_here()), NewWorker()
    return _page(request, viewer, None, form=form, made=made)


@require_http_methods(["GET", "HEAD"])
@signed_in
def of_project(request: HttpRequest, slug: str) -> HttpResponse:
    """The workers that a project's jobs run on."""
    viewer = actor_of(request)
    return _page(request, viewer, find_project(viewer, slug))


def _page(request: HttpRequest, viewer: Actor, at: Project | None, **more: Any) -> HttpResponse:
    rows = [Row(one, _BADGES[one.state], _machine(one)) for one in workers_of(viewer, at)]
    queues: list[QueueNow] = queues_of(viewer, at)
    context: dict[str, Any] = {
        "at": "workers",
        "project": at,
        "here": reverse("runner:workers") if at is None else reverse("runner:project_workers", args=[at.slug]),
        "rows": rows,
        "queues": queues,
        "slots": sum(row.now.worker.slots for row in rows if row.now.state in ("ready", "busy")),
        "busy": sum(row.now.busy for row in rows),
        "waiting": sum(queue.waiting for queue in queues),
        "may_manage": bool(can(viewer, MANAGE, at)),
        "now": now(),
    }
    if at is None and can(viewer, ADMIT):
        context |= {"may_admit": True, "lacks": lacks(), "admissions": admissions_of(viewer), **more}
    response = render(request, "runner/workers.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _machine(one: WorkerNow) -> str:
    about = one.worker.about
    memory = about.get("memory_mb")
    told = [
        about.get("machine"),
        f"{about['cpus']} CPU" if about.get("cpus") else None,
        f"{memory / 1024:.0f} GiB" if isinstance(memory, int | float) else None,
        about.get("system"),
    ]
    return ", ".join(str(part) for part in told if part)


@require_POST
@signed_in
def act(request: HttpRequest, worker: UUID, verb: str, slug: str = "") -> HttpResponse:
    """Drain, take jobs again, or off the list."""
    viewer = actor_of(request)
    at = find_project(viewer, slug) if slug else None
    found = get_worker(viewer, worker, at)
    if verb not in WORKER_ACTS:
        raise NotFound(f"A worker has no act '{verb}'.")
    reason = request.POST.get("reason", "").strip()[:1000]
    try:
        if verb == "take-off":
            take_off_worker(viewer, at, worker=found, reason=reason)
            messages.success(request, f"{found.name} is off the list.")
        else:
            drain_worker(viewer, at, worker=found, draining=verb == "drain", reason=reason)
            takes = "takes no more jobs; what it does, it ends." if verb == "drain" else "takes jobs again."
            messages.success(request, f"{found.name} {takes}")
    except Conflict as error:
        messages.error(request, str(error))
    return redirect(reverse("runner:project_workers", args=[slug]) if slug else reverse("runner:workers"))


@require_POST
@signed_in
def withdraw(request: HttpRequest, admission: UUID) -> HttpResponse:
    """A word is good for nothing from now on."""
    viewer = actor_of(request)
    try:
        withdraw_admission(viewer, admission=get_admission(viewer, admission))
        messages.success(request, "The word is withdrawn.")
    except Conflict as error:
        messages.error(request, str(error))
    return redirect("runner:workers")
