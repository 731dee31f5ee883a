"""What this process has read of people and rights, for as long as nobody's rights change anywhere.

A call of a training script asks who the token is, which roles they have and which project is meant: three reads that
say the same thousands of times. Instead, each request reads one stamp, which every act that changes rights renews in
its own transaction. While it stays the same, so does everything kept under it; a change of rights bites at the next
request on every worker. The stamp is random, never a counter: one that was rolled back cannot come again.
"""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Q

from accounts.models import ApiToken, Membership, Project, RightsStamp
from accounts.roles import Role
from audit.ledger.acting import Act, open_act
from audit.ledger.inserting import compiling_cursor
from kernel.actor import TokenGrant

Standing = dict[UUID | None, frozenset[Role]]
KEPT_AT_MOST = 10_000
SECONDS_AT_MOST = 60.0  # rows changed by hand in SQL renew no stamp; they count after this at the latest


@dataclass(slots=True)
class Facts:
    """What was read under one stamp. Only what was found is kept, never that something was not there."""

    stamp: UUID | None
    since: float = field(default_factory=time.monotonic)
    tokens: dict[str, ApiToken] = field(default_factory=dict)
    standings: dict[UUID, Standing] = field(default_factory=dict)
    projects: dict[str | UUID, Project] = field(default_factory=dict)
    grants: dict[UUID, TokenGrant] = field(default_factory=dict)
    # What rooms above have judged by these rights alone, by keys of their own.
    verdicts: dict[Any, bool] = field(default_factory=dict)

    def is_good_for(self, stamp: UUID | None) -> bool:
        """Whether these facts still hold under the stamp that stands now. Without a stamp nothing does."""
        if stamp is None or stamp != self.stamp or time.monotonic() - self.since > SECONDS_AT_MOST:
            return False
        return len(self.tokens) + len(self.standings) + len(self.projects) + len(self.verdicts) < KEPT_AT_MOST

    def token(self, digest: str) -> ApiToken | None:
        """The token with that digest, with its owner."""
        found = self.tokens.get(digest)
        if found is None:
            found = ApiToken.objects.select_related("user").filter(digest=digest).first()
            if found is not None:
                self.tokens[digest] = found
        return found

    def grant(self, token: ApiToken) -> TokenGrant:
        """What a token that was found here allows at most."""
        found = self.grants.get(token.id)
        if found is None:
            found = self.grants[token.id] = TokenGrant(
                id=token.id,
                name=token.name,
                scopes=frozenset(token.scopes),
                projects=None if token.projects is None else frozenset(UUID(text) for text in token.projects),
                default_project=token.default_project_id,
                run=token.run_uid,
            )
        return found

    def standing(self, user_id: UUID) -> Standing:
        """The user's roles by project id (None: site-wide), direct and by group."""
        found = self.standings.get(user_id)
        if found is None:
            found = self.standings[user_id] = _read_standing(user_id)
        return found

    def project(self, key: str | UUID) -> Project | None:
        """The project by slug or id. One object for all: actions read the row again before they change it."""
        found = self.projects.get(key)
        if found is None:
            by = Q(slug=key) if isinstance(key, str) else Q(pk=key)
            found = Project.objects.filter(by).first()
            if found is not None:
                self.projects[key] = found
        return found


_kept = Facts(stamp=None)


def facts() -> Facts:
    """The facts that hold now. One short read; ask once a request.

    Within an open act they are that act's alone: what it has changed may yet be rolled back.
    """
    global _kept
    if open_act() is not None:
        return Facts(stamp=None)
    stamp, kept = _stamp(), _kept
    if not kept.is_good_for(stamp):
        kept = _kept = Facts(stamp)
    return kept


def _stamp() -> UUID | None:
    with compiling_cursor() as cursor:
        cursor.execute("SELECT stamp FROM accounts_rightsstamp WHERE id = 1")
        row = cursor.fetchone()
    return None if row is None else row[0] if isinstance(row[0], UUID) else UUID(row[0])


def presumed_facts() -> Facts | None:
    """The facts that held when this process last asked, if it did. Nobody has asked whether they hold now: whoever
    writes by them has the database compare their stamp in the statement that writes."""
    kept = _kept
    return kept if open_act() is None and kept.is_good_for(kept.stamp) else None


def _read_standing(user_id: UUID) -> Standing:
    mine = Q(user_id=user_id) | Q(group__members__user_id=user_id)
    found: dict[UUID | None, set[Role]] = {}
    for project_id, role in Membership.objects.filter(mine).values_list("project_id", "role"):
        found.setdefault(project_id, set()).add(Role(role))
    return {project_id: frozenset(roles) for project_id, roles in found.items()}


def renew_stamp(act: Act) -> None:
    """Before an act commits: a new stamp if it changed anybody's rights."""
    if any(change["type"].startswith("accounts.") for change in act.changes):
        RightsStamp.objects.update_or_create(pk=RightsStamp.THE_ROW, defaults={"stamp": uuid4()})
