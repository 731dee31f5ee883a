"""What waits for a worker: how much, and for how long the oldest of it. Numbers only, for whoever keeps the site."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from accounts.mailing import TOO_OLD
from accounts.models import Notice
from artifacts.models import VersionProfile
from audit.compliance.models import Report, RunStanding
from kernel.clock import now
from registry.webhooks.queue import due
from transfer.models import Transfer


@dataclass(frozen=True, slots=True)
class Waiting:
    """One kind of work. seconds: of the oldest; hint: what to do where it waits long, '' for the usual."""

    title: str
    count: int
    seconds: float
    hint: str = ""


MAILS = "See Settings, whether mail goes out."


def backlogs() -> Iterator[Waiting]:
    """Every kind of work that waits for a worker, or whose worker died over it."""
    moment = now()
    free = Q(lease=None) | Q(lease_until=None) | Q(lease_until__lte=moment)
    yield _of("Reports", Report.objects.filter(free, state__in=Report.OPEN), "requested_at")
    yield _of("Exports and imports", Transfer.objects.filter(free, state__in=Transfer.OPEN), "requested_at")
    yield _of("Assessments", RunStanding.objects.filter(stale_at__lt=moment), "stale_at")
    yield _of("Messages to webhooks", due(moment), "next_at")
    wanted = Q(user__is_active=True, user__is_service=False, at__gte=moment - TOO_OLD)
    mails = Notice.objects.filter(wanted, read_at=None, mailed_at=None)
    yield _of("Mails", mails, "at", MAILS)
    reading = Q(state=VersionProfile.State.RUNNING, lease_until__lt=moment) | Q(state=VersionProfile.State.WAITING)
    yield _of("Dataset versions to read", VersionProfile.objects.filter(reading), "version__created_at")


def _of(title: str, rows: QuerySet[Any], since: str, hint: str = "") -> Waiting:
    found = rows.order_by().aggregate(count=Count("pk"), oldest=Min(since))
    seconds = (now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    return Waiting(title, found["count"], max(0.0, seconds), hint)
