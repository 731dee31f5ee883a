"""A run, a project's members or their rights as they were on a date, and what differs between two dates."""

import datetime as dt
from collections.abc import Callable, Mapping
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
from audit.compliance.queries.log import READS
from audit.compliance.queries.log_as_of import State, members_at, run_at
from audit.compliance.queries.log_question import FIRST_YEAR, LAST_YEAR
from audit.compliance.queries.rights_as_of import rights_at
from experiments.models import Run
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid

MEMBERS, RIGHTS, RUN = "members", "rights", "run:"
At = Callable[[dt.datetime], State]


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as it was at the first moment, and at the second."""

    name: str
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
        except Invalid as error:
            context["problem"], status = error, 400
    return render(request, "compliance/log_as_of.html", context, status=status)


def _answer(viewer: Actor, project: Project, asked: dict[str, str]) -> dict[str, object]:
    state_at, run = _subject(viewer, project, asked["what"] or MEMBERS)
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


def _subject(viewer: Actor, project: Project, what: str) -> tuple[At, Run | None]:
    if what == MEMBERS:
        return (lambda at: members_at(viewer, project, at)), None
    if what == RIGHTS:
        return (lambda at: rights_at(viewer, project, at)), None
    if not what.startswith(RUN) or not what.removeprefix(RUN).strip():
        raise Invalid(
            f"'{what[:40]}' cannot be shown as it was.", hint="Give 'members', 'rights' or 'run:<id>'.", field="what"
        )
    run = get_run(viewer, what.removeprefix(RUN).strip(), project=project)
    return (lambda at: run_at(viewer, run, at)), run


def compared(first: State, second: State) -> list[tuple[str, list[Shown]]]:
    """The parts of two states beside each other as people read them, what differs first; empty parts are left out."""
    people = {**first.people, **second.people}
    parts = []
    for title, before in first.parts.items():
        after = second.parts.get(title, {})
        rows = [_row(name, before.get(name), after.get(name), people) for name in sorted(before.keys() | after.keys())]
        if rows:
            parts.append((title, sorted(rows, key=lambda row: not row.differs)))
    return parts


def _row(name: str, before: Any, after: Any, people: Mapping[str, str]) -> Shown:
    return Shown(name, words(before, people), words(after, people), bool(before != after))


def moment_of(text: str, field: str) -> dt.datetime:
    """An ISO 8601 moment, in UTC where it names no zone. Raises Invalid."""
    try:
        found = dt.datetime.fromisoformat(text.replace(" ", "+") if text.count("T") == 1 else text)
        moment = (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"'{text[:40]}' is no time.", hint="Write it as 2026-11-20T12:00.", field=field) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Invalid("The time is outside the log.", hint=f"It is {now():%Y} now.", field=field)
    return moment
