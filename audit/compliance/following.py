"""Following the log: which runs have to be looked at again because something that the rules read has changed."""

import datetime as dt
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from uuid import UUID

from django.db import transaction

from audit.compliance.models import RunStanding, Waiver, Watermark
from audit.compliance.rules.record import RUN
from audit.ledger.models import AuditEvent, Leaf
from experiments.models import Run
from experiments.values import ENDED
from kernel.clock import now
from kernel.digests import sha256_hex
from runner.models import RecreationCheck

NAME = "assessments"
EVENTS_AT_ONCE = 5000
OLD_AT_ONCE = 200
A_WEEK = dt.timedelta(days=7)
PROJECT, EXPERIMENT, DATA = "accounts.project", "experiments.experiment", "artifacts.datasetversion"
# Acts after which no rule says anything else.
IDLE = (
    "experiments.star_run",
    "experiments.unstar_run",
    "experiments.note_export_of",
    "artifacts.open_file",
    "runner.note_bundle_of",
)


def follow_log() -> int:
    """Read what the log has got since the last time, and mark the runs that it speaks of. Returns how many events.

    It only marks; the rules are asked afterwards. Where there is nothing new it takes no lock.
    """
    newest = Leaf.objects.order_by("-seq").values_list("seq", flat=True).first()
    read = Watermark.objects.filter(name=NAME).values_list("seq", flat=True).first()
    if newest is None or (read is not None and read >= newest):
        return 0
    with transaction.atomic():
        mark, _ = Watermark.objects.select_for_update(no_key=True).get_or_create(name=NAME)
        leaves = list(Leaf.objects.filter(seq__gt=mark.seq).order_by("seq")[:EVENTS_AT_ONCE])
        if not leaves:
            return 0
        events = AuditEvent.objects.filter(pk__in=[leaf.event_id for leaf in leaves], outcome="done").exclude(
            verb__in=IDLE
        )
        told = list(events.values_list("subject_type", "subject_id"))
        mark_stale(_runs_of(told))
        mark.seq = leaves[-1].seq
        mark.save()
    return len(leaves)


def follow_rules() -> bool:
    """Mark every assessed run where the rules themselves are others than before. Returns whether they were."""
    name = f"rules {rules_digest()[:24]}"
    if Watermark.objects.filter(name=name).exists():
        return False
    with transaction.atomic():
        Watermark.objects.filter(name__startswith="rules ").delete()
        Watermark.objects.create(name=name)
        RunStanding.objects.filter(stale_at=None).update(stale_at=now())
    return True


@cache
def rules_digest() -> str:
    """SHA-256 over the code of the rules and the profiles."""
    here = Path(__file__).parent
    files = [*sorted((here / "rules").glob("*.py")), *sorted((here / "profiles").glob("*.yaml"))]
    return sha256_hex(b"\0".join(file.read_bytes() for file in files))


def mark_old() -> None:
    """Mark what the clock alone may have changed: runs whose waiver ran out, and those not looked at for a week."""
    today = now().date()
    expired = Waiver.objects.filter(ended_at=None, until__lt=today, run__standing__checked_at__lt=_midnight())
    old = RunStanding.objects.filter(stale_at=None, checked_at__lt=now() - A_WEEK).order_by("checked_at")
    mark_stale([*expired.values_list("run", flat=True), *old.values_list("run", flat=True)[:OLD_AT_ONCE]])


def _midnight() -> dt.datetime:
    return now().replace(hour=0, minute=0, second=0, microsecond=0)


def _runs_of(told: Iterable[tuple[str, str]]) -> set[int]:
    """The ended runs that events about these subjects concern."""
    by_kind: dict[str, set[str]] = {}
    for kind, subject_id in told:
        by_kind.setdefault(kind, set()).add(subject_id)
    ended = Run.objects.filter(status__in=ENDED, lifecycle="active")
    found: set[int] = set()
    if uids := _uuids(by_kind.get(RUN, ())):
        found |= set(ended.filter(uid__in=uids).values_list("pk", flat=True))
        again = RecreationCheck.objects.filter(again__uid__in=uids)  # what the rules say of the run that they do again
        found |= set(ended.filter(pk__in=again.values("first")).values_list("pk", flat=True))
    if versions := _uuids(by_kind.get(DATA, ())):
        found |= set(ended.filter(inputs__dataset_version__in=versions).values_list("pk", flat=True))
    if projects := _uuids(by_kind.get(PROJECT, ())):
        assessed = ended.filter(project__in=projects, standing__isnull=False)
        found |= set(assessed.values_list("pk", flat=True))
    numbers = [int(one) for one in by_kind.get(EXPERIMENT, ()) if one.isdigit()]
    if numbers:
        found |= set(ended.filter(experiment__in=numbers, standing__isnull=False).values_list("pk", flat=True))
    return found


def _uuids(texts: Iterable[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def mark_stale(run_ids: Iterable[int]) -> None:
    """Note that these runs have to be looked at again."""
    ids, moment = sorted(set(run_ids)), now()
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        RunStanding.objects.bulk_create([RunStanding(run_id=pk) for pk in some], ignore_conflicts=True)
        RunStanding.objects.filter(run__in=some).update(stale_at=moment)
