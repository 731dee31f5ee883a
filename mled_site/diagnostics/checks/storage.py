"""The store of files: can something be written, read and removed; how content was found when it was last read."""

import hashlib
import io
import os
from uuid import uuid4

from django.conf import settings

from artifacts.queries.content import content_health
from artifacts.queries.quotas import nearly_full
from artifacts.sizes import size_words
from artifacts.storage import BlobStorage, BucketMissing, StoredBlob, has_bucket, store
from artifacts.storage.place import BadPlace, is_s3, s3_place
from kernel.actor import system
from kernel.clock import now
from kernel.errors import Unavailable
from mled_site.diagnostics.reaching import database_trouble
from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mled_site.diagnostics.words import size, span

LATE_SECONDS = 21 * 24 * 3600  # everything is read again about once a week
_NAMED = 3


@check("storage", "Files", seconds=20)
def storage(notes: Notes) -> None:
    """Whether the store takes, gives and removes content; when content was last read again, what was damaged, and
    which projects are near their quota."""
    place = str(settings.MLED_BLOBS)
    notes.figure("Place", place.partition("?")[0])
    try:
        locks = is_s3(place) and s3_place(place, lock_days=settings.MLED_BLOBS_LOCK_DAYS).lock_days > 0
        if not has_bucket():  # asked first: some stores make a bucket of the first thing that is written
            raise BucketMissing("The file store has no such bucket; nothing can be kept.")
        _probe(store(), locks=locks)
        notes.figure("Probe", "written, found, removed" if locks else "written, read, removed")
    except BadPlace as error:
        notes.fail(
            "storage.setting", str(error), "Correct MLED_BLOBS; docs/operate.md, Files in S3, lists its options."
        )
    except Unavailable as error:
        notes.fail(_code(error), error.message, _next(place))
    except OSError as error:
        notes.fail("storage.away", f"The file store cannot be reached: {error.strerror or error}.", _next(place))
    if not database_trouble():
        _content(notes)
        _quotas(notes)


def _probe(place: BlobStorage, *, locks: bool) -> None:
    """Write something, read it, remove it. Where objects are locked a part of an upload, which never is."""
    content = os.urandom(64)
    if locks:
        upload = uuid4().hex
        place.put_part(upload, "1", io.BytesIO(content), limit=64, expected=64)
        found = place.find_part(upload, "1")
        place.drop(upload)
        if found is None:
            raise Unavailable("The file store does not give back what it was given.")
        return
    blob = StoredBlob(hashlib.sha256(content).hexdigest(), len(content))
    try:
        place.receive(io.BytesIO(content), limit=64, expected=64, digest=blob.digest)
        with place.open(blob) as reader:
            if reader.read() != content:
                raise Unavailable("The file store does not give back what it was given.")
    finally:
        place.remove(blob.digest)


def _code(error: Unavailable) -> str:
    known = {
        "STORAGE_FULL": "storage.full",
        "STORAGE_REFUSED": "storage.refused",
        "BUCKET_MISSING": "storage.no_bucket",
        "BLOB_DAMAGED": "storage.damaged",
    }
    return known.get(error.code, "storage.away")


def _next(place: str) -> str:
    if not is_s3(place):
        return f"Check that this user may write {place} and that its disk is mounted and has room; see Disk."
    bucket = s3_place(place)
    where = bucket.endpoint or "AWS"
    return (
        f"Check that {where} answers, that bucket '{bucket.bucket}' is there, and that the credentials in "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY may get, put, list and delete in it."
    )


def _content(notes: Notes) -> None:
    health = content_health(system())
    notes.figure("Content", f"{health.blobs:,} blobs, {size(health.size_bytes)}; {health.unnamed:,} that nothing names")
    notes.figure("On their way", f"{health.parked:,} small files in the database")
    if health.refused:
        named = ", ".join(f"sha256:{one[:12]}…" for one in health.refused[:_NAMED])
        notes.warn(
            "storage.refuses_some",
            f"The file store takes other files and not {len(health.refused):,} that wait in the database: {named}. "
            "They are given out from there, and tried again at most an hour apart.",
            "The log of the workers has the store's own words. Check what of its own such an object has there: its "
            "permissions, a folder in its place, a rule of the bucket.",
        )
    oldest = "none yet" if health.oldest_check is None else f"the longest ago {_ago(health.oldest_check)}"
    notes.figure("Read again", f"{health.blobs - health.unchecked:,} of {health.blobs:,}, {oldest}")
    for what, digests in (("missing", health.missing), ("changed", health.changed)):
        if digests:
            named = ", ".join(f"sha256:{one[:12]}…" for one in digests[:_NAMED])
            notes.fail(
                "storage.damaged",
                f"{len(digests):,} of the stored contents {'is' if len(digests) == 1 else 'are'} {what}: {named}. "
                "They are not given out.",
                "Bring them back from a back-up, or send the same files again; then run manage.py verify_blobs.",
            )
    if health.oldest_check is not None and (now() - health.oldest_check).total_seconds() > LATE_SECONDS:
        notes.warn(
            "storage.not_verified",
            f"Some content was last read again {_ago(health.oldest_check)}; it should be weekly.",
            "See Background work, or run manage.py verify_blobs now.",
        )


def _ago(at: object) -> str:
    return f"{span((now() - at).total_seconds())} ago"  # type: ignore[operator]


def _quotas(notes: Notes) -> None:
    found = nearly_full(system())
    if found:
        named = ", ".join(
            f"{name} ({room.percent} % of {size_words(room.limit_bytes or 0)})" for name, room in found[:_NAMED]
        )
        more = f" and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        notes.warn(
            "storage.quota",
            f"Above nine tenths of their quota: {named}{more}. At the whole of it, files are refused.",
            "Have deleted runs purged or files taken away, or set a larger quota under Settings, Storage.",
        )
