"""How the stored content is: for those who look after the installation."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, F, Min, Q, Sum

from accounts.access import require
from artifacts import collecting, hooks
from artifacts.models import ArtifactFile, Blob, BlobCheck, ParkedBlob, Upload
from artifacts.storage import Held, StoredBlob
from kernel.actor import Actor

KEEP = "content.keep"
_NAMED = 10  # how many places of a blob are told


@dataclass(frozen=True, slots=True)
class ContentHealth:
    """What is known of all content. oldest_check: when the blob that waited longest was read again, None for never.

    parked: how many wait in the database on their way to the store; refused: digests of those that it did not take.
    missing, changed: digests of blobs that were not as they should be when they were last read.
    """

    blobs: int
    size_bytes: int
    unchecked: int
    oldest_check: dt.datetime | None
    missing: Sequence[str]
    changed: Sequence[str]
    unnamed: int
    open_uploads: int
    parked: int
    refused: Sequence[str]

    @property
    def is_sound(self) -> bool:
        """Nothing is known to be wrong."""
        return not self.missing and not self.changed


def content_health(viewer: Actor) -> ContentHealth:
    """The state of the store as the last checks left it; reads no content."""
    require(viewer, KEEP)
    totals = Blob.objects.aggregate(
        count=Count("pk"),
        size=Sum("size_bytes"),
        unchecked=Count("pk", filter=Q(check_up=None)),
        oldest=Min("check_up__at"),
        unnamed=Count("unnamed"),
    )
    bad = BlobCheck.objects.exclude(outcome=BlobCheck.Outcome.SOUND).order_by("blob_id")
    found = list(bad.values_list("blob_id", "outcome")[:1000])
    return ContentHealth(
        blobs=totals["count"],
        size_bytes=totals["size"] or 0,
        unchecked=totals["unchecked"],
        oldest_check=totals["oldest"],
        missing=[digest for digest, outcome in found if outcome == BlobCheck.Outcome.MISSING],
        changed=[digest for digest, outcome in found if outcome == BlobCheck.Outcome.CHANGED],
        unnamed=totals["unnamed"],
        open_uploads=Upload.objects.filter(state=Upload.State.OPEN).count(),
        parked=ParkedBlob.objects.count(),
        refused=list(ParkedBlob.objects.filter(refusals__gt=0).order_by("pk").values_list("digest", flat=True)[:1000]),
    )


def blobs_to_check(viewer: Actor, *, not_since: dt.datetime, limit: int) -> list[StoredBlob]:
    """Blobs that were not read again since then: never checked ones first, then the oldest check."""
    require(viewer, KEEP)
    waiting = Blob.objects.filter(Q(check_up=None) | Q(check_up__at__lt=not_since))
    ordered = waiting.order_by(F("check_up__at").asc(nulls_first=True), "created_at", "pk")
    return [StoredBlob(*one) for one in ordered.values_list("pk", "size_bytes")[:limit]]


def places_of(viewer: Actor, digest: str) -> list[str]:
    """Some of the files that have this content: 'run 1f2e…: model/weights.bin'; and what else names it."""
    require(viewer, KEEP)
    files = ArtifactFile.objects.filter(blob_id=digest).order_by("pk")
    rows = files.values_list("root__kind", "root__owner_uid", "path")[:_NAMED]
    besides = [place for places in hooks.content_places for place in places(digest)]
    return [*(f"{kind} {owner}: {path}" for kind, owner, path in rows), *besides[:_NAMED]]


def stray_content(viewer: Actor, *, limit: int = 10_000) -> list[Held]:
    """Content that lies in the store and no row speaks of, for longer than the time of grace."""
    require(viewer, KEEP)
    return collecting.strays(limit)
