"""What is looked at before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from artifacts.storage.place import BadPlace, is_s3, s3_place


@register
def store_can_be_read(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """MLED_BLOBS is a directory, or the address of a bucket that can be understood."""
    if is_s3(settings.MLED_BLOBS):
        try:
            s3_place(settings.MLED_BLOBS, lock_days=settings.MLED_BLOBS_LOCK_DAYS)
        except BadPlace as error:
            return [Error(str(error), hint="See docs/operate.md, Files in S3.", id="artifacts.E001")]
    return []
