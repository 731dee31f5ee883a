"""Legal holds: while one stands, nothing of what it covers is deleted, overwritten, purged or erased, at any door."""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING
from uuid import UUID

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Q

from accounts.access import register_state_check
from accounts.models import Project
from artifacts import hooks as artifacts_hooks
from artifacts.models import ArtifactFile, ArtifactRoot
from artifacts.trees import within
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

_OF_ACCOUNTS = "accounts."
_UID = re.compile(r"[0-9a-f]{32}")
HINT = "It goes when the hold was lifted, by a project manager or an auditor."


def register() -> None:
    """Stand at every door through which something goes. Called once, when the app is ready."""
    experiments_hooks.run_deletion.append(refuse_held_runs)
    artifacts_hooks.file_losses.append(refuse_held_files)
    experiments_hooks.run_stays_besides.append(besides_a_lock)
    registry_hooks.model_deletion.append(refuse_held)
    ledger_hooks.erasing.append(refuse_held_events)
    register_state_check(Comment, refuse_held_comment)


def hold_over(project_id: UUID, runs: Iterable[int]) -> LegalHold | None:
    """The oldest hold that stands over a project or over one of these runs of it."""
    standing = LegalHold.objects.filter(project_id=project_id, lifted_at=None)
    covering = standing.filter(Q(run=None) | Q(run__in=list(runs)))
    found: LegalHold | None = covering.select_related("run__project", "project").order_by("placed_at").first()
    return found


def first_holds(project_id: UUID, runs: Iterable[int]) -> dict[int, LegalHold]:
    """The oldest hold over each of many runs of a project, by run; runs that none covers are left out."""
    standing = list(LegalHold.objects.filter(project_id=project_id, lifted_at=None).order_by("placed_at"))
    covering = {run: next((one for one in standing if one.run_id in (None, run)), None) for run in runs}
    return {run: hold for run, hold in covering.items() if hold is not None}


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


def besides_a_lock(run: Run) -> str:
    """What somebody is told besides, whom a lock keeps from writing to a run under a hold."""
    hold = hold_over(run.project_id, [run.pk])
    return f"Unlocking it sets nothing of it free to go: {refusal(hold).message}" if hold else ""


def refuse_held_runs(actor: Actor, runs: "QuerySet[Run]") -> None:
    """Part of deleting runs that are held: raise Locked where one of them is under a legal hold."""
    by_project: dict[UUID, set[int]] = {}
    for pk, project_id in runs.order_by().values_list("pk", "project_id"):
        by_project.setdefault(project_id, set()).add(pk)
    for project_id, some in by_project.items():
        refuse_held(project_id, some)


def refuse_held_files(root: ArtifactRoot, path: str) -> None:
    """Part of changing files: raise Locked where something at the path would go that is under a legal hold."""
    files = ArtifactFile.objects.filter(root=root)
    if (files.filter(path=path) | within(files, path)).exists() if path else files.exists():
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
    """Raise Locked where one of these events tells of something under a legal hold.

    A hold over one run covers every event of its project that is not shown to tell of other runs or of accounts alone:
    comments, verdicts and findings have ids of their own. The projects' rows are held as in refuse_held.
    """
    projects = {one.event.project_id for one in told if one.event.project_id}
    list(Project.objects.select_for_update(no_key=True).filter(pk__in=projects).order_by("pk").values_list("pk"))
    standing = LegalHold.objects.filter(project__in=projects, lifted_at=None)
    for hold in standing.select_related("run__project", "project"):
        for one in told:
            if one.event.project_id == hold.project_id and (hold.run_id is None or not _is_elsewhere(one, hold.run_id)):
                raise refusal(hold)


def _is_elsewhere(past: PastEvent, held: int) -> bool:
    """Whether all that an event tells of is accounts, or of runs other than this one."""
    things = {(past.event.subject_type, past.event.subject_id)} | {(one.type, one.id) for one in past.changes}
    return all(kind.startswith(_OF_ACCOUNTS) or _run_of(kind, row_id) not in (None, held) for kind, row_id in things)


def _run_of(kind: str, row_id: str) -> int | None:
    """The run that a record is of: its id stands in the record's, or the row names it. None where neither tells."""
    uids = [UUID(hex=text) for text in _UID.findall(row_id)]
    named: int | None = Run.objects.filter(uid__in=uids).values_list("pk", flat=True).first() if uids else None
    if named is not None:
        return named
    try:
        model = apps.get_model(kind)
        if model._meta.get_field("run").related_model is not Run:
            return None
        found: int | None = model._base_manager.filter(pk=row_id).values_list("run_id", flat=True).first()
    except (LookupError, FieldDoesNotExist, ValidationError, ValueError):
        return None
    return found
