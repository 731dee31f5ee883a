"""Dataset versions as clients name them."""

from django.db import IntegrityError, transaction

from accounts.models import Project
from artifacts.models import Dataset, DatasetVersion
from audit.ledger.acting import current_act
from kernel.actor import Actor
from kernel.errors import Invalid


def external_version(
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
    """Part of an action: the version of that name and digest, made if this project has none yet."""
    if not name or not digest:
        raise Invalid("A dataset needs a name and a digest.", field="name" if not name else "digest")
    dataset = _held(project, name) or _made(actor, project, name)
    found: DatasetVersion | None = DatasetVersion.objects.filter(dataset=dataset, digest=digest).first()
    if found is not None:
        return found
    version = DatasetVersion(
        dataset=dataset,
        number=DatasetVersion.objects.filter(dataset=dataset).count() + 1,
        digest=digest,
        source_type=source_type,
        source=source,
        schema=schema,
        profile=profile,
        created_by_id=actor.user_id,
    )
    version.save(force_insert=True)
    told = {"dataset": dataset.id, "number": version.number, "digest": digest, "source_type": source_type,
            "source": source, "schema": schema, "profile": profile}  # fmt: skip
    fields = {field: (None, value) for field, value in told.items()}
    current_act().record("artifacts.datasetversion", version.id.hex, "create", fields)
    return version


def _held(project: Project, name: str) -> Dataset | None:
    found: Dataset | None = Dataset.objects.select_for_update(no_key=True).filter(project=project, name=name).first()
    return found


def _made(actor: Actor, project: Project, name: str) -> Dataset:
    """A new dataset, or the one that another run made at the same moment."""
    dataset = Dataset(project=project, name=name, created_by_id=actor.user_id)
    try:
        with transaction.atomic():
            dataset.save()
    except IntegrityError:
        theirs = _held(project, name)
        if theirs is None:
            raise
        return theirs
    return dataset
