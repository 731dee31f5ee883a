"""Sections of an access review: everybody who could see or do something in a project under a head, and why.

Roles, groups and grants are read from their history; what a role may do is written in the software, so the rights are
those of this version.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from accounts.models import Group, GroupMember, Membership, Project, ProjectUserObjectPermission, User
from accounts.roles import Role
from audit.compliance.access_table import conflicts_of
from audit.compliance.access_ways import DIRECT, EXPERIMENT, GROUP, PROJECT, SITE, Way
from audit.compliance.models import AccessReview, Report
from audit.compliance.reports import said
from audit.compliance.reports.asof import People, chunks, rows_at
from audit.compliance.reports.facts import AccessSection, Fact
from audit.compliance.rights import rights_of
from audit.ledger.models import AuditEvent
from experiments.models import Experiment, ExperimentUserObjectPermission

Ways = Mapping[UUID, Sequence[Way]]


def people_at(project: Project, size: int) -> list[str]:
    """The ids of everybody with a way into a project under the head, by name."""
    names = People()
    ways = ways_at(project, size)
    names.learn(ways)
    return [one.hex for one in sorted(ways, key=lambda one: (names.name(one).lower(), one))]


def access_sections(report: Report, ids: Sequence[str], size: int) -> Iterator[AccessSection]:
    """The sections of people in this order."""
    ways, names = ways_at(report.project, size), People()
    wanted = [UUID(hex=one) for one in ids]
    then = {row.id: row for some in chunks(wanted) for row in rows_at(User, size, id__in=some)}
    users = User.objects.in_bulk(wanted)
    for user_id in wanted:
        if user_id in users:
            yield _section(users[user_id], then.get(user_id, users[user_id]), ways.get(user_id, ()), names)


def _section(user: User, then: Any, ways: Sequence[Way], names: People) -> AccessSection:
    roles = {Role(way.role) for way in ways if way.role}
    kinds = {way.kind for way in ways}
    able = then.is_active
    rights = rights_of(
        roles if able else (), sees_project=able and PROJECT in kinds, sees_experiments=able and EXPERIMENT in kinds
    )
    account = "Service account" if then.is_service else "Person"
    about = [
        Fact("Account", f"{account}, {'active' if able else 'deactivated'}"),
        Fact("E-mail", user.email),
        Fact("Joined", said.moment(user.joined_at)),
    ]
    return AccessSection(
        id=user.pk.hex,
        name=str(user),
        about=about,
        rights=[Fact(one.area.label, _rights(one.words, [right.means for right in one.rights])) for one in rights],
        why=[_why(way, names) for way in ways],
        notes=conflicts_of(then, ways, ()),
    )


def _rights(words: str, means: Sequence[str]) -> str:
    return f"{words}: {'; '.join(means)}" if means else words


def _why(way: Way, names: People) -> str:
    by = names.name(UUID(hex=way.by)) if len(way.by) == 32 else way.by
    since = f", since {said.moment(way.since)}" if way.since else ""
    return f"{way.words}{since}{f', by {by}' if by else ''}"


def sign_off_note(report: Report) -> str:
    """Who signed off who may do what, the last time before the head."""
    rows = rows_at(AccessReview, report.log_size or 0, project_id=report.project_id)
    if not rows:
        return "Nobody had signed off who may do what."
    last = max(rows, key=lambda row: row.at)
    return f"Last signed off by {People().name(last.by_id)} at {said.moment(last.at)}, SHA-256 {last.digest}."


# --- Ways in, from the history of roles, groups and grants


def ways_at(project: Project, size: int) -> dict[UUID, list[Way]]:
    """By person: each reason why they could see or do something under the head."""
    of_project = rows_at(Membership, size, project_id=project.pk)
    of_site = rows_at(Membership, size, project_id=None)
    rows = sorted([*of_project, *of_site], key=lambda row: (row.project_id is None, row.role, row.id))
    inside: dict[int, list[Any]] = defaultdict(list)
    for member in rows_at(GroupMember, size, group_id__in=[row.group_id for row in rows if row.group_id]):
        inside[member.group_id].append(member)
    groups = Group.objects.in_bulk([row.group_id for row in rows if row.group_id])
    found: dict[UUID, list[Way]] = defaultdict(list)
    given = _Given()
    for row in rows:
        kind = SITE if row.project_id is None else GROUP if row.group_id else DIRECT
        group = groups[row.group_id].name if row.group_id in groups else ""
        way = given.by(Way(kind, role=row.role, group=group), row)
        if row.user_id is not None:
            found[row.user_id].append(way)
        for member in inside[row.group_id] if row.group_id else ():
            found[member.user_id].append(way if row.history_id > member.history_id else given.by(way, member))
    _put_guests(found, project, size, given)
    return dict(found)


def _put_guests(found: dict[UUID, list[Way]], project: Project, size: int, given: "_Given") -> None:
    for row in rows_at(ProjectUserObjectPermission, size, content_object_id=project.pk):  # type: ignore[type-abstract]
        found[row.user_id].append(given.by(Way(PROJECT), row))
    names = dict(Experiment.objects.filter(project=project).values_list("pk", "name"))
    grants = rows_at(ExperimentUserObjectPermission, size, content_object_id__in=list(names))
    for row in grants:
        found[row.user_id].append(given.by(Way(EXPERIMENT, experiment=names[row.content_object_id]), row))


class _Given:
    """When and by whom a row of history came, says the event that it names."""

    def by(self, way: Way, row: Any) -> Way:
        """The way with both; as it is where no event is named."""
        if not row.history_change_reason:
            return way
        event = AuditEvent.objects.filter(pk=UUID(row.history_change_reason)).first()
        if event is None:
            return way
        return replace(way, since=event.at, by=event.actor_id.hex if event.actor_id else event.actor_kind)
