"""Clearing away content that nothing names.

In two steps, so that nobody's upload is lost on the way. First a blob that no row names gets a row that says since
when; bytes that no row speaks of at all (an upload whose file was refused) get their rows as well. After a time of
grace it is taken away: its bytes go while its UnnamedBlob row is held.

Whoever gives a blob a name deletes that row before (`artifacts.blobs.know`). If they come first, it is skipped here. If
they wait for us, they find no blob, make its row anew and look whether the bytes are there. The grace is longer than
any transaction, so a name that is about to be committed is seen.
"""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Exists, ForeignObjectRel, OuterRef, QuerySet

from artifacts.models import Blob, BlobCheck, UnnamedBlob
from artifacts.storage import Held, StoredBlob, blobs
from kernel.clock import now

_LEAST = dt.timedelta(hours=1)
_SPEAK_OF_IT = (BlobCheck, UnnamedBlob)  # rows about a blob that give it no name


def grace() -> dt.timedelta:
    """How long content stays without a name."""
    return max(_LEAST, dt.timedelta(hours=settings.MLED_BLOBS_GRACE_HOURS))


def unnamed_blobs() -> QuerySet[Blob]:
    """Blobs that no row of any room points to."""
    found = Blob.objects.all()
    for link in Blob._meta.get_fields(include_hidden=True):
        if isinstance(link, ForeignObjectRel) and link.related_model not in _SPEAK_OF_IT:
            naming = link.related_model._base_manager
            found = found.filter(~Exists(naming.filter(**{link.field.attname: OuterRef("pk")})))
    return found


def strays(limit: int) -> list[Held]:
    """Content in the store that no row speaks of, and that has lain there for the time of grace."""
    cutoff, found, batch = now() - grace(), [], []
    for held in blobs().held():
        if held.stored_at < cutoff:
            batch.append(held)
        if len(batch) == 500:
            found += _unknown(batch)
            batch = []
        if len(found) >= limit:
            break
    return (found + _unknown(batch))[:limit]


def _unknown(batch: list[Held]) -> list[Held]:
    known = set(Blob.objects.filter(pk__in=[one.digest for one in batch]).values_list("pk", flat=True))
    return [one for one in batch if one.digest not in known]


def mark(found: Iterable[Held]) -> int:
    """Part of an act: say of each blob that nothing names that it is so; of others, no longer. Returns how many are."""
    Blob.objects.bulk_create(
        [Blob(digest=one.digest, size_bytes=one.size_bytes) for one in found], ignore_conflicts=True
    )
    named_again = UnnamedBlob.objects.exclude(blob__in=unnamed_blobs().values("pk"))
    UnnamedBlob.objects.filter(pk__in=list(named_again.values_list("pk", flat=True))).delete()
    fresh = unnamed_blobs().filter(unnamed=None).values_list("pk", flat=True)
    UnnamedBlob.objects.bulk_create([UnnamedBlob(blob_id=digest) for digest in fresh], ignore_conflicts=True)
    return UnnamedBlob.objects.count()


def take_away(limit: int) -> list[StoredBlob]:
    """Part of an act: remove blobs that had no name for the time of grace, bytes and rows; returns which."""
    rows = UnnamedBlob.objects.select_for_update(skip_locked=True).filter(since__lt=now() - grace())
    due = [row.pk for row in rows.order_by("since")[:limit]]
    doomed = list(unnamed_blobs().filter(pk__in=due))
    for blob in doomed:
        blobs().remove(blob.digest)
    digests = [blob.digest for blob in doomed]
    BlobCheck.objects.filter(pk__in=digests).delete()
    UnnamedBlob.objects.filter(pk__in=due).delete()
    Blob.objects.filter(pk__in=digests).delete()
    return [StoredBlob(blob.digest, blob.size_bytes) for blob in doomed]
