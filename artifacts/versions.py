"""Dataset versions as machinery sees them: how clients name them, whether they may be used, where their page is."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from artifacts.models import Dataset, DatasetVersion, VersionRecord
from kernel.errors import Conflict

RECORDED_AS = "artifacts.datasetversion"
_PREFIX = re.compile(r"[0-9a-f]{12,63}")
_RECORDED = ("dataset_id", "number", "digest", "source_type", "source", "schema", "profile")
_OF_FILES = ("root_id", "file_count", "size_bytes")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That a version was recalled: why, when, and the name of who did it."""

    reason: str
    at: dt.datetime
    by: str

    @property
    def words(self) -> str:
        """'was recalled on 2026-03-01 by Ada: labels are wrong'."""
        return f"was recalled on {self.at:%Y-%m-%d} by {self.by}: {self.reason}"


def told(version: DatasetVersion) -> Mapping[str, Any]:
    """What the ledger holds of a version; what only files have is left out where it has none, and nobody wrote any."""
    of_files = (name for name in _OF_FILES if version.root_id or getattr(version, name) is not None)
    columns = (*_RECORDED, *of_files)
    return {name.removesuffix("_id"): getattr(version, name) for name in columns}


def version_matching(dataset: Dataset, digest: str) -> DatasetVersion | None:
    """The version that a client's digest names: in full, or by 12 or more of its first hex digits if they name one."""
    versions = DatasetVersion.objects.filter(dataset=dataset)
    exact: DatasetVersion | None = versions.filter(digest=digest).first()
    if exact is not None or not _PREFIX.fullmatch(digest):
        return exact
    beginning = [one for one in versions.filter(digest__startswith=digest)[:20] if len(one.digest) == 64]
    return beginning[0] if len(beginning) == 1 else None


def record_of(version: DatasetVersion) -> VersionRecord | None:
    """The record of a version; None where nobody wrote one and it was never recalled."""
    return getattr(version, "record", None)


def is_withdrawn(version: DatasetVersion) -> bool:
    """Whether it was recalled and not reinstated since."""
    record = record_of(version)
    return record is not None and record.state == VersionRecord.State.WITHDRAWN


def when_withdrawn(version: DatasetVersion) -> Withdrawal | None:
    """The recall that stands, or None."""
    record = record_of(version)
    if record is None or record.state != VersionRecord.State.WITHDRAWN or record.state_at is None:
        return None
    return Withdrawal(record.state_reason, record.state_at, str(record.state_by) if record.state_by else "MLED")


def require_usable(version: DatasetVersion) -> None:
    """Raise Conflict for a version that was recalled: who did it, when, and why.

    Part of an action that holds the dataset.
    """
    record = VersionRecord.objects.filter(version=version).select_related("state_by").first()
    if record is None or record.state != VersionRecord.State.WITHDRAWN:
        return
    by = str(record.state_by) if record.state_by else "MLED"
    withdrawal = Withdrawal(record.state_reason, record.state_at, by)
    raise Conflict(
        ended(f"Version {version.number} of dataset '{version.dataset.name[:200]}' {withdrawal.words}"),
        hint="Use another version, or have this one reinstated.",
        field="digest",
    )


def recall_words(version: DatasetVersion, *, is_recalled: bool) -> str:
    """The beginning of what people are told: which version, and why."""
    record = record_of(version)
    what = "was recalled" if is_recalled else "was reinstated"
    reason = record.state_reason[:200].rstrip() if record else ""
    return ended(f"Version {version.number} of dataset '{version.dataset.name[:80]}' {what}: {reason}")


def ended(words: str) -> str:
    """A sentence that ends in what somebody wrote, with one full stop."""
    words = words.rstrip()
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def page_of_dataset(dataset: Dataset) -> str:
    """The path of its page. Needs the project loaded."""
    return f"/p/{quote(dataset.project.slug)}/datasets/{dataset.pk}/"


def page_of(version: DatasetVersion) -> str:
    """The path of its page. Needs dataset and project loaded."""
    return f"{page_of_dataset(version.dataset)}v/{version.number}/"
