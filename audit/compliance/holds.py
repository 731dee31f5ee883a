"""Legal holds: while one stands, nothing of what it covers is deleted, overwritten, purged or erased, at any door."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from accounts.access import register_state_check
from accounts.models import Project
from artifacts import hooks as artifacts_hooks
from artifacts.models import ArtifactFile, ArtifactRoot
from audit.compliance.models import LegalHold
from audit.ledger import hooks as ledger_hooks
from audit.ledger.queries.history import PastEvent
from experiments import hooks as experiments_hooks
from experiments.models import Comment, Run
from kernel.actor import Actor
from kernel.errors import Locked, MledError
from registry import hooks as registry_hooks
from registry.models import LoggedModel, ModelVersion

if TYPE_CHECKING:
    from django.db.models import QuerySet

HINT = "It goes when the hold was lifted, by a project manager or an auditor."


def register() -> None:
    """Stand at every door through which something goes. Called once, when the app is ready."""
    experiments_hooks.run_deletion.append(refuse_held_runs)
    artifacts_hooks.file_changes.append(refuse_held_files)
    registry_hooks.model_deletion.append(refuse_held)
    ledger_hooks.erasing.append(refuse_held_events)
    register_state_check(Comment, refuse_held_comment)


def hold_over(project_id: UUID, runs: Iterable[int]) -> LegalHold | None:
    """The oldest hold that stands over a project or over one of these runs of it."""
    standing = LegalHold.objects.filter(project_id=project_id, lifted_at=None)
    covering = standing.filter(Q(run=None) | Q(run__in=list(runs)))
    found: LegalHold | None = covering.select_related("run__project", "project").order_by("placed_at").first()
    return found


def refuse_held(project_id: UUID, runs: AbstractSet[int]) -> None:
    """Part of an act that removes something of these runs or their project: raise Locked under a hold.

    The project's row is held until the commit, so that a hold is placed before this act or after it.
    """
    Project.objects.select_for_update(no_key=True).filter(pk=project_id).values_list("pk").first()
    hold = hold_over(project_id, runs)
    if hold is not None:
        raise refusal(hold)


def refusal(hold: LegalHold) -> MledError:
    """What somebody is told who would remove something under a hold."""
    what = f"Run {hold.run.readable_id}" if hold.run else f"The project {hold.project.name}"
    words = f"{what} is under a legal hold since {hold.placed_at:%Y-%m-%d} ({hold.reason[:200]}), so all of it stays."
    return Locked(words, hint=HINT)


def refuse_held_runs(actor: Actor, runs: "QuerySet[Run]") -> None:
    """Part of deleting runs that are held: raise Locked where one of them is under a legal hold."""
    by_project: dict[UUID, set[int]] = {}
    for pk, project_id in runs.order_by().values_list("pk", "project_id"):
        by_project.setdefault(project_id, set()).add(pk)
    for project_id, some in by_project.items():
        refuse_held(project_id, some)


def refuse_held_files(root: ArtifactRoot, path: str) -> None:
    """Part of changing files: raise Locked where something at the path would go that is under a legal hold."""
    going = ArtifactFile.objects.filter(root=root)
    if path:
        going = going.filter(Q(path=path) | Q(path__startswith=f"{path}/"))
    if going.exists():
        refuse_held(root.project_id, _runs_of(root))


def _runs_of(root: ArtifactRoot) -> set[int]:
    """The runs whose files lie here: the run's own, or those of a model that it made."""
    made = LoggedModel.objects.filter(artifact_root=root).values_list("source_run_id", flat=True)
    versions = ModelVersion.objects.filter(root=root).values_list("run_id", flat=True)
    own = Run.objects.filter(artifact_root=root).values_list("pk", flat=True)
    return {run for run in (*made, *versions, *own) if run is not None}


def refuse_held_comment(actor: Actor, permission: str, comment: Comment) -> MledError | None:
    """What somebody is told who would remove a comment on a run under a hold."""
    if permission != "experiments.remove_comment":
        return None
    hold = hold_over(comment.run.project_id, [comment.run_id])
    return refusal(hold) if hold else None


def refuse_held_events(told: Sequence[PastEvent]) -> None:
    """Raise Locked where one of these events tells of something under a legal hold."""
    projects = {one.event.project_id for one in told if one.event.project_id}
    for hold in LegalHold.objects.filter(project__in=projects, lifted_at=None).select_related(
        "run__project", "project"
    ):
        for one in told:
            if one.event.project_id == hold.project_id and (hold.run is None or _speaks_of(one, hold.run.uid.hex)):
                raise refusal(hold)


def _speaks_of(past: PastEvent, uid: str) -> bool:
    return uid in past.event.subject_id or any(uid in change.id for change in past.changes)
