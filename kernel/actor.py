"""Who acts, through which door, with which credential. Plain data: what the actor may do is said in accounts."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID


class ActorKind(StrEnum):
    """What stands behind an act."""

    USER = "user"
    GUEST = "guest"  # no account: a claim token of a public board at most
    OPERATOR = "operator"  # whoever runs management commands on the machine
    SYSTEM = "system"  # MLED itself: seals, sweeps, archives
    ANONYMOUS = "anonymous"


class Door(StrEnum):
    """The way an act came in."""

    WEB = "web"
    ADMIN = "admin"
    REST = "rest"
    MLFLOW = "mlflow"
    COMMAND = "command"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What an API token allows at most: it narrows its owner's rights and never widens them.

    projects: ids it is good for; None means all of its owner's. default_project: where a bare MLflow root leads.
    run: of a job's token, the only run that it may write.
    """

    id: UUID
    name: str
    scopes: frozenset[str]
    projects: frozenset[UUID] | None
    default_project: UUID | None
    run: UUID | None = None


@dataclass(frozen=True, slots=True)
class ClaimGrant:
    """A claim token of a public board: the key to what was submitted with it, and to reading that board.

    id: under which its acts are logged; project: the board's; is_new: nothing was submitted with it yet.
    """

    id: UUID
    project: UUID
    digest: str
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """One actor in one request, task or command.

    memo keeps what this request has already looked up (its roles); it dies with the request, so that a change of
    membership bites at the next one.
    """

    kind: ActorKind
    door: Door
    user_id: UUID | None = None
    user_name: str = ""
    is_active: bool = True
    token: TokenGrant | None = None
    claim: ClaimGrant | None = None
    request_id: str = ""
    client: str = ""
    ip: str = ""
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_person(self) -> bool:
        """True for a signed-in user, whatever the credential."""
        return self.kind is ActorKind.USER and self.user_id is not None

    @property
    def is_job(self) -> bool:
        """True for what comes with a job's token, which writes one run."""
        return self.token is not None and self.token.run is not None


def operator(request_id: str = "") -> Actor:
    """The operator of the machine, as management commands act."""
    return Actor(ActorKind.OPERATOR, Door.COMMAND, user_name="operator", request_id=request_id)


def system(request_id: str = "") -> Actor:
    """MLED itself, as background tasks act."""
    return Actor(ActorKind.SYSTEM, Door.TASK, user_name="MLED", request_id=request_id)


def anonymous(door: Door, request_id: str = "") -> Actor:
    """Nobody in particular."""
    return Actor(ActorKind.ANONYMOUS, door, request_id=request_id)
