"""For tests of workplaces: uploaded code, jobs of it, and what of them stands in the run."""

import io
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

from accounts.models import Project
from artifacts.blobs import know
from artifacts.models import ArtifactFile
from artifacts.storage import StoredBlob, blobs
from audit.ledger.acting import acting
from experiments.models import RunTag
from kernel.actor import Actor, operator
from runner.executors import Ended, Order
from runner.models import Job, Recipe
from runner.recipes import Draft
from runner.working import workplace as workplaces
from runner.working.workplace import Workplace
from tests.factories import default_experiment
from tests.factories_runner import a_job
from tests.services.sandbox import executor_here


def content(data: bytes) -> StoredBlob:
    """Content that is stored and known."""
    stored = blobs().receive(io.BytesIO(data), limit=100_000_000)
    with acting(operator(), "runner.keep_content"):
        know(stored)
    return stored


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def an_uploaded_job(actor: Actor, project: Project, files: Mapping[str, str], *words: str, **more) -> Job:
    """A job of an uploaded folder; keywords as for `Draft`."""
    code = content(zipped(files)).digest
    draft = Draft(kind=Recipe.Kind.FOLDER, code=code, code_name="code.zip", words=words, **more)
    return a_job(actor, default_experiment(project), draft=draft)


def prepared(job: Job, home: Path, *, told=lambda stage: None) -> Workplace:
    """Its workplace, made ready in this folder."""
    home.mkdir()
    return workplaces.prepare(job, root=home, told=told)


def executed(order: Order, *, seconds: float = 60) -> Ended:
    """The command, really executed, and apart from all else where this machine can do so."""
    execution = executor_here().start(order)
    end = time.monotonic() + seconds
    while (ended := execution.poll()) is None:
        assert time.monotonic() < end, "It goes on and on."
        time.sleep(0.02)
    return ended


def file_of(job: Job, path: str) -> bytes:
    """The content of a file of its run."""
    file = ArtifactFile.objects.get(root__owner_uid=job.run.uid.hex, path=path)
    with blobs().open(StoredBlob(file.blob_id, file.size_bytes)) as reader:
        content: bytes = reader.read()
    return content


def paths_of(job: Job) -> set[str]:
    """The files of its run."""
    return set(ArtifactFile.objects.filter(root__owner_uid=job.run.uid.hex).values_list("path", flat=True))


def tags_of(job: Job) -> dict[str, str]:
    """The tags of its run."""
    return dict(RunTag.objects.filter(run=job.run).values_list("key", "value"))


def shared_packages(monkeypatch) -> None:
    """What uv fetched is shared with whoever tests on this machine."""
    monkeypatch.setenv("UV_CACHE_DIR", os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv"))
