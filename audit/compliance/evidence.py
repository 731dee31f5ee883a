"""How verify_ledger reads the rows of this room that actions record."""

from collections.abc import Iterator

from audit.compliance.actions.assessments import RECORDED_AS, told
from audit.compliance.models import Assessment
from audit.ledger.evidence import Row, register_evidence
from audit.ledger.values import plain


def register() -> None:
    """Tell the ledger. Called once, when the app is ready."""
    register_evidence(RECORDED_AS, read_assessments)


def read_assessments() -> Iterator[Row]:
    """Each assessment; of its results their digest."""
    for one in Assessment.objects.order_by().iterator(chunk_size=500):
        yield one.pk.hex, {name: plain(value) for name, value in told(one).items()}
