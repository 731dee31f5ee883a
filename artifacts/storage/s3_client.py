"""The client of an object store, and what its errors mean in our words. The only place that loads boto3."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from artifacts.storage.base import BucketMissing, StorageFull, StorageRefused
from artifacts.storage.place import S3Place
from kernel.errors import Unavailable

_ABSENT: Final = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchVersion"})
_FULL: Final = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "EntityTooLarge", "507"})

_NO_BUCKET: Final = frozenset({"NoSuchBucket"})
_REFUSED: Final = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})

log = logging.getLogger(__name__)


def client_for(place: S3Place, endpoint: str | None, *, attempts: int = 4, read_seconds: int = 60) -> Any:
    """A client that many threads may share. Credentials come from the environment, as boto3 finds them."""
    style = {"addressing_style": place.addressing} if place.addressing != "auto" or not endpoint else {}
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=place.region,
        config=Config(
            signature_version="s3v4",
            s3=style or {"addressing_style": "path"},
            connect_timeout=5,
            read_timeout=read_seconds,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=64,
            request_checksum_calculation="when_required",  # we send SHA-256 ourselves
            response_checksum_validation="when_required",
        ),
    )


class NothingThere(Exception):
    """The store has no such object."""


@contextmanager
def in_words(*, expecting_none: bool = False) -> Iterator[None]:
    """What goes wrong at the store becomes an error of ours; the log has the store's own words.

    expecting_none: raise NothingThere where the store has no such object.
    """
    try:
        yield
    except ClientError as error:
        if expecting_none and error.response.get("Error", {}).get("Code") in _ABSENT:
            raise NothingThere from error
        log.error("The object store answered: %s", error)
        raise _told(error) from error
    except (BotoCoreError, HTTPError) as error:
        log.error("The object store cannot be reached: %s", error)
        raise _away() from error


def bucket_is_there(place: S3Place) -> bool:
    """Whether the store knows the bucket; True where it does not say."""
    try:
        with in_words(expecting_none=True):
            client_for(place, place.endpoint, attempts=1, read_seconds=10).head_bucket(Bucket=place.bucket)
    except NothingThere:
        return False
    except Unavailable:
        return True
    return True


def _told(error: ClientError) -> Unavailable:
    status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    code = error.response.get("Error", {}).get("Code", "")
    if code in _NO_BUCKET:
        return BucketMissing("The file store has no such bucket; nothing was kept.", hint="Tell an administrator.")
    if code in _REFUSED or status in ("401", "403"):
        return StorageRefused("The file store refuses MLED; nothing was kept.", hint="Tell an administrator.")
    if {code, status} & _FULL:
        return StorageFull("The file store is full; nothing was kept.", hint="Tell an administrator, then try again.")
    return _away()


def _away() -> Unavailable:
    return Unavailable("The file store cannot be reached; nothing was kept.", hint="Try again shortly.")
