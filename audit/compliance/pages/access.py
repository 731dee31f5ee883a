"""Who can see or do what in a project and why; signing that off, and what was signed off before."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import find_project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from accounts.roles import PERMISSIONS
from audit.compliance.access_table import (
    DORMANT_DAYS,
    PersonAccess,
    TokenUse,
    as_table,
    digest_of_grants,
    due_at,
    notes_on,
    since_sign_off,
    way_of,
)
from audit.compliance.actions.access import review_access
from audit.compliance.queries.access import access_of, get_sign_off, may_sign_off, names_in, sign_offs
from audit.compliance.rights import PER_AREA, Area
from kernel.clock import now
from kernel.errors import MledError

TEXT_MAX = 4000
SHOWN = 8
OTHERS = {"operator": "the operator", "system": "MLED itself"}


class SignOff(forms.Form):
    """That the rights were looked at."""

    note = forms.CharField(
        max_length=TEXT_MAX,
        label="What was looked at, and what follows",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


@dataclass(frozen=True, slots=True)
class WayLine:
    """One reason for somebody's rights. by: who gave it; empty where the log does not say."""

    words: str
    since: dt.datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What somebody may do of one kind of work. rights: each in words, how far it goes behind it."""

    label: str
    words: str
    tone: str
    rights: Sequence[str]


@dataclass(frozen=True, slots=True)
class Line:
    """One person. changes: since the last sign-off."""

    name: str
    email: str
    is_me: bool
    is_service: bool
    is_active: bool
    ways: Sequence[WayLine]
    cells: Sequence[Cell]
    token_count: int
    tokens: Sequence[TokenUse]
    last_seen_at: dt.datetime | None
    is_dormant: bool
    conflicts: Sequence[str]
    changes: Sequence[str]

    @property
    def is_sound(self) -> bool:
        """Whether there is nothing to ask about."""
        return not (self.is_dormant or self.conflicts or self.changes)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The table as it is now; a post signs it off."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    people = access_of(viewer, project)
    table = as_table(people)
    before = sign_offs(viewer, project)
    form = SignOff(request.POST or None, initial={"seen": digest_of_grants(table)})
    if request.method == "POST" and form.is_valid():
        try:
            review_access(viewer, project, **form.cleaned_data)
        except MledError as error:
            fill_in_error(form, error)
            form.data = {**request.POST.dict(), "seen": digest_of_grants(table)}  # told: sent again, it counts
        else:
            messages.success(request, "Signed off. The table is kept as it was.")
            return redirect("compliance:access", slug=project.slug)
    last = before[0] if before else None
    since, names = since_sign_off(people, last), names_in(viewer, project, [table, *([last.table] if last else [])])
    lines = [
        line_of(row, names, one, viewer.user_id, since.by_user.get(row["user"], ()))
        for row, one in zip(table, people, strict=True)
    ]
    due = due_at(project, last)
    context = {
        "at": "access",
        "project": project,
        "areas": [area.label for area in Area],
        "lines": lines,
        "notes": notes_on(people, project),
        "dormant": sum(one.is_dormant for one in people),
        "dormant_days": DORMANT_DAYS,
        "conflicting": sum(bool(one.conflicts) for one in people),
        "changed": since.count,
        "gone": [names.get(one, "somebody who is forgotten") for one in since.gone],
        "last": last,
        "before": before[:SHOWN],
        "due": due,
        "is_overdue": due < now(),
        "may_sign_off": may_sign_off(viewer, project),
        "form": form,
    }
    return render(request, "compliance/access.html", context)


@require_safe
@signed_in
def signed(request: HttpRequest, slug: str, sign_off: UUID) -> HttpResponse:
    """The table of a sign-off, as it was signed."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = get_sign_off(viewer, project, sign_off)
    names = names_in(viewer, project, [found.table])
    context = {
        "at": "access",
        "project": project,
        "areas": [area.label for area in Area],
        "sign_off": found,
        "lines": [line_of(row, names) for row in found.table],
    }
    return render(request, "compliance/access_signed.html", context)


def line_of(
    row: Mapping[str, Any],
    names: Mapping[str, str],
    person: PersonAccess | None = None,
    me: UUID | None = None,
    changes: Sequence[str] = (),
) -> Line:
    """A row of a table as people read it. person: as they stand now; without, the row is of a sign-off."""
    seen = row["last_seen_at"]
    return Line(
        name=names.get(row["user"], f"former user {row['user'][:4]}"),
        email=person.user.email if person else "",
        is_me=person is not None and person.user.pk == me,
        is_service=row["is_service"],
        is_active=row["is_active"],
        ways=[_way_line(one, names) for one in row["ways"]],
        cells=_cells_now(person) if person else _cells_then(row["rights"]),
        token_count=len(row["tokens"]),
        tokens=person.tokens if person else (),
        last_seen_at=dt.datetime.fromisoformat(seen) if seen else None,
        is_dormant=row["is_dormant"],
        conflicts=row["conflicts"],
        changes=changes,
    )


def _way_line(row: Mapping[str, Any], names: Mapping[str, str]) -> WayLine:
    way = way_of(row)
    return WayLine(way.words, way.since, names.get(way.by) or OTHERS.get(way.by, ""))


def _cells_now(person: PersonAccess) -> list[Cell]:
    return [
        Cell(area.area.label, area.words, _tone(len(area.rights), area.of), [said(one.code) for one in area.rights])
        for area in person.rights
    ]


def _cells_then(rights: Mapping[str, Sequence[str]]) -> list[Cell]:
    held = [(area, rights.get(area.value, ())) for area in Area]
    return [
        Cell(area.label, f"{len(codes)} rights" if len(codes) > 1 else "1 right" if codes else "no",
             _tone(len(codes), len(PER_AREA[area])), [said(one) for one in codes])
        for area, codes in held
    ]  # fmt: skip


def _tone(held: int, of: int) -> str:
    return "t3" if not held else "b" if held >= of else ""


def said(code: str) -> str:
    """A right as a table keeps it, in words; one that this version does not know as it stands."""
    name, _, extent = code.partition(" ")
    known = PERMISSIONS.get(name)
    return f"{known.means if known else name}{f' {extent}' if extent else ''}"
