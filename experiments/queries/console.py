"""What a run printed, for those who may download its files."""

from functools import partial
from typing import BinaryIO

from django.core.cache import cache
from django.urls import reverse

from accounts.access import can, require
from artifacts import blobs
from artifacts.models import ArtifactFile
from artifacts.opened import note_opened
from artifacts.queries.files import files_of
from experiments.console.names import is_stderr, logs_first
from experiments.console.sources import Stream, live_sources
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import NotFound

NOTED_SECONDS = 3600
_LIKELY = r"(^|/)logs?/|\.(log|out|err)(\.\d+)?$|stdout|stderr|console"
FILES_MAX = 200


def streams_of(viewer: Actor, run: Run) -> list[Stream]:
    """What the run prints now, then its logs. None for who may not download."""
    if not can(viewer, "experiments.download", run):
        return []
    live = [stream for source in live_sources for stream in source(viewer, run)]
    likely = files_of(viewer, run.artifact_root).filter(path__iregex=_LIKELY)[: FILES_MAX * 5]
    files = {file.path: file for file in likely}
    return [*live, *(_of_file(viewer, run, files[path]) for path in logs_first(files)[:FILES_MAX])]


def stream_of(viewer: Actor, run: Run, key: str) -> Stream:
    """One of them. Raises NotFound, Refused for who may not download."""
    require(viewer, "experiments.download", run)
    for stream in streams_of(viewer, run):
        if stream.key == key:
            return stream
    raise NotFound(f"The run printed nothing called '{key[:200]}'.", field="file")


def _of_file(viewer: Actor, run: Run, file: ArtifactFile) -> Stream:
    return Stream(
        key=file.path,
        label=file.path,
        size_bytes=file.size_bytes,
        version=file.blob_id,
        open=partial(_open, viewer, file),
        is_errors=is_stderr(file.path),
        download_url=reverse("experiments:run_file", args=[run.uid.hex, file.path]),
    )


def _open(viewer: Actor, file: ArtifactFile) -> BinaryIO:
    """A reader; what an auditor opens is on record, once an hour for one content however far they scroll."""
    reader = blobs.open_file(file)
    if cache.add(f"console-opened:{viewer.user_id}:{file.pk}:{file.blob_id}", 1, NOTED_SECONDS):
        note_opened(viewer, file.root, f"Opened '{file.path}', sha256:{file.blob_id}.")
    return reader
