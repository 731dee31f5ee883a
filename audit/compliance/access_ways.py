"""How people came to their rights in a project: by which role, group or grant, since when, by whom, says the log."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import GroupMember, Membership, Project, ProjectUserObjectPermission, User
from accounts.roles import Role
from audit.ledger.models import AuditEvent
from experiments.models import ExperimentUserObjectPermission

DIRECT, GROUP, SITE, PROJECT, EXPERIMENT = "direct", "group", "site", "project", "experiment"


@dataclass(frozen=True, slots=True)
class Given:
    """When the log says that something was given, and by whom: the id of a person, or operator or system."""

    at: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class Way:
    """One reason why somebody may do something.

    kind: direct, group, site (a role on the whole site), project or experiment (sight of it without a role).
    by: the id of the person who gave it, or operator or system; empty where the log does not say.
    """

    kind: str
    role: str = ""
    group: str = ""
    experiment: str = ""
    since: dt.datetime | None = None
    by: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it this way and no other."""
        return self.kind, self.role, self.group, self.experiment

    @property
    def words(self) -> str:
        """In words: 'ML engineer, by group Platform'."""
        if self.kind == PROJECT:
            return "Guest: sees the project"
        if self.kind == EXPERIMENT:
            return f"Guest: sees {self.experiment}"
        label = Role(self.role).label
        where = {DIRECT: "", GROUP: f", by group {self.group}", SITE: ", on the whole site"}[self.kind]
        by_group = f" by group {self.group}" if self.kind == SITE and self.group else ""
        return f"{label}{where}{by_group}"


def ways_into(project: Project) -> dict[User, list[Way]]:
    """Everybody who can see or do anything in a project, with each reason for it."""
    found: dict[User, list[Way]] = defaultdict(list)
    for user, way in (*_by_role(project), *_as_guest(project)):
        found[user].append(way)
    return found


def _by_role(project: Project) -> Iterator[tuple[User, Way]]:
    rows = Membership.objects.filter(Q(project=project) | Q(project=None)).select_related("user", "group")
    memberships = list(rows.prefetch_related("group__members__user").order_by("project", "role", "pk"))
    inside = [one for row in memberships if row.group for one in row.group.members.all()]
    given, joined = given_by_log(Membership, memberships), given_by_log(GroupMember, inside)
    for row in memberships:
        since = given.get(row.pk)
        kind = SITE if row.project_id is None else GROUP if row.group else DIRECT
        way = Way(kind, role=row.role, group=row.group.name if row.group else "", since=row.since_at)
        if row.user is not None:
            yield row.user, _since(way, since)
        for one in row.group.members.all() if row.group else ():
            yield one.user, _since(way, _later(since, joined.get(one.pk)))


def _as_guest(project: Project) -> Iterator[tuple[User, Way]]:
    of_project = list(ProjectUserObjectPermission.objects.filter(content_object=project).select_related("user"))
    grants = ExperimentUserObjectPermission.objects.filter(content_object__project=project)
    of_experiments = list(grants.select_related("user", "content_object").order_by("content_object__name", "pk"))
    given = given_by_log(ProjectUserObjectPermission, of_project)
    for row in of_project:
        yield row.user, _since(Way(PROJECT), given.get(row.pk))
    given = given_by_log(ExperimentUserObjectPermission, of_experiments)
    for grant in of_experiments:
        yield grant.user, _since(Way(EXPERIMENT, experiment=grant.content_object.name), given.get(grant.pk))


def _since(way: Way, given: Given | None) -> Way:
    return way if given is None else replace(way, since=given.at, by=given.by)


def _later(first: Given | None, second: Given | None) -> Given | None:
    both = [one for one in (first, second) if one is not None]
    return max(both, key=lambda one: one.at, default=None)


def given_by_log(model: Any, rows: Iterable[Any]) -> dict[Any, Given]:
    """For each of these rows the last event that changed it: its history names the event, the log says who and when."""
    past = model.history.filter(id__in=[row.pk for row in rows]).order_by("history_id")
    last: Mapping[Any, str | None] = dict(past.values_list("id", "history_change_reason"))
    events = AuditEvent.objects.in_bulk([UUID(one) for one in last.values() if one])
    return {
        pk: Given(event.at, event.actor_id.hex if event.actor_id else event.actor_kind)
        for pk, named in last.items()
        if named and (event := events.get(UUID(named)))
    }
