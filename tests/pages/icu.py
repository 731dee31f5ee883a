"""The contents of a dataset of two versions, its addresses, and runs that it went into."""

import io

from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from artifacts.models import Dataset, DatasetVersion
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.models import Run
from kernel.actor import Actor
from tests.factories import Team, a_run

FIRST = b"ward,lactate\n1,21.0\n2,\n3,9.5\n"
SECOND = b"ward,lactate,unit\n1,2.3,mmol/L\n2,2.1,mmol/L\n3,1.1,mmol/L\n4,1.9,mmol/L\n"
LICENSED = {"licence": "DUA-2291", "personal_data": "pseudonymous"}


def number(dataset: Dataset, which: int) -> DatasetVersion:
    return DatasetVersion.objects.select_related("dataset__project").get(dataset=dataset, number=which)


def at(dataset: Dataset, rest: str = "") -> str:
    return f"/p/{dataset.project.slug}/datasets/{dataset.pk}/{rest}"


def trained_on(actor: Actor, version: DatasetVersion, name: str = "gru") -> Run:
    """A run that names this version as MLflow does."""
    run = a_run(actor, name=name)
    said = DatasetInput(version.dataset.name, version.digest[:36], tags={"mlflow.data.context": "train"})
    log_inputs(actor, run, inputs=[said])
    return run


def an_upload(actor: Actor, team: Team, content: bytes) -> str:
    """The id of a finished upload."""
    upload = begin_upload(actor, team.project, size_bytes=len(content))
    append_upload(actor, upload, offset=0, incoming=io.BytesIO(content))
    finish_upload(actor, upload)
    return str(upload.pk)
