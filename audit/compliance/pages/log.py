"""The audit log of a project: who did what, when, in which role, through which door, with old and new values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import can, find_project
from accounts.pages.doors import actor_of, signed_in
from accounts.pages.history import DOORS, before_of
from accounts.roles import Role
from audit.compliance.acts import verb_words
from audit.compliance.pages.log_words import kind_words, lines_of
from audit.compliance.pages.report_links import log_url
from audit.compliance.queries.log import (
    FOLDED,
    Choices,
    LogPage,
    check_events,
    choices_in,
    left_out_of,
    log_page,
    standing_of_log,
)
from audit.compliance.queries.log_question import FIELDS, NOT_PEOPLE, asked_of
from audit.compliance.queries.log_things import people_in, people_named, things_named
from kernel.errors import Invalid

A_PAGE = 50
ALL = "all"  # in an address: what MLED itself does all the time is shown too
DAYS = frozenset({"from", "to"})  # under any other filter it is shown anyway
OTHERS = {
    "operator": "Operator of the machine",
    "system": "MLED itself",
    "guest": "Guests of a board",
    "anonymous": "Nobody signed in",
}
LABELS = {
    "actor": "Actor",
    "role": "Role then",
    "door": "Door",
    "action": "Action",
    "kind": "Kind of object",
    "object": "Object",
    "outcome": "Outcome",
    "from": "From",
    "to": "To",
    "q": "Text",
}


@dataclass(frozen=True, slots=True)
class Pick:
    """One field of the filter form. options: value and label; empty: it is typed."""

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Chip:
    """A narrowing in force, and the address without it."""

    label: str
    value: str
    url: str


@require_safe
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The log as far as it matches, newest first, in pages. `verify=1`: the events shown are proven."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    problem, shown, folds, left_out = None, LogPage([], None, None), False, 0
    try:
        asked = asked_of(viewer, project, request.GET)
        folds = request.GET.get(ALL) != "1" and not set(asked.words) - DAYS
        question = replace(asked.question, without=FOLDED if folds else ())
        shown = log_page(viewer, project, question, before=before_of(request), limit=A_PAGE)
        left_out = left_out_of(viewer, project, shown, before=before_of(request)) if folds else 0
    except Invalid as error:
        problem = error
    choices = choices_in(viewer, project)
    picks = picks_of(choices, request.GET)
    people = people_named(viewer, project, people_in(shown.events))
    address = reverse("compliance:log", args=[project.slug])
    past = [one.past for one in shown.events]
    query = _query(request.GET)
    narrowed = {name: text for name, text in query.items() if name != ALL}
    context = {
        "at": "log",
        "project": project,
        "lines": lines_of(project, shown.events, things_named(viewer, shown.events), people),
        "searched": shown.searched,
        "picks": picks,
        "chips": _chips(picks, address, request.GET),
        "problem": problem,
        "folds": folds,
        "left_out": left_out,
        "unfold_url": _with(address, query, all="1"),
        "fold_url": _with(address, narrowed) if query.get(ALL) and set(narrowed) <= DAYS else "",
        "standing": standing_of_log(viewer, project),
        "may_verify": bool(can(viewer, "ledger.verify")),
        "may_export": bool(can(viewer, "compliance.report", project)),
        "checked": check_events(viewer, project, past) if request.GET.get("verify") == "1" else None,
        "verify_url": _with(address, query, before=request.GET.get("before", ""), verify="1"),
        "export_url": _with(reverse("compliance:log_export", args=[project.slug]), narrowed),
        "bundle_url": _with(reverse("compliance:log_bundle_ask", args=[project.slug]), narrowed),
        "report_url": log_url(project, narrowed),
        "address": address,
        "next_url": _with(address, query, before=shown.next_id.hex) if shown.next_id else "",
        "first_url": _with(address, query) if request.GET.get("before") else "",
    }
    return render(request, "compliance/log.html", context, status=400 if problem else 200)


def picks_of(choices: Choices, given: Mapping[str, str]) -> list[Pick]:
    """The fields of the form with what can be chosen in each."""
    verbs = sorted(((one, f"{verb_words(one)} ({one})") for one in choices.verbs), key=lambda pair: pair[1].lower())
    kinds = sorted(((one, kind_words(one)) for one in choices.kinds), key=lambda pair: pair[1])
    options: dict[str, list[tuple[str, str]]] = {
        "actor": [*choices.people, *((one, OTHERS[one]) for one in NOT_PEOPLE)],
        "role": [(role.value, role.label) for role in Role],
        "door": list(DOORS.items()),
        "action": verbs,
        "kind": kinds,
        "outcome": [("done", "done"), ("denied", "refused")],
    }
    return [Pick(name, LABELS[name], given.get(name, "").strip(), options.get(name, [])) for name in FIELDS]


def _chips(picks: Sequence[Pick], address: str, given: QueryDict) -> list[Chip]:
    query = _query(given)
    return [
        Chip(
            pick.label,
            dict(pick.options).get(pick.value, pick.value),
            _with(address, {name: text for name, text in query.items() if name != pick.name}),
        )
        for pick in picks
        if pick.value
    ]


def _query(given: Mapping[str, str]) -> dict[str, str]:
    """What the address asks, for the addresses that stand on the page."""
    kept = {name: given[name].strip() for name in FIELDS if given.get(name, "").strip()}
    return {**kept, ALL: "1"} if given.get(ALL) == "1" else kept


def _with(address: str, query: Mapping[str, str], **more: Any) -> str:
    asked = QueryDict(mutable=True)
    for name, text in {**query, **more}.items():
        if text:
            asked[name] = text
    return f"{address}?{asked.urlencode()}" if asked else address
