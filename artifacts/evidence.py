"""How verify_ledger reads the rows of this room that actions record."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from django.db.models import F

from artifacts.models import ArtifactFile, DatasetVersion
from artifacts.trees import RECORDED_AS, recorded
from artifacts.versions import RECORDED_AS as VERSIONS
from artifacts.versions import told
from audit.ledger.evidence import Problem, Row, register_check, register_evidence


def register() -> None:
    """Tell the ledger. Called once, when the app is ready."""
    register_evidence(RECORDED_AS, read_files)
    register_evidence(VERSIONS, read_dataset_versions)
    register_check("sizes of stored content", wrong_sizes)


def read_files() -> Iterator[Row]:
    """Each root with its files: path -> digest and size."""
    rows = ArtifactFile.objects.order_by("root_id").values_list(
        "root_id", "root__kind", "root__owner_uid", "path", "blob_id", "size_bytes"
    )
    for (_, kind, owner), files in groupby(rows.iterator(chunk_size=2000), key=itemgetter(0, 1, 2)):
        yield f"{kind}:{owner}", {path: recorded(digest, size) for *_, path, digest, size in files}


def read_dataset_versions() -> Iterator[Row]:
    """Each dataset version with its columns."""
    for version in DatasetVersion.objects.order_by().iterator(chunk_size=500):
        yield version.ledger_id, told(version)


def wrong_sizes() -> Iterator[Problem]:
    """Files whose size is not that of the content they name."""
    wrong = ArtifactFile.objects.exclude(size_bytes=F("blob__size_bytes")).select_related("root", "blob")
    for file in wrong.iterator(chunk_size=500):
        yield Problem(
            f"The content of '{file.path}' has another size than the file.",
            kind="artifacts.blob",
            id=file.blob_id,
            field="size_bytes",
            expected=file.size_bytes,
            found=file.blob.size_bytes,
        )
