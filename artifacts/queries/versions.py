"""Versions of a dataset with their records, profiles and aliases, and their files."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from accounts.access import can_see, not_found
from artifacts.models import Dataset, DatasetAlias, DatasetVersion
from artifacts.queries.files import files_of
from artifacts.records import Completeness, completeness
from artifacts.trees import Files
from artifacts.versions import record_of
from kernel.actor import Actor

_WITH = ("dataset__project", "created_by", "record__state_by", "computed", "root")


def versions_of(viewer: Actor, dataset: Dataset) -> QuerySet[DatasetVersion]:
    """The versions of a dataset, newest first, with record, profile and aliases: two queries for any number."""
    return _full(viewer).filter(dataset=dataset).order_by("-number")


def versions_in_short(viewer: Actor, dataset: Dataset) -> QuerySet[DatasetVersion]:
    """The same for a list that shows no columns: these, the largest part of a version, are read when asked for."""
    return versions_of(viewer, dataset).defer("schema", "computed__columns", "computed__notes")


def get_version(viewer: Actor, dataset: Dataset, number: int) -> DatasetVersion:
    """One version by its number. Raises NotFound."""
    in_range = 0 < number < 2**31
    found = _full(viewer).filter(dataset=dataset, number=number).first() if in_range else None
    if found is None:
        raise not_found(DatasetVersion, number)
    return found


def get_version_by_id(viewer: Actor, version_id: UUID) -> DatasetVersion:
    """One version by its id. Raises NotFound."""
    found = _full(viewer).filter(pk=version_id).first()
    if found is None:
        raise not_found(DatasetVersion, version_id)
    return found


def get_version_by_alias(viewer: Actor, dataset: Dataset, name: str) -> DatasetVersion:
    """The version that an alias names now. Raises NotFound."""
    found = _full(viewer).filter(dataset=dataset, aliases__name=name).first()
    if found is None:
        raise not_found(DatasetAlias, name[:100])
    return found


def newest_versions(viewer: Actor, datasets: Sequence[UUID]) -> dict[UUID, DatasetVersion]:
    """The newest version of each dataset, by dataset id."""
    newest = DatasetVersion.objects.filter(dataset=OuterRef("dataset")).order_by("-number").values("pk")[:1]
    rows = _full(viewer).filter(dataset__in=datasets, pk=Subquery(newest))
    return {version.dataset_id: version for version in rows}


def version_files(viewer: Actor, version: DatasetVersion) -> Files:
    """The files of a version by path; none for a reference, and none for who may not download."""
    return files_of(viewer, version.root)


def completeness_of(viewer: Actor, version: DatasetVersion) -> Completeness | None:
    """How much of the record of a version is filled; None for who may not see it."""
    return completeness(record_of(version)) if can_see(viewer, version) else None


def owner_of_root(owner_uid: str) -> DatasetVersion | None:
    """The version that a root of files belongs to: for rights that rest on it."""
    found: DatasetVersion | None = DatasetVersion.objects.filter(pk=UUID(owner_uid)).first()
    return found


def _full(viewer: Actor) -> QuerySet[DatasetVersion]:
    rows: QuerySet[DatasetVersion] = DatasetVersion.objects.visible_to(viewer)
    return rows.select_related(*_WITH).prefetch_related(Prefetch("aliases", DatasetAlias.objects.order_by("name")))
