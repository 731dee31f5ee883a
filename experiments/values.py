"""Words and limits of experiments, with where each limit comes from."""

import os.path
import re

from django.db import models

from kernel.errors import Invalid


class RunStatus(models.TextChoices):
    """Where a run is. Any may follow any: resuming a finished run is ordinary (MLflow protocol)."""

    RUNNING = "RUNNING", "Running"
    SCHEDULED = "SCHEDULED", "Queued"
    FINISHED = "FINISHED", "Finished"
    FAILED = "FAILED", "Failed"
    KILLED = "KILLED", "Stopped"


ENDED = frozenset({RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED})


class Lifecycle(models.TextChoices):
    """Soft deletion: deleted things keep all their data."""

    ACTIVE = "active", "Active"
    DELETED = "deleted", "Deleted"


class ReviewState(models.TextChoices):
    """What the auditors say of a run; compliance writes it."""

    NOT_REVIEWED = "not_reviewed", "Not reviewed"
    SUBMITTED = "submitted", "Submitted"
    IN_REVIEW = "in_review", "In review"
    COMPLIANT = "compliant", "Compliant"
    FLAGGED = "flagged", "Flagged"
    CHANGED = "changed", "Changed since review"


SOURCE_TYPE = "mlflow.source.type"
BY_HAND = "RECORDED"  # the source type of a run that was entered by hand once it was over; it stays

EXPERIMENT_NAME_MAX = 500  # MLflow protocol
EXPERIMENT_TAG_MAX = 20_000  # MLflow protocol
KEY_MAX = 250  # MLflow protocol
VALUE_MAX = 65_536  # ours: MLflow cuts params at 6,000 and tags at 8,000 without a word
BATCH_METRICS_MAX = 1000  # MLflow protocol
BATCH_PARAMS_MAX = 100
BATCH_TAGS_MAX = 100
BATCH_ITEMS_MAX = 1000
TRUNCATED = "mled.truncated"  # the tag in which MLED says which texts of a client it cut
INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

_KEY = re.compile(r"^[\w\-.:/ ]+$")


def checked_key(key: str, field: str) -> str:
    """The key of a metric, param or tag, or Invalid: letters, digits, '_-.:/' and space, a plain path."""
    if not key or len(key) > KEY_MAX:
        raise Invalid(f"A key has 1 to {KEY_MAX} characters; this one has {len(key)}.", field=field)
    if not _KEY.match(key) or "\n" in key:
        raise Invalid(
            f"The key '{key[:80]}' has a character that keys cannot have.",
            hint="Use letters, digits, '_', '-', '.', ':', '/' and space.",
            field=field,
        )
    if key != os.path.normpath(key) or key == "." or key.startswith(("..", "/")):
        raise Invalid(
            f"The key '{key[:80]}' is not a plain path.",
            hint="Leave out '.', '..', '//' and outer slashes.",
            field=field,
        )
    return key


def checked_text(text: str, field: str, limit: int = VALUE_MAX) -> str:
    """A value that both databases keep exactly, or Invalid: no NUL, no lone surrogate, within the limit."""
    if len(text) > limit:
        raise Invalid(f"'{field}' has {len(text):,} characters; at most {limit:,} are kept.", field=field)
    if "\x00" in text:
        raise Invalid(f"'{field}' holds a NUL character, which cannot be stored.", field=field)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Invalid(f"'{field}' holds a lone surrogate, which is not text.", field=field) from None
    return text


def checked_int64(number: int, field: str) -> int:
    """A whole number of 64 bits, or Invalid."""
    if not INT64_MIN <= number <= INT64_MAX:
        raise Invalid(f"'{field}' does not fit into 64 bits.", field=field)
    return number
