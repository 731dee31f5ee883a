"""Where a run came from that an import brought in, as far as the import wrote it down."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count

from accounts.access import can_see, not_found
from experiments.models import Experiment, Run, RunTag
from experiments.values import Lifecycle
from kernel.actor import Actor
from transfer.archive.layout import BY_IMPORT
from transfer.models import Moved, Transfer

OF_MLFLOW, OF_ARCHIVES = "run", "runs"  # the kinds of Moved under which imports note runs
KINDS: Final = (OF_MLFLOW, OF_ARCHIVES)
RUNS_LOOKED_AT: Final = 5_000
PLACES_MAX: Final = 20
TOLD: Final = ("author", "id", "from")  # tags that imports of archives set


@dataclass(frozen=True, slots=True)
class Origin:
    """transfer: the import that brought it. by, readable_id, project: what the source says of it there, or ""."""

    transfer: Transfer
    by: str = ""
    readable_id: str = ""
    project: str = ""


def origin_of(viewer: Actor, run: Run) -> Origin | None:
    """The import that made this run; None for one that was made here. Raises NotFound."""
    if not can_see(viewer, run):
        raise not_found(Run)
    moved = _moved(run)
    if moved is None:
        return None
    keys = [f"{BY_IMPORT}{name}" for name in TOLD]
    tags = dict(RunTag.objects.filter(run=run, key__in=keys).values_list("key", "value"))
    by, readable_id, project = (tags.get(key, "") for key in keys)
    return Origin(moved.transfer, by or run.claimed_user, readable_id, project)


@dataclass(frozen=True, slots=True)
class Place:
    """Where runs of an import are: an experiment, and how many of them are in it now."""

    experiment: Experiment
    runs: int


def places_of(viewer: Actor, transfer: Transfer) -> list[Place]:
    """The experiments that hold the runs which an import brought in, those with the most first: of its first 5,000
    runs, and at most 20. Raises NotFound."""
    if not can_see(viewer, transfer):
        raise not_found(Transfer)
    rows = Moved.objects.filter(transfer=transfer, kind__in=KINDS).exclude(kind=OF_ARCHIVES, digest="")
    ids = [UUID(hex=target) for target in rows.values_list("target", flat=True)[:RUNS_LOOKED_AT]]
    runs = Run.objects.visible_to(viewer).filter(uid__in=ids, lifecycle=Lifecycle.ACTIVE)
    counted = runs.order_by().values_list("experiment").annotate(many=Count("pk")).order_by("-many", "experiment")
    many = dict(counted[:PLACES_MAX])
    found = Experiment.objects.in_bulk(list(many))
    return [Place(found[pk], count) for pk, count in many.items()]


def _moved(run: Run) -> Moved | None:
    """What the import noted when it made the run. One of an archive that found it here notes no digest."""
    rows = Moved.objects.filter(kind__in=KINDS, target=run.uid.hex, project_id=run.project_id)
    made = rows.exclude(kind=OF_ARCHIVES, digest="").select_related("transfer__project")
    found: Moved | None = made.order_by("at").first()
    return found
