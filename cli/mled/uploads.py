"""Files on their way up: piece by piece, going on where an earlier call stopped, also after this machine restarted."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from mled.connection import Connection
from mled.places import config_folder
from mled.problems import Away, NotFound, Problem

Ticks = Callable[[int], None]
PIECE = 8 * 1024 * 1024
TRIES = 5  # for the same place in a file, before its sender gives up
REMEMBERED = 7 * 24 * 3600.0  # seconds


def size_of(path: Path) -> int:
    """Bytes of a file; 0 for one that is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def sha256_of(file: BinaryIO) -> str:
    """The digest of a file, which is left at its beginning."""
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def upload(connection: Connection, project: str, path: Path, *, name: str, ticks: Ticks = lambda more: None) -> str:
    """Send a file to a project; gives the id of its finished upload.

    The same content under the same name gives the same upload while the server knows it: so a call that is repeated
    goes on, and a record that is sent again is the same record. Raises Problem.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}.", field="files") from None
    with file:
        size = os.fstat(file.fileno()).st_size
        digest = sha256_of(file)
        memory = _Memory(connection.place.url, project, name, digest)
        known = _known(connection, memory.upload)
        if known is None:
            wanted = {"size_bytes": size, "digest": digest, "purpose": name[:1000]}
            known = connection.post(f"projects/{project}/uploads/", wanted)
            memory.keep(known["id"])
        if known["state"] == "complete":
            ticks(size)
            return str(known["id"])
        _send(connection, known, file, size, ticks)
        connection.post(f"uploads/{known['id']}/finish/")
        return str(known["id"])


def _known(connection: Connection, upload_id: str) -> dict[str, Any] | None:
    if not upload_id:
        return None
    try:
        found: dict[str, Any] = connection.get(f"uploads/{upload_id}/")
    except NotFound:
        return None
    return found


def _send(connection: Connection, known: dict[str, Any], file: BinaryIO, size: int, ticks: Ticks) -> None:
    at = int(known["received_bytes"])
    piece_bytes = max(int(known["part_bytes"]), PIECE // int(known["part_bytes"]) * int(known["part_bytes"]))
    ticks(at)
    failed = 0
    while at < size:
        file.seek(at)
        before = at
        try:
            at = _piece(connection, known["id"], at, file.read(piece_bytes))
        except Away:
            at = int(connection.get(f"uploads/{known['id']}/")["received_bytes"])
            if at <= before:
                failed += 1
                if failed == TRIES:
                    raise
        if at > before:
            failed = 0
            ticks(at - before)


def _piece(connection: Connection, upload_id: str, at: int, piece: bytes) -> int:
    """How far the server has it afterwards, also where it has it farther or less far than was thought."""
    headers = {"Upload-Offset": str(at), "Content-Type": "application/octet-stream"}
    try:
        sent = connection.send("PATCH", f"uploads/{upload_id}/", content=piece, headers=headers).json()
    except Problem as problem:
        if problem.status == 409 and "received_bytes" in problem.body and problem.body["received_bytes"] != at:
            return int(problem.body["received_bytes"])
        raise
    return int(sent["received_bytes"])


class _Memory:
    """Which upload a file became: a small file in the settings' folder, forgotten after a week."""

    def __init__(self, *names: str) -> None:
        self.folder = config_folder() / "uploads"
        self.path = self.folder / (hashlib.sha256("\0".join(names).encode()).hexdigest()[:32] + ".json")

    @property
    def upload(self) -> str:
        """Its id, or ''."""
        try:
            return str(json.loads(self.path.read_text(encoding="utf-8"))["upload"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def keep(self, upload_id: str) -> None:
        """Remember it; where that is impossible a repeat sends the file anew."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for old in self.folder.glob("*.json"):
                if time.time() - old.stat().st_mtime > REMEMBERED:
                    old.unlink(missing_ok=True)
            self.path.write_text(json.dumps({"upload": upload_id}), encoding="utf-8")
