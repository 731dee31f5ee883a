"""A run, or who was in a project, as it was at a moment: replayed from the events alone.

What the tables say today is not asked, so what was overwritten or removed since is there again, and a row that was
changed past the log is not.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.access import require
from accounts.models import Group, Membership, Project
from accounts.roles import Role
from audit.compliance.queries.log import READS
from audit.compliance.queries.log_things import people_named, versions_named
from audit.compliance.replaying import replayed
from audit.ledger.models import AuditEvent
from audit.ledger.replay import Records
from experiments.models import Run
from experiments.queries.experiments import experiment_names
from kernel.actor import Actor

GUEST = "accounts.projectuserobjectpermission"
IN_GROUP = "accounts.groupmember"
GROUP_VERBS = ("accounts.add_to_group", "accounts.remove_from_group")
_LABELS = {role.value: role.label for role in Role}
Part = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class State:
    """What there was, in parts: title -> name -> value. events: how many told it; erased: of how many the payload went.

    Empty parts are there too, so that two states have the same ones.
    """

    parts: Mapping[str, Part]
    events: int
    erased: int
    people: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing yet."""
        return not any(self.parts.values())


def run_at(viewer: Actor, run: Run, at: dt.datetime) -> State:
    """A run's columns, params, tags, data and files at a moment. Raises NotFound, Refused."""
    require(viewer, READS, run.project)
    ids = [*AuditEvent.objects.filter(_about(run), at__lte=at).values_list("id", flat=True)]
    records, erased = replayed(ids)
    uid = run.uid.hex
    own = records.of_kind("experiments.run").get(uid, {})
    return State(
        {
            "Run": _with_place(viewer, own),
            "Parameters": records.of_kind("experiments.param").get(uid, {}),
            "Tags": records.of_kind("experiments.runtag").get(uid, {}),
            "Data": _renamed(records.of_kind("experiments.runinput").get(uid, {}), viewer),
            "Files": records.of_kind("artifacts.artifactfile").get(f"run:{uid}", {}),
        },
        events=len(ids),
        erased=erased,
        people=people_named(viewer, run.project, own.values()),
    )


def members_at(viewer: Actor, project: Project, at: dt.datetime) -> State:
    """Who had which role in a project at a moment, and who saw it without one. Raises NotFound, Refused."""
    require(viewer, READS, project)
    own = Q(project_id=project.pk, verb__startswith="accounts.")
    events = AuditEvent.objects.filter(own | Q(project_id=None, verb__in=GROUP_VERBS), at__lte=at, outcome="done")
    ids = list(events.values_list("id", flat=True))
    records, erased = replayed(ids)
    rows = [
        one
        for one in records.of_kind(Membership._meta.label_lower).values()
        if one.get("project_id") in (None, project.pk.hex)
    ]
    guests = [one for one in records.of_kind(GUEST).values() if one.get("user_id")]
    groups = _groups(records, rows)
    said = [
        *(one.get("user_id") for one in (*rows, *guests)),
        *(one for _, inside in groups.values() for one in inside),
    ]
    people = people_named(viewer, project, said)
    return State(
        {"Members": _roles(rows, people, groups), "See it without a role": _named(guests, people)},
        events=len(ids),
        erased=erased,
    )


def _about(run: Run) -> Q:
    """Events whose subject is the run, and those about something else that changed its row: history names them."""
    subject = run.ledger_subject
    past: Any = Run.history  # type: ignore[attr-defined]  # simple-history's manager
    reasons = (
        past.filter(uid=run.uid).exclude(history_change_reason=None).values_list("history_change_reason", flat=True)
    )
    also = [UUID(hex=one) for one in set(reasons) if len(one) in (32, 36)]
    told = Q(subject_type=subject.kind, subject_id=subject.id)
    return (told | Q(pk__in=also) if also else told) & Q(outcome="done")


def _with_place(viewer: Actor, own: Mapping[str, Any]) -> Part:
    number = own.get("experiment_id")
    if not isinstance(number, int):
        return own
    return {**own, "experiment_id": experiment_names(viewer, {number}).get(number, number)}


def _renamed(told: Mapping[str, Any], viewer: Actor) -> Part:
    names = versions_named(viewer, told)
    return {names.get(one, one): value for one, value in told.items()}


def _groups(records: Records, rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, list[str]]]:
    """The names of the groups in these rows, and the ids of the people in each then; by the id of the group."""
    inside: dict[str, list[str]] = defaultdict(list)
    for one in records.of_kind(IN_GROUP).values():
        inside[str(one.get("group_id"))].append(str(one.get("user_id")))
    wanted = [one["group_id"] for one in rows if one.get("group_id") is not None]
    found = Group.objects.filter(pk__in=wanted)
    return {group.ledger_id: (f"{group.name} (group)", inside[group.ledger_id]) for group in found}


def _roles(
    rows: Sequence[Mapping[str, Any]], people: Mapping[str, str], groups: Mapping[str, tuple[str, list[str]]]
) -> Part:
    """Who -> their roles; behind those of a group who was in it."""
    found: dict[str, set[str]] = defaultdict(set)
    inside: dict[str, str] = {}
    for one in rows:
        user, group = str(one.get("user_id") or ""), str(one.get("group_id") or "")
        who = people.get(user, user) if user else groups.get(group, (f"group {group}", []))[0]
        if group in groups and groups[group][1]:
            inside[who] = ": " + ", ".join(sorted(people.get(each, each) for each in groups[group][1]))
        found[who].add(_LABELS.get(str(one.get("role")), str(one.get("role"))))
    return {who: ", ".join(sorted(roles)) + inside.get(who, "") for who, roles in found.items()}


def _named(guests: Sequence[Mapping[str, Any]], people: Mapping[str, str]) -> Part:
    return {people.get(str(one["user_id"]), str(one["user_id"])): "sees the project" for one in guests}
