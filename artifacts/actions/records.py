"""What people write about a dataset version: licence, purpose, personal data, and so on."""

from collections.abc import Mapping

from accounts.decorators import action
from artifacts.actions.datasets import held
from artifacts.models import DatasetVersion, VersionRecord
from artifacts.records import checked_record
from audit.ledger.acting import current_act
from kernel.actor import Actor


@action("datasets.register", on="version")
def write_record(actor: Actor, version: DatasetVersion, *, fields: Mapping[str, str]) -> DatasetVersion:
    """Say something about a version; '' takes it back, what is left out stays. The same again changes nothing.

    Raises Invalid for a field that does not exist, is too long or not one of its choices.
    """
    said = checked_record(fields)
    held(version.dataset)
    current_act().speaks_of(version.ledger_subject)
    put_record(version, said)
    return version


def put_record(version: DatasetVersion, said: Mapping[str, str]) -> None:
    """Part of an action that holds the dataset: the checked fields in the version's record."""
    record = record_held(version)
    if record._state.adding and not any(said.values()):
        return
    for name, value in said.items():
        setattr(record, name, value)
    record.save()
    version.record = record


def record_held(version: DatasetVersion) -> VersionRecord:
    """The record as it is now, held until the commit, or a new one that is not saved."""
    found: VersionRecord | None = (
        VersionRecord.objects.select_for_update(no_key=True).filter(version_id=version.pk).first()
    )
    return found or VersionRecord(version=version)
