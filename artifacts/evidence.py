"""How verify_ledger reads the rows of this room that actions record."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from django.db.models import Exists, F, ManyToOneRel, OuterRef

from artifacts.models import ArtifactFile, Blob, DatasetVersion
from artifacts.trees import RECORDED_AS, recorded
from artifacts.versions import RECORDED_AS as VERSIONS
from artifacts.versions import told
from audit.ledger.evidence import Problem, Row, register_check, register_evidence
from audit.ledger.tracking import Evidence, Tracked

MISSING_MAX = 100


def register() -> None:
    """Tell the ledger. Called once, when the app is ready."""
    register_evidence(RECORDED_AS, read_files)
    register_evidence(VERSIONS, read_dataset_versions)
    register_check("sizes of stored content", wrong_sizes)
    register_check("content that records name", missing_content)


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


def missing_content() -> Iterator[Problem]:
    """Records that name content of which the database knows nothing: a foreign key forbids it, its owner can."""
    relations = [one for one in Blob._meta.get_fields(include_hidden=True) if isinstance(one, ManyToOneRel)]
    for relation in relations:
        model, column = relation.related_model, relation.field.attname
        if not isinstance(model, type) or not issubclass(model, Tracked | Evidence):
            continue
        known = Blob.objects.filter(pk=OuterRef(column))
        rows = model._base_manager.exclude(**{f"{column}__isnull": True}).filter(~Exists(known))
        for digest in rows.values_list(column, flat=True).distinct()[:MISSING_MAX]:
            yield Problem(
                f"Content that {model._meta.verbose_name_plural} name is gone.", kind="artifacts.blob", id=digest
            )
