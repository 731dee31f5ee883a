"""A row in every table of imports and exports."""

from __future__ import annotations

import io

from accounts.models import Project
from artifacts.blobs import know
from artifacts.storage import blobs
from audit.ledger.acting import acting, current_act
from kernel.actor import operator
from kernel.clock import now
from transfer.models import Moved, Transfer, TransferFile


def a_stopped_transfer(project: Project, word: str) -> Transfer:
    """An export that was stopped, with a file and a thing that it moved; `word` stands in each text."""
    stored = blobs().receive(io.BytesIO(word.encode()), limit=1000)
    with acting(operator(), "transfer.begin_export", project_id=project.pk) as act:
        transfer = Transfer(
            project=project,
            kind=Transfer.Kind.EXPORT,
            source=word,
            state=Transfer.State.CANCELLED,
            problems=[{"where": word, "message": word}],
            finished_at=now(),
        )
        transfer.save()
        act.speaks_of(transfer.ledger_subject)
        know(stored)
        file = {"name": f"{word}.zip", "media_type": "application/zip", "blob_id": stored.digest}
        TransferFile(transfer=transfer, size_bytes=stored.size_bytes, **file).save(force_insert=True)
        fields = {f"{word}.zip": (None, {"digest": stored.digest, "size_bytes": stored.size_bytes})}
        current_act().record("transfer.transferfile", transfer.pk.hex, "set", fields)
    Moved.objects.create(project=project, origin=word, kind="run", source_id=word, target=word, transfer=transfer)
    return transfer
