"""How verify_ledger reads the rows of this room that actions record."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from audit.ledger.evidence import Row, register_evidence
from transfer.models import TransferFile

TRANSFER_FILE = "transfer.transferfile"


def register() -> None:
    """Tell the ledger. Called once, when the app is ready."""
    register_evidence(TRANSFER_FILE, read_files)


def read_files() -> Iterator[Row]:
    """The files that each export gave out, by name."""
    rows = TransferFile.objects.order_by("transfer", "name").values_list("transfer", "name", "blob", "size_bytes")
    for transfer, files in groupby(rows.iterator(chunk_size=2000), key=itemgetter(0)):
        yield transfer.hex, {name: {"digest": digest, "size_bytes": size} for _, name, digest, size in files}
