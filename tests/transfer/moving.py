"""Archives made and brought in while the log goes on, for tests."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from accounts.models import Project
from artifacts.blobs import receive
from artifacts.storage import StoredBlob, blobs
from audit.ledger.sequencer import Sequencer
from kernel.actor import Actor
from transfer.actions.transfers import begin
from transfer.archive.reading import origin_in
from transfer.models import Transfer, TransferFile
from transfer.running import carry


def carried(transfer: Transfer) -> Transfer:
    """The transfer, done while the log goes on as it does by itself."""
    for _ in range(5):
        Sequencer().run_until_empty()
        if carry(transfer.pk):
            break
    return Transfer.objects.select_related("project", "requested_by").get(pk=transfer.pk)


def exported(actor: Actor, project: Project, **options: Any) -> Transfer:
    """An export, done."""
    return carried(begin(actor, project, kind="export", options=options))


def content(transfer: Transfer) -> bytes:
    """The archive that an export made."""
    file = TransferFile.objects.get(transfer=transfer)
    with blobs().open(StoredBlob(file.blob_id, file.size_bytes)) as stored:
        return stored.read()


def opened(transfer: Transfer) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content(transfer)))


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in archive.read(name).splitlines()]


def imported(actor: Actor, project: Project, archive: bytes, **options: Any) -> Transfer:
    """An import of these bytes, done or failed."""
    stored = receive(io.BytesIO(archive), expected=len(archive))
    origin = origin_in(stored)
    return carried(begin(actor, project, kind="archive", source="a.zip", origin=origin, options=options, blob=stored))


def rewritten(archive: bytes, changes: dict[str, bytes | None], *, told: bool = False) -> bytes:
    """The zip with these members exchanged, added or (None) left out; told: manifest.json says what is there then."""
    import hashlib

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        members = {name: old.read(name) for name in old.namelist()}
        members |= {name: body for name, body in changes.items() if body is not None}
        for name in [name for name, body in changes.items() if body is None]:
            del members[name]
        if told:
            manifest = json.loads(members["manifest.json"])
            for name in manifest["members"]:
                manifest["members"][name] = {
                    "sha256": hashlib.sha256(members[name]).hexdigest(),
                    "size_bytes": len(members[name]),
                }
            members["manifest.json"] = json.dumps(manifest).encode()
        for name, body in members.items():
            new.writestr(name, body)
    return out.getvalue()
