"""What this room knows of rights: locks, and grants on single experiments."""

from uuid import UUID

from accounts.roles import PERMISSIONS, Scope
from experiments import hooks
from experiments.models import ExperimentUserObjectPermission, Run
from experiments.values import ReviewState
from kernel.actor import Actor
from kernel.errors import Locked, MledError

NESTED_MAX = 10  # how deep a job may nest runs in its own
_WRITES_NOTHING = frozenset({"experiments.lock_run", "experiments.star", "experiments.comment"})  # into the run


def refuse_writes_to_locked(actor: Actor, permission: str, run: Run) -> MledError | None:
    """A locked run takes no writes from anybody; it can still be read, commented, starred and unlocked."""
    speaks_of_it = permission in _WRITES_NOTHING or permission.startswith("compliance.")
    writes = PERMISSIONS[permission].scope is not Scope.READ and not speaks_of_it
    return locked(run) if run.is_locked and writes else None


def locked(run: Run) -> Locked:
    """The refusal that a locked run gives."""
    if run.review_state != ReviewState.NOT_REVIEWED:
        words = f"Run {run.name} was submitted for review and takes no writes."
        hint = "Amend it with a reason on its page, or log a new run."
    else:
        words, hint = f"Run {run.name} is locked and takes no writes.", "Unlock it, or log a new run."
    besides = [more for tell in hooks.run_stays_besides if (more := tell(run))]
    return Locked(words, hint=" ".join([hint, *besides]))


def belongs_to_run(actor: Actor, run: Run, uid: UUID) -> bool:
    """Whether it is the run of this id, or one of the same person's that was begun within it, however deep."""
    if run.uid == uid:
        return True
    within: Run | None = run if run.created_by_id == actor.user_id else None
    for _ in range(NESTED_MAX):
        within = within.parent if within is not None else None
        if within is None or within.uid == uid:
            return within is not None
    return False


def granted_experiments(user_id: UUID) -> dict[int, UUID]:
    """The experiments that guardian's grants open to this user, with their projects."""
    rows = ExperimentUserObjectPermission.objects.filter(user_id=user_id, permission__codename="view_experiment")
    return dict(rows.values_list("content_object_id", "content_object__project_id"))
