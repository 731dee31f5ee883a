"""A run, a project's members or their rights as they were on a date, and what differs between two dates."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from audit.compliance.pages.log_words import words
from audit.compliance.queries.as_of import MEMBERS, RIGHTS, moment_of, states_of
from audit.compliance.queries.log import READS
from audit.compliance.queries.log_as_of import State
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid, NotFound

COLUMNS = "Run"  # the part of a run that its own columns are
LABELS = {"uid": "Run ID", "artifact_root_id": "Place of its files", "source_type": "Kind of source"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as it was at the first moment, and at the second. label: its name in words."""

    name: str
    label: str
    before: str
    after: str
    differs: bool


@require_safe
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """`at`: the moment; `what`: 'members', 'rights' or 'run:<id>'; `and`: a second moment to compare with."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, READS, project)
    asked = {name: request.GET.get(name, "").strip() for name in ("at", "and", "what")}
    context = {
        "at": "log",
        "project": project,
        "asked": {**asked, "second": asked["and"]},
        "parts": [],
        "log_url": reverse("compliance:log", args=[project.slug]),
        "now": now(),
    }
    status = 200
    if any(asked.values()):
        try:
            context |= _answer(viewer, project, asked)
        except (Invalid, NotFound) as error:
            context["problem"], status = error, 400 if isinstance(error, Invalid) else 404
    return render(request, "compliance/log_as_of.html", context, status=status)


def _answer(viewer: Actor, project: Project, asked: dict[str, str]) -> dict[str, object]:
    state_at, run = states_of(viewer, project, asked["what"] or MEMBERS)
    first_at = moment_of(asked["at"], "at") if asked["at"] else now()
    second_at = moment_of(asked["and"], "and") if asked["and"] else None
    first = state_at(first_at)
    second = state_at(second_at) if second_at is not None else first
    parts = compared(first, second)
    return {
        "run": run,
        "is_rights": asked["what"] == RIGHTS,
        "first_at": first_at,
        "second_at": second_at,
        "first": first,
        "second": second,
        "parts": parts,
        "changed": sum(row.differs for _, rows in parts for row in rows),
        "erased": max(first.erased, second.erased),
        "answered": True,
    }


def compared(first: State, second: State) -> list[tuple[str, list[Shown]]]:
    """The parts of two states beside each other as people read them, what differs first; empty parts are left out."""
    people = {**first.people, **second.people}
    parts = []
    for title, before in first.parts.items():
        after = second.parts.get(title, {})
        rows = [
            _row(title, name, before.get(name), after.get(name), people)
            for name in sorted(before.keys() | after.keys())
        ]
        if rows:
            parts.append((title, sorted(rows, key=lambda row: not row.differs)))
    return parts


def _row(title: str, name: str, before: Any, after: Any, people: Mapping[str, str]) -> Shown:
    label = name
    first, second = before, after
    if title == COLUMNS:
        label, first, second = column_label(name), _moment_in(name, before), _moment_in(name, after)
    return Shown(name, label, words(first, people), words(second, people), bool(before != after))


def column_label(name: str) -> str:
    """What a column of a run is called in words: 'ended_ms' is 'Ended'."""
    kept = next((name.removesuffix(end) for end in ("_ms", "_at", "_id") if name.endswith(end)), name)
    return LABELS.get(name) or kept.replace("_", " ").capitalize()


def _moment_in(name: str, value: Any) -> Any:
    """Milliseconds since 1970 as a moment; anything else as it is."""
    if not name.endswith("_ms") or not isinstance(value, int):
        return value
    try:
        moment = dt.datetime.fromtimestamp(value / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return value
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
