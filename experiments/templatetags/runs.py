"""How a run looks: status, verdict, its colour and dash, its small curve."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.templatetags.mled import badge
from experiments.models import Run
from experiments.queries.search import FoundRun
from experiments.values import Lifecycle, ReviewState, RunStatus

register = template.Library()

STATUS_LOOK = {
    RunStatus.RUNNING: ("run", "running"),
    RunStatus.SCHEDULED: ("", "clock"),
    RunStatus.FINISHED: ("ok", "ok"),
    RunStatus.FAILED: ("fail", "bad"),
    RunStatus.KILLED: ("warn", "stop"),
}
VERDICT_LOOK = {
    ReviewState.NOT_REVIEWED: ("", "dash"),
    ReviewState.SUBMITTED: ("violet", "upload"),
    ReviewState.IN_REVIEW: ("violet", "eye"),
    ReviewState.COMPLIANT: ("ok", "shieldok"),
    ReviewState.FLAGGED: ("fail", "flag"),
    ReviewState.CHANGED: ("warn", "refresh"),
}
RUN_COLOURS = 12


@register.simple_tag
def run_status(run: Run | FoundRun, extra: str = "") -> SafeString:
    """The status badge; a deleted run says so instead."""
    if run.lifecycle == Lifecycle.DELETED:
        return badge("", "trash", "Deleted", extra)
    status = RunStatus(run.status)
    return badge(*STATUS_LOOK[status], str(status.label), extra)


@register.simple_tag
def run_verdict(run: Run | FoundRun, extra: str = "") -> SafeString:
    """What the auditors say of it."""
    state = ReviewState(run.review_state)
    return badge(*VERDICT_LOOK[state], str(state.label), extra)


@register.filter
def slot(run: Run | FoundRun) -> int:
    """Which of the twelve run colours: from the run's id, so that it is the same on every page."""
    uid = run.uid if isinstance(run.uid, UUID) else UUID(hex=run.uid)
    return uid.int % RUN_COLOURS + 1


@register.simple_tag
def swatch(run: Run | FoundRun) -> SafeString:
    """A short line in the run's colour and dash."""
    return format_html(
        '<svg class="m-sw r{}" viewBox="0 0 18 8" aria-hidden="true"><path d="M0 4h18"/></svg>', slot(run)
    )


@register.simple_tag
def spark(values: Sequence[float]) -> SafeString | str:
    """A small curve without axes; nothing for fewer than two finite values."""
    if len(values) < 2:
        return ""
    return format_html(
        '<svg class="m-spark" viewBox="0 0 64 18" aria-hidden="true"><polyline points="{}"/></svg>',
        polyline(values),
    )


def polyline(values: Sequence[float], width: int = 64, height: int = 18) -> str:
    """The points of a line that fills a box, 1 unit in from its edges."""
    low, high = min(values), max(values)
    across, up = (width - 2) / (len(values) - 1), (height - 2) / ((high - low) or 1)
    return " ".join(f"{1 + i * across:.1f},{height - 1 - (value - low) * up:.1f}" for i, value in enumerate(values))


@register.filter
def as_json(value: Any) -> str:
    """JSON for an attribute that a script reads: parts of a page that come later bring no script elements."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """mapping[key] in a template; None where it is missing."""
    return mapping.get(key)


@register.filter
def item(row: Sequence[Any], place: int) -> Any:
    """row[place] in a template."""
    return row[place]
