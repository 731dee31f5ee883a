"""What is looked at before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from artifacts.storage.place import BadPlace, anchors_place, is_s3, s3_place
from audit.ledger.places import FILE


@register
def store_can_be_read(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """MLED_BLOBS is a directory, or the address of a bucket that can be understood."""
    if is_s3(settings.MLED_BLOBS):
        try:
            s3_place(settings.MLED_BLOBS, lock_days=settings.MLED_BLOBS_LOCK_DAYS)
        except BadPlace as error:
            return [Error(str(error), hint="See docs/operate.md, Files in S3.", id="artifacts.E001")]
    return []


@register
def anchors_can_be_read(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """MLED_ANCHORS names the file, and buckets that can be understood."""
    for address in settings.MLED_ANCHORS:
        try:
            if is_s3(address):
                anchors_place(address)
            elif address != FILE:
                raise BadPlace(f"MLED_ANCHORS names '{address[:80]}'; it can name {FILE} and s3://….")
        except BadPlace as error:
            return [Error(str(error), hint="See docs/operate.md, Anchors.", id="artifacts.E002")]
    return []
