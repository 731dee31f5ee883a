"""How verify_ledger reads the rows of this room that actions record."""

from collections.abc import Iterator

from accounts.models import Signature
from accounts.signing import RECORDED_AS, recorded_fields
from audit.ledger.evidence import Row, register_evidence


def register() -> None:
    """Tell the ledger. Called once, when the app is ready."""
    register_evidence(RECORDED_AS, read_signatures)


def read_signatures() -> Iterator[Row]:
    """Each signature with its columns; of the record the digest of the text as it is now."""
    for signature in Signature.objects.order_by().iterator(chunk_size=200):
        yield signature.pk.hex, recorded_fields(signature)
