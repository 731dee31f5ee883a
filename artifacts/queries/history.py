"""What happened to a dataset and its versions, from the ledger."""

from uuid import UUID

from django.db.models import Q

from accounts.access import require
from accounts.queries.history import NamedEvent, with_names
from artifacts.models import Dataset, DatasetVersion
from audit.ledger.models import AuditEvent
from audit.ledger.queries.history import history_of, with_payloads
from kernel.actor import Actor


def history_of_version(
    viewer: Actor, version: DatasetVersion, *, before: UUID | None = None, limit: int = 50
) -> list[NamedEvent]:
    """How a version was made, what was written about it, its recalls; newest first. Raises NotFound.

    before: the id of the last event of the page above.
    """
    require(viewer, "experiments.see", version)
    return with_names(history_of(version.ledger_subject, before=before, limit=limit))


def history_of_dataset(
    viewer: Actor, dataset: Dataset, *, before: UUID | None = None, limit: int = 50
) -> list[NamedEvent]:
    """What happened to a dataset, its versions and aliases, newest first. Raises NotFound."""
    require(viewer, "experiments.see", dataset)
    versions = DatasetVersion.objects.filter(dataset=dataset)
    subjects = [(one.ledger_subject.kind, one.ledger_subject.id) for one in (dataset, *versions.only("id"))]
    about = Q(subject_type=subjects[0][0], subject_id=subjects[0][1])
    if len(subjects) > 1:
        about |= Q(subject_type=subjects[1][0], subject_id__in=[subject for _, subject in subjects[1:]])
    events = AuditEvent.objects.filter(about)
    if before is not None:
        events = events.filter(id__lt=before)
    return with_names(with_payloads(list(events.order_by("-id")[:limit])))
