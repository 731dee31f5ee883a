"""Dataset versions: trees of files that MLED keeps, and names for data that lie elsewhere. Never changed once made."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.decorators import action
from accounts.models import Project
from accounts.texts import checked_line
from artifacts import hooks
from artifacts.actions.datasets import dataset_named, held
from artifacts.actions.records import put_record
from artifacts.locations import checked_location
from artifacts.manifests import checked_manifest, plant, tree_digest
from artifacts.models import ArtifactRoot, Dataset, DatasetVersion, VersionProfile
from artifacts.profiling.formats import has_tables
from artifacts.records import checked_record
from artifacts.storage import StoredBlob
from artifacts.versions import RECORDED_AS, ended, told, version_matching, when_withdrawn
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.errors import AlreadyExists, Invalid

DIGEST_MAX = 64
SOURCE_TYPE_MAX = 200


@action("datasets.register", on="dataset")
def add_version(
    actor: Actor,
    dataset: Dataset,
    *,
    files: Sequence[tuple[str, StoredBlob]],
    note: str = "",
    record: Mapping[str, str] | None = None,
) -> DatasetVersion:
    """Make the next version out of uploaded content; its profile is read once this commits.

    files: paths with their stored content. record: see artifacts.records. Raises Invalid for paths that lead out or
    clash, AlreadyExists where a version of the dataset has exactly these files.
    """
    manifest = checked_manifest(files)
    said = _checked_words(record, note)
    dataset = held(dataset)
    digest = tree_digest(manifest)
    _refuse_the_same(dataset, digest)
    version = _next(actor, dataset, digest=digest, file_count=len(manifest))
    version.size_bytes = sum(stored.size_bytes for _, stored in manifest)
    version.root = ArtifactRoot.objects.create(
        kind=ArtifactRoot.Kind.DATASET, owner_uid=version.ledger_id, project_id=dataset.project_id
    )
    _insert(version)
    current_act().speaks_of(version.ledger_subject)
    plant(actor, version.root, manifest)
    put_record(version, said)
    _expect_profile(version, [path for path, _ in manifest])
    return version


@action("datasets.register", on="dataset")
def add_external_version(
    actor: Actor,
    dataset: Dataset,
    *,
    digest: str,
    source: str,
    source_type: str = "",
    note: str = "",
    record: Mapping[str, str] | None = None,
) -> DatasetVersion:
    """Make the next version out of a reference: data outside MLED, told by address and digest, never opened.

    Raises Invalid, AlreadyExists where a version of the dataset has this digest.
    """
    digest = checked_line(digest, "A digest", DIGEST_MAX, field="digest")
    source = checked_line(source, "A source", 2000, field="source")
    source = checked_location(source, allow_outside=not dataset.project.refuses_outside_locations, field="source")
    if source_type:
        source_type = checked_line(source_type, "A source's type", SOURCE_TYPE_MAX, field="source_type")
    said = _checked_words(record, note)
    dataset = held(dataset)
    _refuse_the_same(dataset, digest)
    version = _next(actor, dataset, digest=digest, source=source, source_type=source_type)
    _insert(version)
    current_act().speaks_of(version.ledger_subject)
    put_record(version, said)
    return version


def used_version(
    actor: Actor,
    project: Project,
    *,
    name: str,
    digest: str,
    source_type: str = "",
    source: str = "",
    schema: str = "",
    profile: str = "",
) -> DatasetVersion:
    """Part of an action: the version of the catalogue that a client names, else a new one outside MLED.

    A digest names a version in full, or by its first 12 or more hex digits where only one version begins so: MLflow
    sends at most 36 characters. The dataset is held until the commit, so that no recall comes in between.
    """
    if not name or not digest:
        raise Invalid("A dataset needs a name and a digest.", field="name" if not name else "digest")
    dataset = dataset_named(actor, project, name)
    found = version_matching(dataset, digest)
    if found is not None:
        return found
    version = _next(
        actor, dataset, digest=digest, source_type=source_type, source=source, schema=schema, profile=profile
    )
    _insert(version)
    return version


def _next(actor: Actor, dataset: Dataset, **columns: Any) -> DatasetVersion:
    """The next version, not saved; the dataset is held."""
    last = DatasetVersion.objects.filter(dataset=dataset).aggregate(last=Max("number"))["last"] or 0
    return DatasetVersion(dataset=dataset, number=last + 1, created_by_id=actor.user_id, **columns)


def _insert(version: DatasetVersion) -> None:
    version.save(force_insert=True)
    fields = {field: (None, value) for field, value in told(version).items()}
    current_act().record(RECORDED_AS, version.ledger_id, "create", fields)


def _refuse_the_same(dataset: Dataset, digest: str) -> None:
    same: DatasetVersion | None = DatasetVersion.objects.filter(dataset=dataset, digest=digest).first()
    if same is None:
        return
    withdrawn = when_withdrawn(same)
    raise AlreadyExists(
        ended(
            f"Version {same.number} of '{dataset.name[:200]}' has exactly this content"
            + (f", and {withdrawn.words}" if withdrawn else "")
        ),
        hint="Reinstate that version, with a reason." if withdrawn else "Use that version.",
        field="digest",
    )


def _checked_words(record: Mapping[str, str] | None, note: str) -> dict[str, str]:
    return checked_record({**(record or {}), **({"note": note} if note else {})})


def _expect_profile(version: DatasetVersion, paths: Sequence[str]) -> None:
    readable = has_tables(paths)
    state = VersionProfile.State.WAITING if readable else VersionProfile.State.NOT_TABULAR
    VersionProfile.objects.create(version=version, state=state)
    if readable:
        for tell in hooks.version_added:
            transaction.on_commit(lambda tell=tell: tell(version.pk))  # type: ignore[misc]
