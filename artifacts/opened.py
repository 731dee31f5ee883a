"""Who opened which content: on record for those whose reading is part of the evidence."""

from typing import Any

from accounts.access import roles_in, roles_text
from accounts.roles import Role
from accounts.scoping import ProjectScoped
from artifacts.hooks import owners
from artifacts.models import ArtifactRoot
from audit.ledger.acting import acting
from audit.ledger.tracking import Tracked
from kernel.actor import Actor


def owner_of(root: ArtifactRoot) -> ProjectScoped | None:
    """The run, model or dataset version that a root belongs to."""
    find = owners.get(root.kind)
    return find(root.owner_uid) if find else None


def note_opened(viewer: Actor, root: ArtifactRoot, what: str) -> None:
    """What an auditor opens is on record: one event without a change, about the run or model."""
    if Role.AUDITOR not in roles_in(viewer, root.project_id):
        return
    owner: Any = owner_of(root)
    roles = roles_text(viewer, root.project_id)
    with acting(viewer, "artifacts.open_file", roles=roles, project_id=root.project_id) as act:
        act.always = True
        act.reason = what
        if isinstance(owner, Tracked):
            act.speaks_of(owner.ledger_subject)
