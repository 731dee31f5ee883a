"""What the table of people and their rights says: conflicts, what a sign-off keeps of it, what changed since one."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import ApiToken, Project, User
from accounts.roles import WRITING_ROLES, Role, Scope
from audit.compliance.access_ways import SITE, Way
from audit.compliance.models import AccessReview
from audit.compliance.rights import AreaRights
from kernel.clock import now
from kernel.digests import canonical_json, sha256_hex

DORMANT_DAYS = 90
DUE_DAYS = 90
MANAGERS_MAX = 2


@dataclass(frozen=True, slots=True)
class TokenUse:
    """A token that is good for the project. Its secret is nowhere."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    every_project: bool
    last_used_at: dt.datetime | None
    expires_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class PersonAccess:
    """One person or service account, what they may do in the project and why.

    rights: by kind of work, of all ways together. tokens: those whose details the viewer may see; token_ids: of all.
    conflicts: what is wrong with these rights, in sentences that name nobody.
    """

    user: User
    ways: tuple[Way, ...]
    rights: tuple[AreaRights, ...]
    token_ids: tuple[str, ...]
    tokens: tuple[TokenUse, ...]
    last_seen_at: dt.datetime | None
    is_dormant: bool
    conflicts: tuple[str, ...]

    @property
    def roles(self) -> frozenset[Role]:
        """Every role that counts here."""
        return frozenset(Role(way.role) for way in self.ways if way.role)

    @property
    def hidden_tokens(self) -> int:
        """How many more tokens there are."""
        return len(self.token_ids) - len(self.tokens)


def last_seen(user: User, tokens: Iterable[ApiToken]) -> dt.datetime | None:
    """The last sign-in, or use of any token."""
    moments = [user.last_login, *(one.last_used_at for one in tokens)]
    return max((one for one in moments if one is not None), default=None)


def is_dormant(user: User, seen_at: dt.datetime | None) -> bool:
    """Whether nobody used the account for so long, or since it was made, that its rights are likely needed no more."""
    return (seen_at or user.joined_at) < now() - dt.timedelta(days=DORMANT_DAYS)


def conflicts_of(user: User, ways: Iterable[Way], tokens: Iterable[ApiToken]) -> list[str]:
    """What is wrong with somebody's rights."""
    roles = {Role(way.role) for way in ways if way.role}
    found = []
    if Role.AUDITOR in roles and roles & WRITING_ROLES:
        found.append("Audits and writes in the same project.")
    if Role.ADMINISTRATOR in roles and len(roles) > 1:
        found.append("Administers the site and has a role that reads the project.")
    if user.is_service and roles & {Role.PROJECT_MANAGER, Role.AUDITOR, Role.ADMINISTRATOR}:
        found.append("A service account decides about people or verdicts.")
    if not user.is_active:
        found.append("The account is deactivated, yet its roles still stand.")
    if any(Scope.MANAGE in one.scopes and one.expires_at is None for one in tokens):
        found.append("A token that may manage never ends.")
    return found


def notes_on(people: Sequence[PersonAccess], project: Project) -> list[str]:
    """What is wrong with the whole: too many or too few who manage or audit."""
    able = [one for one in people if one.user.is_active]
    managers = [one for one in able if _in_project(one, Role.PROJECT_MANAGER)]
    found = []
    if len(managers) > MANAGERS_MAX:
        found.append(f"{len(managers)} people manage the project; {MANAGERS_MAX} are enough.")
    if not managers:
        found.append("Nobody manages the project.")
    if project.is_governed and not any(Role.AUDITOR in one.roles for one in able):
        found.append("The project is governed, and nobody audits it.")
    return found


def _in_project(person: PersonAccess, role: Role) -> bool:
    return any(way.role == role and way.kind != SITE for way in person.ways)


def as_table(people: Iterable[PersonAccess]) -> list[dict[str, Any]]:
    """What a sign-off keeps: opaque ids instead of names, so that a person can be forgotten."""
    return [
        {
            "user": one.user.pk.hex,
            "is_active": one.user.is_active,
            "is_service": one.user.is_service,
            "ways": [_way_row(way) for way in one.ways],
            "rights": {area.area.value: [right.code for right in area.rights] for area in one.rights if area.rights},
            "tokens": list(one.token_ids),
            "last_seen_at": one.last_seen_at.isoformat() if one.last_seen_at else None,
            "is_dormant": one.is_dormant,
            "conflicts": list(one.conflicts),
        }
        for one in people
    ]


def _way_row(way: Way) -> dict[str, str | None]:
    return {
        "kind": way.kind,
        "role": way.role,
        "group": way.group,
        "experiment": way.experiment,
        "since": way.since.isoformat() if way.since else None,
        "by": way.by,
    }


def digest_of_table(table: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 of the table's canonical JSON."""
    return sha256_hex(canonical_json([dict(row) for row in table]))


def digest_of_grants(table: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 over who has what: another one once a right came or went, not because somebody signed in."""
    kept = ("user", "is_active", "ways", "rights", "tokens")
    return sha256_hex(canonical_json([{name: row[name] for name in kept} for row in table]))


def due_at(project: Project, last: AccessReview | None) -> dt.datetime:
    """Until when somebody signs off again: a quarter of a year after the last time, or since the project was made."""
    return (last.at if last else project.created_at) + dt.timedelta(days=DUE_DAYS)


@dataclass(frozen=True, slots=True)
class Since:
    """What came and went since a sign-off. by_user: sentences by a person's id; gone: who has no right any more."""

    by_user: Mapping[str, Sequence[str]]
    gone: Sequence[str]

    @property
    def count(self) -> int:
        """How many people it concerns."""
        return len(self.by_user) + len(self.gone)


def since_sign_off(people: Iterable[PersonAccess], last: AccessReview | None) -> Since:
    """What is not as it was signed off; nothing where nobody ever did."""
    if last is None:
        return Since({}, ())
    before = {row["user"]: row for row in last.table}
    today = {row["user"]: row for row in as_table(people)}
    changed = {user: _changes(before.get(user), row) for user, row in today.items()}
    return Since(
        {user: words for user, words in changed.items() if words}, [user for user in before if user not in today]
    )


def _changes(before: Mapping[str, Any] | None, today: Mapping[str, Any]) -> list[str]:
    if before is None:
        return ["New."]
    had, has = ({way_of(row).words for row in one["ways"]} for one in (before, today))
    words = [f"New: {one}." for one in sorted(has - had)] + [f"No longer: {one}." for one in sorted(had - has)]
    if before["is_active"] != today["is_active"]:
        words.append("Active again." if today["is_active"] else "Deactivated.")
    made, ended = (set(today["tokens"]) - set(before["tokens"]), set(before["tokens"]) - set(today["tokens"]))
    words += [f"{len(made)} new token{'s' * (len(made) != 1)}."] if made else []
    words += [f"{len(ended)} token{'s' * (len(ended) != 1)} ended."] if ended else []
    if not words and before["rights"] != today["rights"]:
        words.append("The same roles may do other things now.")
    return words


def way_of(row: Mapping[str, Any]) -> Way:
    """A way as a signed table keeps it."""
    since = dt.datetime.fromisoformat(row["since"]) if row.get("since") else None
    return Way(row["kind"], row["role"], row["group"], row["experiment"], since, row["by"])
