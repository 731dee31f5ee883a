"""Who had which rights in a project at a moment: roles replayed from the events, and what these roles may do today.

The log keeps who had which role; what a role may do is written in the software, so the table is that of this version.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from accounts.access import require
from accounts.models import Membership, Project
from accounts.roles import PERMISSIONS, Role
from audit.compliance.queries.log import READS
from audit.compliance.queries.log_as_of import GROUP_VERBS, GUEST, IN_GROUP, State
from audit.compliance.queries.log_things import people_named
from audit.compliance.replaying import replayed
from audit.compliance.rights import PER_AREA, Extent, extent_of
from audit.ledger.models import AuditEvent
from audit.ledger.replay import Records
from kernel.actor import Actor

_GUEST_OF_EXPERIMENT = "experiments.experimentuserobjectpermission"
_OF_SITE = (
    *GROUP_VERBS,
    "accounts.appoint",
    "accounts.dismiss",
    "accounts.deactivate_user",
    "accounts.reactivate_user",
)
_OF_PROJECT = Q(verb__startswith="accounts.") | Q(verb__in=("experiments.grant_access", "experiments.withdraw_access"))
_KNOWN = frozenset(role.value for role in Role)


@dataclass(slots=True)
class _Held:
    """What somebody had at the moment."""

    roles: set[Role] = field(default_factory=set)
    sees_project: bool = False
    sees_experiments: bool = False

    def extent(self, permission: str) -> Extent | None:
        return extent_of(self.roles, permission, self.sees_project, self.sees_experiments)


def rights_at(viewer: Actor, project: Project, at: dt.datetime) -> State:
    """Who had which right in a project at a moment, roles on the whole site among them. Raises NotFound, Refused."""
    require(viewer, READS, project)
    here, beyond = Q(project_id=project.pk) & _OF_PROJECT, Q(project_id=None, verb__in=_OF_SITE)
    events = AuditEvent.objects.filter(here | beyond, at__lte=at, outcome="done")
    ids = list(events.values_list("id", flat=True))
    records, erased = replayed(ids)
    held = _held(records, project)
    names = people_named(viewer, project, held)
    parts = {
        area.label: {
            _sentence(permission): words for permission in permissions if (words := _who(held, names, permission))
        }
        for area, permissions in PER_AREA.items()
    }
    return State(parts, events=len(ids), erased=erased)


def _held(records: Records, project: Project) -> dict[str, _Held]:
    """What each person had, by their id; who was deactivated had nothing."""
    found: dict[str, _Held] = defaultdict(_Held)
    inside: dict[str, list[str]] = defaultdict(list)
    for one in records.of_kind(IN_GROUP).values():
        inside[str(one.get("group_id"))].append(str(one.get("user_id")))
    for one in records.of_kind(Membership._meta.label_lower).values():
        if one.get("project_id") in (None, project.pk.hex) and one.get("role") in _KNOWN:
            user, group = one.get("user_id"), str(one.get("group_id"))
            for who in [str(user)] if user else inside[group]:
                found[who].roles.add(Role(str(one["role"])))
    for one in records.of_kind(GUEST).values():
        found[str(one.get("user_id"))].sees_project = True
    for one in records.of_kind(_GUEST_OF_EXPERIMENT).values():
        found[str(one.get("user_id"))].sees_experiments = True
    gone = {key for key, one in records.of_kind("accounts.user").items() if one.get("is_active") is False}
    return {who: what for who, what in found.items() if who not in gone}


def _who(held: Mapping[str, _Held], names: Mapping[str, str], permission: str) -> str:
    """The people with this right, by name, each with how far it went."""
    able: list[tuple[str, Any]] = [(names.get(who, who), one.extent(permission)) for who, one in held.items()]
    return ", ".join(
        name if extent is Extent.ALL else f"{name} ({extent})"
        for name, extent in sorted(able, key=lambda one: one[0].casefold())
        if extent
    )


def _sentence(permission: str) -> str:
    means = PERMISSIONS[permission].means
    return means[:1].upper() + means[1:]
