"""The demonstration's datasets: tables uploaded as versions, each with what people know about it."""

import io
from collections.abc import Mapping

from accounts.models import Project
from artifacts import blobs
from artifacts.actions.aliases import set_dataset_alias
from artifacts.actions.datasets import create_dataset
from artifacts.actions.recall import withdraw_version
from artifacts.actions.versions import add_external_version, add_version
from artifacts.models import Dataset, DatasetVersion
from kernel.actor import Actor
from kernel.digests import sha256_hex
from mled_site.demo.tasks import Task

PUMP_RECORD = {
    "licence": "Internal, works agreement 2026-04",
    "purpose": "Warn before a bearing fails",
    "collected": "January to June 2026, 40 pumps, 12 bands at 1 Hz",
    "preparation": "Bands averaged over a minute; windows without a label left out",
    "split_role": "mixed",
    "personal_data": "none",
}
BED_RECORD = {
    "licence": "Data use agreement 17",
    "purpose": "Plan staff for the next day",
    "collected": "Four years of daily census, one hospital",
    "split_role": "mixed",
    "personal_data": "none",
    "known_gaps": "Bank holidays are not marked.",
}
_ABOUT = "Rows are windows of one minute. The last column is what the model shall say.\n"


def pump_data(ada: Actor, project: Project, first: Task, second: Task) -> tuple[DatasetVersion, DatasetVersion]:
    """Two versions of the same tables: the second has more rows, and less noise."""
    dataset = create_dataset(ada, project, name=first.name, description="Vibration of pump bearings by frequency band.")
    old = uploaded(ada, dataset, first, note="The first season.", record=PUMP_RECORD)
    gaps = {"known_gaps": "Pumps 31 to 40 joined in May.", "bias_note": "Night shifts are a fifth of the rows."}
    new = uploaded(ada, dataset, second, note="Both seasons; sensor 7 mounted anew.", record=PUMP_RECORD | gaps)
    set_dataset_alias(ada, dataset, name="first-season", version=old)
    set_dataset_alias(ada, dataset, name="current", version=new)
    return old, new


def bed_data(tomas: Actor, project: Project, task: Task) -> DatasetVersion:
    """Uploaded tables, and the export that they were made from: a reference to where it lies."""
    export = create_dataset(tomas, project, name="bed-export", description="Nightly export of the bed register.")
    add_external_version(
        tomas,
        export,
        digest=sha256_hex(task.source.encode()),
        source="s3://hospital-lake/beds/2026-06-30.parquet",
        source_type="s3",
        record={"personal_data": "pseudonymous", "lawful_basis": "Hospital act, section 12"},
    )
    dataset = create_dataset(tomas, project, name=task.name, description="Beds in use, day by day.")
    version = uploaded(tomas, dataset, task, note="Made from bed-export.", record=BED_RECORD)
    set_dataset_alias(tomas, dataset, name="current", version=version)
    return version


def uploaded(actor: Actor, dataset: Dataset, task: Task, *, note: str, record: Mapping[str, str]) -> DatasetVersion:
    """The task's tables as the next version."""
    files = {"about.md": _ABOUT, "train.csv": task.train.csv(), "test.csv": task.test.csv()}
    stored = [(path, blobs.receive(io.BytesIO(text.encode()))) for path, text in files.items()]
    return add_version(actor, dataset, files=stored, note=note, record=record)


def recall(actor: Actor, version: DatasetVersion) -> None:
    """Take a version out of use: all that was built on it is marked, and its makers are told."""
    withdraw_version(
        actor, version, reason="Sensor 7 was mounted loosely until March: its noise hides worn bearings in band 0."
    )
