"""What an export has gathered so far, on disk until the archive is in the store; another worker may go on with it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from django.conf import settings

from transfer.models import Transfer


def root() -> Path:
    """Where everything lies that transfers are working on."""
    return Path(settings.MLED_DATA) / "transfers-in-work"


def folder_of(transfer_id: UUID) -> Path:
    """The folder of one transfer."""
    return root() / transfer_id.hex


def begin_anew(transfer_id: UUID) -> Path:
    """An empty folder for a transfer."""
    remove(transfer_id)
    folder = folder_of(transfer_id)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def remove(transfer_id: UUID) -> None:
    """Take away the folder of a transfer, if there is one."""
    shutil.rmtree(folder_of(transfer_id), ignore_errors=True)


def sweep() -> None:
    """Take away what is left of transfers that are over."""
    there = set(_ids())
    for transfer_id in there - set(
        Transfer.objects.filter(pk__in=there, state__in=Transfer.OPEN).values_list("pk", flat=True)
    ):
        remove(transfer_id)


def _ids() -> Iterator[UUID]:
    for folder in root().iterdir() if root().exists() else ():
        try:
            yield UUID(hex=folder.name)
        except ValueError:
            continue
