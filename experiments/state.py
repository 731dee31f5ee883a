"""What this room knows of rights: locks, and grants on single experiments."""

from uuid import UUID

from accounts.roles import PERMISSIONS, Scope
from experiments.models import ExperimentUserObjectPermission, Run
from kernel.actor import Actor
from kernel.errors import Locked, MledError

_WRITES_NOTHING = frozenset({"experiments.lock_run", "experiments.star", "experiments.comment"})  # into the run


def refuse_writes_to_locked(actor: Actor, permission: str, run: Run) -> MledError | None:
    """A locked run takes no writes from anybody; it can still be read, commented, starred and unlocked."""
    writes = PERMISSIONS[permission].scope is not Scope.READ and permission not in _WRITES_NOTHING
    if run.is_locked and writes:
        return Locked(f"Run {run.name} is locked and takes no writes.", hint="Unlock it, or log a new run.")
    return None


def granted_experiments(user_id: UUID) -> dict[int, UUID]:
    """The experiments that guardian's grants open to this user, with their projects."""
    rows = ExperimentUserObjectPermission.objects.filter(user_id=user_id, permission__codename="view_experiment")
    return dict(rows.values_list("content_object_id", "content_object__project_id"))
