"""The catalogue: datasets with their newest versions, for those who may see the project."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Prefetch, QuerySet

from accounts.access import can_see, not_found
from accounts.models import Project
from artifacts.hooks import version_use_counts
from artifacts.models import Dataset, DatasetAlias, DatasetVersion, VersionRecord
from artifacts.queries.differences import Diff, diff_of
from artifacts.queries.versions import get_version, newest_versions, version_files, versions_of
from artifacts.versions import is_withdrawn
from kernel.actor import Actor

__all__ = [
    "DatasetRow",
    "Diff",
    "aliases_of",
    "dataset_table",
    "diff_of",
    "find_dataset",
    "get_version",
    "is_withdrawn",
    "version_files",
    "versions_of",
    "visible_datasets",
]


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset as the catalogue shows it. latest: its newest version with record and profile, None for none yet.

    recalled: numbers of recalled versions; uses: kind ('runs') -> how many were built on any of its versions.
    """

    dataset: Dataset
    version_count: int
    latest: DatasetVersion | None
    aliases: Sequence[DatasetAlias]
    recalled: Sequence[int]
    uses: Mapping[str, int]


def visible_datasets(viewer: Actor, project: Project) -> QuerySet[Dataset]:
    """The datasets of a project, by name."""
    rows: QuerySet[Dataset] = Dataset.objects.visible_to(viewer).filter(project=project)
    return rows.select_related("project", "created_by").order_by("name")


def find_dataset(viewer: Actor, project: Project, which: UUID | str) -> Dataset:
    """A dataset of the project by its id or its exact name. Raises NotFound, the same for absent and invisible."""
    by = {"pk": which} if isinstance(which, UUID) else {"name": which}
    found = Dataset.objects.filter(project=project, **by).select_related("project", "created_by").first()
    if found is None or not can_see(viewer, found):
        raise not_found(Dataset, str(which)[:80])
    dataset: Dataset = found
    return dataset


def dataset_table(
    viewer: Actor, project: Project, *, text: str = "", offset: int = 0, limit: int = 100
) -> tuple[list[DatasetRow], int]:
    """A page of the catalogue, by name, and how many datasets there are in all: the same few queries for any number.

    text: part of the name, in any case.
    """
    rows = visible_datasets(viewer, project)
    if text:
        rows = rows.filter(name__icontains=text)
    page = list(
        rows.annotate(version_count=Count("versions"))
        .prefetch_related(Prefetch("aliases", DatasetAlias.objects.select_related("version").order_by("name")))
        .order_by("name")[offset : offset + limit]
    )
    latest = newest_versions(viewer, [dataset.pk for dataset in page])
    recalled = _recalled(viewer, page)
    uses = _uses(viewer, page)
    shown = [
        DatasetRow(
            dataset=dataset,
            version_count=dataset.version_count,  # type: ignore[attr-defined]  # annotated above
            latest=latest.get(dataset.pk),
            aliases=list(dataset.aliases.all()),
            recalled=recalled.get(dataset.pk, []),
            uses=uses.get(dataset.pk, {}),
        )
        for dataset in page
    ]
    return shown, rows.count()


def aliases_of(viewer: Actor, dataset: Dataset) -> QuerySet[DatasetAlias]:
    """The aliases of a dataset with what they name, by name."""
    rows: QuerySet[DatasetAlias] = DatasetAlias.objects.visible_to(viewer).filter(dataset=dataset)
    return rows.select_related("version", "set_by").order_by("name")


def _recalled(viewer: Actor, page: Sequence[Dataset]) -> dict[UUID, list[int]]:
    rows = DatasetVersion.objects.visible_to(viewer).filter(
        dataset__in=page, record__state=VersionRecord.State.WITHDRAWN
    )
    found: dict[UUID, list[int]] = {}
    for dataset_id, number in rows.order_by("number").values_list("dataset_id", "number"):
        found.setdefault(dataset_id, []).append(number)
    return found


def _uses(viewer: Actor, page: Sequence[Dataset]) -> dict[UUID, dict[str, int]]:
    """By dataset: what was built on its versions, summed up."""
    rows = DatasetVersion.objects.visible_to(viewer).filter(dataset__in=page).values_list("pk", "dataset_id")
    home: dict[UUID, UUID] = dict(rows)
    found: dict[UUID, dict[str, int]] = {}
    for kind, count in version_use_counts.items():
        for version_id, number in count(viewer, list(home)).items():
            sums = found.setdefault(home[version_id], {})
            sums[kind] = sums.get(kind, 0) + number
    return found
