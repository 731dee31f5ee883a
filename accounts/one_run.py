"""What a job's token is good for: it reads what its owner sees in the project, and writes the one run of the job.

Everything that is not named here is refused, so that what rooms learn to do later is closed to it. Rooms say which of
their rows belong to a run.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from accounts.facts import Facts
from accounts.models import ApiToken
from accounts.roles import THE_TABLE, Permission
from accounts.scoping import ProjectScoped
from kernel.actor import Actor, TokenGrant
from kernel.errors import Refused

LAUNCH: Final = "runner.launch"
READS: Final = frozenset({"projects.see", "experiments.see", "experiments.download"})
WRITES: Final = frozenset(
    {"experiments.log_run", "experiments.upload", "experiments.edit_notes", "registry.log_model"}
)  # and these only on rows of its run

# Whether a row is the run of this id, or belongs to it, for this actor.
BelongsTo = Callable[[Actor, Any, UUID], bool]
_belongs: dict[type, BelongsTo] = {}


def register_rows_of_runs(model: type, belongs: BelongsTo) -> None:
    """Let a room say which of its rows are a run's. Of tables that no room speaks of, none is."""
    _belongs[model] = belongs


def may_be_asked(token: TokenGrant, wanted: Permission) -> bool:
    """Whether this is anything that such a token does at all; of other tokens, always."""
    return token.run is None or wanted.name in READS or wanted.name in WRITES


def beyond_its_run(actor: Actor, token: TokenGrant, wanted: Permission, row: ProjectScoped | None) -> Refused | None:
    """The refusal of a write to anything but the token's run; None where it is that, or a read."""
    if token.run is None or wanted.name in READS:
        return None
    belongs = _belongs.get(type(row))
    if belongs is not None and belongs(actor, row, token.run):
        return None
    return Refused(
        f"The token '{token.name}' is a job's and writes its own run only, and runs begun within that.",
        hint="Begin runs with nested=True, log to the job's run, or use a token of your own.",
    )


def may_have_jobs(known: Facts, token: ApiToken) -> bool:
    """Whether the owner of a job's token may still launch in its project."""
    standing = known.standing(token.user_id)
    (project_id,) = (UUID(text) for text in token.projects or ())
    roles = standing.get(None, frozenset()) | standing.get(project_id, frozenset())
    return any(LAUNCH in THE_TABLE[role] for role in roles)
