"""The rights of a role in the words of the field: who reads, logs, reviews, approves and manages."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from accounts.access import GRANTABLE
from accounts.roles import PERMISSIONS, REASON_NEEDED, THE_TABLE, Reach, Role


class Area(StrEnum):
    """A kind of work that rights are for."""

    READS = "reads"
    LOGS = "logs"
    REVIEWS = "reviews"
    APPROVES = "approves"
    MANAGES = "manages"

    @property
    def label(self) -> str:
        """As a heading."""
        return self.value.capitalize()


class Extent(StrEnum):
    """How far a right goes: everything in the project, on others' things with a reason, one's own, one experiment."""

    ALL = "all"
    REASON = "with reason"
    OWN = "own only"
    ONE = "one experiment"


# What every reader does beside reading, which writes nothing into a record.
_READING = frozenset(
    {
        *("projects.see", "projects.read_log", "experiments.see", "experiments.download", "webhooks.see"),
        *("experiments.save_view", "experiments.comment", "experiments.remove_comment", "experiments.star"),
        *("compliance.assess", "compliance.report", "compliance.see_access"),
    }
)
_REVIEWING = frozenset(
    {
        *("compliance.assign", "compliance.decide_review", "compliance.find", "compliance.review_trail"),
        *("compliance.cosign_waiver", "compliance.review_access"),
    }
)
_APPROVING = frozenset(
    {"registry.decide_promotion", "compliance.waive", "compliance.purge_ask", "compliance.purge"},
)
_LOGGING = frozenset(
    {
        *("experiments.create", "experiments.log_run", "experiments.upload", "experiments.edit_notes"),
        *("experiments.move_run", "datasets.register", "datasets.set_alias", "registry.log_model"),
        *("registry.register", "registry.delete", "registry.set_alias", "registry.ask_promotion"),
        *("compliance.submit", "compliance.answer"),
    }
)


@dataclass(frozen=True, slots=True)
class Right:
    """One thing that somebody may do."""

    permission: str
    extent: Extent

    @property
    def means(self) -> str:
        """In words."""
        return PERMISSIONS[self.permission].means

    @property
    def code(self) -> str:
        """In one word, as a signed table keeps it."""
        return self.permission if self.extent is Extent.ALL else f"{self.permission} ({self.extent})"


@dataclass(frozen=True, slots=True)
class AreaRights:
    """What somebody may do of one kind of work. of: how many rights there are of it."""

    area: Area
    rights: tuple[Right, ...]
    of: int

    @property
    def words(self) -> str:
        """How much, in a word or two."""
        whole = sum(one.extent is Extent.ALL for one in self.rights)
        if whole == self.of:
            return "all"
        if not self.rights:
            return "no"
        extents = {one.extent for one in self.rights}
        return extents.pop().value if len(extents) == 1 and not whole else f"{len(self.rights)} of {self.of}"


def area_of(permission: str) -> Area:
    """The kind of work that a permission is for; what is of no other kind is managing."""
    for area, those in (
        (Area.READS, _READING),
        (Area.LOGS, _LOGGING),
        (Area.REVIEWS, _REVIEWING),
        (Area.APPROVES, _APPROVING),
    ):
        if permission in those:
            return area
    return Area.MANAGES


def project_permissions() -> list[str]:
    """Every permission that is about a project, as the role table lists them."""
    return [one.name for one in PERMISSIONS.values() if not one.site and not one.own_account]


PER_AREA: Final = {area: tuple(name for name in project_permissions() if area_of(name) is area) for area in Area}
_WIDEST = (Extent.ALL, Extent.REASON, Extent.OWN, Extent.ONE)


def rights_of(
    roles: Collection[Role], *, sees_project: bool = False, sees_experiments: bool = False
) -> tuple[AreaRights, ...]:
    """What these roles together may do in a project, by kind of work; and a guest of the project or of experiments."""
    found = {name: extent_of(roles, name, sees_project, sees_experiments) for name in project_permissions()}
    return tuple(
        AreaRights(area, tuple(Right(name, extent) for name in names if (extent := found[name])), len(names))
        for area, names in PER_AREA.items()
    )


def extent_of(
    roles: Iterable[Role], permission: str, sees_project: bool = False, sees_experiments: bool = False
) -> Extent | None:
    """How far the widest of these roles goes; None: not at all."""
    held = {_extent(role, permission) for role in roles}
    if permission in GRANTABLE:
        held |= {Extent.ALL} if sees_project else set()
        held |= {Extent.ONE} if sees_experiments and permission != "projects.see" else set()
    return next((one for one in _WIDEST if one in held), None)


def _extent(role: Role, permission: str) -> Extent | None:
    reach = THE_TABLE[role].get(permission)
    if reach is Reach.ANY:
        return Extent.REASON if (role, permission) in REASON_NEEDED else Extent.ALL
    return Extent.OWN if reach is Reach.OWN else None
