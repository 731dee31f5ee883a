"""Until when an export may be taken out, and which ones hold what is to be gone.

An export is a copy: whoever still needs it makes a new one. So it ends after a while, and earlier where a run that it
may hold is purged, a person in it is forgotten, or an event in it is erased. What an import came from ends alike.
"""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.ledger.ages import is_older
from experiments.models import Run
from kernel.clock import now
from transfer.models import Moved, Transfer, TransferFile

RAN_OUT = "Its time ran out"
RUN_PURGED = "A run that it may hold was purged"
PERSON_FORGOTTEN = "A person of the project was forgotten"
LOG_ERASED = "Something that the log said was erased"


def kept_until(transfer: Transfer) -> dt.datetime | None:
    """When its files, or what it was brought in from, go; None while it is open, and where exports do not run out."""
    if transfer.finished_at is None or transfer.is_open or not settings.MLED_EXPORTS_DAYS:
        return None
    return transfer.finished_at + dt.timedelta(days=settings.MLED_EXPORTS_DAYS)


def is_over(transfer: Transfer) -> bool:
    """Whether nothing is given out of it any more, though it may not have been cleared away yet."""
    until = kept_until(transfer)
    return transfer.removed_at is not None or (until is not None and until <= now())


def that_hold_content() -> QuerySet[Transfer]:
    """Transfers that are over and still name files."""
    files = TransferFile.objects.filter(transfer=OuterRef("pk"))
    over = Transfer.objects.exclude(state__in=Transfer.OPEN).filter(removed_at=None)
    found: QuerySet[Transfer] = over.filter(Q(blob__isnull=False) | Q(artifacts_blob__isnull=False) | Exists(files))
    return found


def that_ran_out() -> QuerySet[Transfer]:
    """Those whose time is over, the oldest first."""
    if not settings.MLED_EXPORTS_DAYS:
        return Transfer.objects.none()
    over = is_older("finished_at", dt.timedelta(days=settings.MLED_EXPORTS_DAYS))
    return that_hold_content().filter(over).order_by("finished_at")


def that_may_hold(run: Run) -> QuerySet[Transfer]:
    """Exports of the project with an experiment that the run was ever in, open ones too, and what it was imported from.

    Which runs an export took is not kept, so it is answered widely: too many ending is mended by exporting again.
    """
    ever_in = {run.experiment_id, *Run.history.filter(id=run.pk).values_list("experiment_id", flat=True)}
    here = Transfer.objects.filter(project=run.project_id)
    exports = [
        one.pk
        for one in here.filter(kind=Transfer.Kind.EXPORT, removed_at=None).exclude(state=Transfer.State.FAILED)
        if (one.finished_at is None or one.finished_at >= run.created_at)
        and (not one.options.get("experiments") or ever_in & set(one.options["experiments"]))
    ]
    moved = Moved.objects.filter(project=run.project_id, kind__in=["run", "runs"], target=run.uid.hex)
    sources = that_hold_content().filter(project=run.project_id, origin__in=moved.values("origin"))
    return here.filter(Q(pk__in=exports) | Q(pk__in=sources.exclude(kind=Transfer.Kind.EXPORT).values("pk")))


def exports_of(projects: Collection[UUID] | None) -> QuerySet[Transfer]:
    """Exports of these projects, or of all, that can still be taken out, or are still being made."""
    rows = Transfer.objects.filter(kind=Transfer.Kind.EXPORT)
    rows = rows if projects is None else rows.filter(project__in=projects)
    found: QuerySet[Transfer] = rows.filter(Q(state__in=Transfer.OPEN) | Q(pk__in=that_hold_content().values("pk")))
    return found
