"""Which runs were built on a dataset version, and which of them on one that was recalled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from accounts.models import Project
from artifacts.hooks import Use, Uses
from artifacts.models import DatasetVersion, VersionRecord
from experiments.models import Run, RunInput
from experiments.values import Lifecycle
from kernel.actor import Actor

KIND = "runs"


@dataclass(frozen=True, slots=True)
class RecalledInUse:
    """A recalled version, and how many runs were built on it."""

    version: DatasetVersion
    runs: int


def recalled_inputs(viewer: Actor, runs: Iterable[Run]) -> dict[int, list[DatasetVersion]]:
    """By run key: the recalled versions that went into it, with dataset and record. Runs without are left out.

    One query for any number of runs.
    """
    rows = (
        RunInput.objects.visible_to(viewer)
        .filter(run__in=[run.pk for run in runs], dataset_version__record__state=VersionRecord.State.WITHDRAWN)
        .select_related("dataset_version__dataset__project", "dataset_version__record__state_by")
        .order_by("dataset_version__dataset__name", "dataset_version__number")
    )
    found: dict[int, list[DatasetVersion]] = {}
    for row in rows:
        found.setdefault(row.run_id, []).append(row.dataset_version)
    return found


def runs_on_recalled(viewer: Actor, runs: Sequence[int]) -> frozenset[int]:
    """Which of these runs (by primary key) were built on a version that is recalled now: one query."""
    rows = RunInput.objects.visible_to(viewer).filter(
        run__in=runs, dataset_version__record__state=VersionRecord.State.WITHDRAWN
    )
    return frozenset(rows.values_list("run_id", flat=True))


def recalled_in_use(viewer: Actor, project: Project) -> list[RecalledInUse]:
    """The recalled versions that runs of the project were built on, the latest recall first: one query."""
    recalled = DatasetVersion.objects.visible_to(viewer).filter(
        dataset__project=project, record__state=VersionRecord.State.WITHDRAWN
    )
    live = Q(used_by__run__lifecycle=Lifecycle.ACTIVE)
    counted = recalled.annotate(runs=Count("used_by", filter=live)).filter(runs__gt=0)
    rows = counted.select_related("dataset__project", "record__state_by").order_by("-record__state_at")
    return [RecalledInUse(version, version.runs) for version in rows]


def runs_on_version(viewer: Actor, version: DatasetVersion) -> QuerySet[RunInput]:
    """The uses of a version by runs that are not deleted, newest run first, each with its run."""
    rows: QuerySet[RunInput] = RunInput.objects.visible_to(viewer)
    rows = rows.filter(dataset_version=version, run__lifecycle=Lifecycle.ACTIVE)
    return rows.select_related("run__project", "run__experiment", "run__created_by").order_by("-run__uid")


def run_uses(viewer: Actor, version: DatasetVersion, limit: int) -> Uses:
    """The newest runs on a version, and how many there are: two queries."""
    rows = runs_on_version(viewer, version)
    return Uses(KIND, "Runs", [_use(row) for row in rows[:limit]], rows.count(), _all_of(version))


def count_runs(viewer: Actor, versions: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many runs were built on each of these versions."""
    rows = RunInput.objects.visible_to(viewer).filter(dataset_version__in=versions, run__lifecycle=Lifecycle.ACTIVE)
    counted = rows.order_by().values_list("dataset_version").annotate(runs=Count("pk"))
    return dict(counted.values_list("dataset_version_id", "runs"))


def _use(row: RunInput) -> Use:
    run = row.run
    return Use(
        label=f"{run.readable_id} {run.name}",
        url=f"/r/{run.readable_id}/",
        context=row.context,
        who=str(run.created_by) if run.created_by else "",
        at=run.created_at,
        words=run.get_status_display(),
    )


def _all_of(version: DatasetVersion) -> str:
    """The run table, narrowed to what used this version."""
    project = version.dataset.project
    query = f"dataset.name = {_quoted(version.dataset.name)} AND dataset.digest = {_quoted(version.digest)}"
    return f"/p/{quote(project.slug)}/runs/?{urlencode({'q': query})}"


def _quoted(text: str) -> str:
    """A text as the query language takes it."""
    return "'" + text.replace("'", "''") + "'"
