"""Uploads that arrive piece by piece and go on after a broken connection.

What lies in the store is safe before the row says so, and the row moves on by one piece at a time: a sender that comes
back asks how far it is. Whoever moves the row first wins; another sender at the same place is told the right one.
"""

import re
import secrets
from collections.abc import Sequence

from django.conf import settings

from accounts.access import require
from accounts.decorators import action
from accounts.models import Project
from artifacts import quotas
from artifacts.models import Upload
from artifacts.queries.uploads import get_upload
from artifacts.storage import Incoming, Part, UploadBroken, blobs
from artifacts.storage.receiving import Ahead, Piece
from artifacts.uploads import PART_BYTES, assembled, complete, forget, part_bytes_for
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid, NotFound, TooLarge

UPLOAD = "experiments.upload"
PARTS_MAX = 10_000  # of one file, as in S3
_SHA256 = re.compile(r"[0-9a-f]{64}")


class WrongOffset(Conflict):
    """The sender is at another place than the upload. received_bytes: where it goes on."""

    code = "WRONG_OFFSET"

    def __init__(self, received_bytes: int) -> None:
        super().__init__(
            f"This upload goes on at byte {received_bytes:,}.",
            hint=f"Send from there, with Upload-Offset: {received_bytes}.",
            field="Upload-Offset",
        )
        self.received_bytes = received_bytes


@action(UPLOAD, on="project")
def begin_upload(actor: Actor, project: Project, *, size_bytes: int, digest: str = "", purpose: str = "") -> Upload:
    """Announce a file of this size, and its SHA-256 where it is known. Raises TooLarge, QuotaReached,
    Invalid."""
    if size_bytes < 0:
        raise Invalid("A file has a size of 0 bytes or more.", field="size_bytes")
    if size_bytes > settings.MLED_MAX_UPLOAD_BYTES:
        limit = settings.MLED_MAX_UPLOAD_BYTES
        raise TooLarge(
            f"A file may have at most {limit:,} bytes here.", hint="Ask an administrator.", field="size_bytes"
        )
    if digest and not _SHA256.fullmatch(digest):
        raise Invalid("A digest is a SHA-256 in 64 lower-case hex digits.", field="digest")
    if len(purpose) > 1100 or "\x00" in purpose:
        raise Invalid("A purpose has at most 1,100 plain characters.", field="purpose")
    quotas.expect(actor, project.pk, size_bytes)
    upload = Upload(
        project=project, created_by_id=actor.user_id, size_bytes=size_bytes, digest=digest, purpose=purpose,
        part_bytes=part_bytes_for(size_bytes),
    )  # fmt: skip
    upload.storage_key = upload.id.hex
    upload.save(force_insert=True)
    return upload


@action(UPLOAD, on="project")
def begin_numbered_upload(actor: Actor, project: Project, *, part_count: int, purpose: str) -> Upload:
    """Announce a file that comes in so many numbered parts, in any order and of any size. Raises Invalid."""
    if not 1 <= part_count <= PARTS_MAX:
        raise Invalid(f"A file comes in 1 to {PARTS_MAX:,} parts.", hint="Send larger parts.", field="num_parts")
    names = [[str(number), None] for number in range(1, part_count + 1)]
    upload = Upload(project=project, created_by_id=actor.user_id, purpose=purpose, parts=names)
    upload.storage_key = upload.id.hex
    upload.save(force_insert=True)
    return upload


def send_numbered_part(actor: Actor, upload: Upload, *, number: str, incoming: Incoming, expected: int | None) -> Part:
    """Take in one part; sending it again replaces it. Call it outside a transaction.

    Raises NotFound for a number that was not announced, UploadBroken, TooLarge, StorageFull, QuotaReached for a part
    that alone would not fit.
    """
    upload = _numbered(actor, upload)
    if number not in {name for name, _ in upload.parts}:
        raise NotFound(f"This upload has no part {number[:20]}.", field="part_number")
    quotas.expect(actor, upload.project_id, expected or 0)  # the whole is asked about at its end
    limit = settings.MLED_MAX_UPLOAD_BYTES
    part = blobs().put_part(upload.storage_key, number, incoming, limit=limit, expected=expected)
    Upload.objects.filter(pk=upload.pk).update(touched_at=now())
    return part


def finish_numbered_upload(actor: Actor, upload: Upload, *, numbers: Sequence[int]) -> Upload:
    """Make the blob of all parts; doing it again changes nothing. numbers: of the parts that the sender counts.

    Call it outside a transaction. Raises Conflict where a part did not come or others are counted, TooLarge.
    """
    upload = get_upload(actor, upload.pk)
    require(actor, UPLOAD, upload)
    if upload.state == Upload.State.COMPLETE:
        return upload
    upload = _numbered(actor, upload)
    if [str(number) for number in numbers] != [name for name, _ in upload.parts]:
        raise Invalid("Name every part once, from 1 on.", hint=f"There are {len(upload.parts):,}.", field="parts")
    parts = [blobs().find_part(upload.storage_key, name) for name, _ in upload.parts]
    if None in parts:
        raise Conflict(f"Part {parts.index(None) + 1} has not come.", hint="Send it first.", field="parts")
    return _made_of(actor, upload, [part for part in parts if part])


def append_upload(actor: Actor, upload: Upload, *, offset: int, incoming: Incoming) -> Upload:
    """Take in the bytes from this offset on; whole pieces stay, also when the sender breaks off behind them.

    Call it outside a transaction: a slow sender must not hold a lock. Raises WrongOffset, UploadBroken, Invalid where
    more comes than was announced, StorageFull.
    """
    upload = _to_go_on(actor, upload)
    if offset != upload.received_bytes:
        raise WrongOffset(upload.received_bytes)
    stream = Ahead(incoming)
    while (size := _next_piece(upload)) and not stream.at_end():
        name = f"{len(upload.parts)}-{secrets.token_hex(8)}"
        part = blobs().put_part(upload.storage_key, name, Piece(stream, size), limit=size, expected=size)
        _advance(upload, part)
    if not stream.at_end():
        raise Invalid(f"More came than the {upload.size_bytes:,} bytes that were announced.", hint="Begin anew.")
    return upload


def finish_upload(actor: Actor, upload: Upload) -> Upload:
    """Make the blob of what came; doing it again changes nothing. It has no name until an action gives it one.

    Call it outside a transaction, since it reads all of it. Raises Conflict while bytes are missing, WrongDigest (then
    the upload is gone).
    """
    upload = get_upload(actor, upload.pk)
    require(actor, UPLOAD, upload)
    if upload.state == Upload.State.COMPLETE:
        return upload
    if upload.size_bytes is None:
        raise _comes_numbered()
    if _next_piece(upload):
        raise Conflict(
            f"Only {upload.received_bytes:,} of {upload.size_bytes:,} bytes have come.", hint="Send the rest first."
        )
    return _made_of(actor, upload, [Part(name, size) for name, size in upload.parts])


def drop_upload(actor: Actor, upload: Upload) -> None:
    """Give up an upload of one's own; what it became stays where it has got a name."""
    upload = get_upload(actor, upload.pk)
    require(actor, UPLOAD, upload)
    forget(upload)


def _to_go_on(actor: Actor, upload: Upload) -> Upload:
    """The upload as it is now, if it takes more."""
    upload = get_upload(actor, upload.pk)
    require(actor, UPLOAD, upload)
    if upload.state != Upload.State.OPEN:
        raise WrongOffset(upload.received_bytes)
    if upload.size_bytes is None:
        raise _comes_numbered()
    return upload


def _comes_numbered() -> Conflict:
    return Conflict("This upload comes in numbered parts.", hint="Send them to their own addresses.", field="upload")


def _next_piece(upload: Upload) -> int:
    """How large the next piece has to be; 0 at the end."""
    size, part = upload.size_bytes or 0, upload.part_bytes or PART_BYTES
    return min(part, size - upload.received_bytes)


def _advance(upload: Upload, part: Part) -> None:
    """Move the row on by one piece, if nobody else did since."""
    before, parts = upload.received_bytes, [*upload.parts, [part.name, part.size_bytes]]
    after = before + part.size_bytes
    here = Upload.objects.filter(pk=upload.pk, state=Upload.State.OPEN, received_bytes=before)
    if not here.update(received_bytes=after, parts=parts, touched_at=now()):
        theirs = Upload.objects.filter(pk=upload.pk).values_list("received_bytes", flat=True).first()
        if theirs is None:
            blobs().drop(upload.storage_key)
            raise Conflict("This upload was given up meanwhile.", hint="Begin anew.")
        raise WrongOffset(theirs)
    upload.received_bytes, upload.parts = after, parts


def _numbered(actor: Actor, upload: Upload) -> Upload:
    """The upload as it is now, if it takes numbered parts."""
    upload = get_upload(actor, upload.pk)
    require(actor, UPLOAD, upload)
    if upload.size_bytes is not None:
        raise Conflict("This upload takes no numbered parts.", hint="Begin one that does.", field="upload_id")
    return upload


def _made_of(actor: Actor, upload: Upload, parts: list[Part]) -> Upload:
    """The upload, complete with the blob of these parts."""
    try:
        stored = assembled(upload, parts)
    except UploadBroken:
        return _finished_by_another(actor, upload)
    complete(actor, upload, stored)
    return get_upload(actor, upload.pk)


def _finished_by_another(actor: Actor, upload: Upload) -> Upload:
    """The upload that the same person finished at the same moment; else its pieces are gone, and so is it."""
    now_there = get_upload(actor, upload.pk)
    if now_there.state == Upload.State.COMPLETE:
        return now_there
    forget(upload)
    raise UploadBroken("A piece of this upload is gone; nothing was kept.", hint="Send the file again.")
