"""Exporting a project: read at one moment, sealed with its log where the viewer reads that, written as one archive."""

import time
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import Max

from accounts.access import require
from accounts.models import Project
from artifacts.storage import blobs
from audit.compliance.actions.bundles import seal_bundle
from audit.compliance.reports.bundle import content_of_log, write_bundle
from audit.compliance.reports.sealing import is_covered
from audit.ledger.keys import trusted_keys
from audit.ledger.models import Pending
from audit.ledger.queries.search import Question
from kernel.actor import system
from kernel.errors import Unavailable
from transfer.actions.transfers import Made, finish_transfer
from transfer.archive import spool
from transfer.archive.gathering import GATHERED, Gathering
from transfer.archive.layout import LEDGER, MEDIA_TYPE, SIZE_MAX
from transfer.archive.rows import Rows
from transfer.archive.writing import has_room, write_archive
from transfer.models import Transfer
from transfer.queries.transfers import WITH_LOG
from transfer.work import NotYet, Progress, requester_of

PATIENCE = 10.0  # seconds that one attempt waits for the log
SEAL = "seal"


def export(transfer: Transfer, progress: Progress) -> None:
    """All of it, or what an earlier attempt left to do. Raises Refused, NotYet, Stopped, Unavailable."""
    viewer, project, asked = requester_of(transfer), transfer.project, transfer.options
    require(viewer, "transfer.export", project)
    with_log, with_files = bool(asked.get(WITH_LOG)), bool(asked.get("with_files", True))
    if with_log:
        require(viewer, "projects.read_log", project)
    spool.sweep()
    folder = spool.folder_of(transfer.pk)
    if not (folder / GATHERED).exists():
        if with_log:
            _wait_for_log(progress)
        folder = spool.begin_anew(transfer.pk)
        rows = Rows(viewer, project, experiments=asked.get("experiments"))
        Gathering(rows, folder, progress.at).run()
    gathered = orjson.loads((folder / GATHERED).read_bytes())
    if with_log:
        _put_log(project, folder, gathered["log"]["size"], progress)
    made, digest = _archive(project, folder, gathered, with_files, progress)
    finish_transfer(system(), transfer, counts=gathered["counts"], digest=digest, files=[made])
    spool.remove(transfer.pk)


def _archive(
    project: Project, folder: Path, gathered: dict[str, Any], with_files: bool, progress: Progress
) -> tuple[Made, str]:
    if not has_room(folder, sum(gathered["contents"].values()) if with_files else 0):
        raise Unavailable("There is no room on the server's disk for this archive.", hint="Ask the administrator.")
    path = folder / "archive.zip"
    with path.open("wb") as out:
        digest = write_archive(out, folder, gathered, about(project), with_files=with_files, tell=progress.at)
    progress.at("keeping the archive", 0)
    with path.open("rb") as content:
        stored = blobs().receive(content, limit=SIZE_MAX)
    return Made(f"{project.slug}-{gathered['log']['size']}.zip", MEDIA_TYPE, stored), digest


def about(project: Project) -> dict[str, Any]:
    """What the manifest says of the project: claims, since a place of its own decides these."""
    key = next(iter(trusted_keys().values()), None)
    return {
        "software": f"MLED {settings.MLED_VERSION}",
        "project": {
            "id": project.pk.hex,
            "slug": project.slug,
            "key": project.key,
            "name": project.name,
            "purpose": project.purpose,
            "risk_class": project.risk_class,
            "is_governed": project.is_governed,
            "protected_names": project.protected_names,
            "goal_metric": project.goal_metric,
            "goal_target": project.goal_target,
            "goal_date": project.goal_date.isoformat() if project.goal_date else None,
            "log_origin": key.origin if key else "",
        },
    }


def _wait_for_log(progress: Progress) -> None:
    """Until every event that waits now has its place: then the log covers what is read. Raises NotYet."""
    last = Pending.objects.aggregate(last=Max("id"))["last"]
    if last is not None:
        _until(lambda: not Pending.objects.filter(id__lte=last).exists(), progress)


def _put_log(project: Project, folder: Path, size: int, progress: Progress) -> None:
    """The events of the project, sealed, once a head of the log covers the seal. Raises NotYet."""
    path = folder / LEDGER
    if path.exists() or size == 0:
        return
    content, kept = content_of_log(project, {}, Question(), size=size), folder / SEAL
    if not kept.exists():
        kept.write_text(seal_bundle(system(), project, manifest=content.manifest, question="{}").hex)
    seal = UUID(hex=kept.read_text())
    _until(lambda: is_covered(seal), progress)
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as out:
        write_bundle(content, seal, out)
    draft.rename(path)


def _until(is_so: Any, progress: Progress) -> None:
    is_inline = connection.in_atomic_block or settings.CELERY_TASK_ALWAYS_EAGER  # a request waits for it
    end = time.monotonic() + (0 if is_inline else PATIENCE)
    while not is_so():
        progress.at("waiting for the log", 0)
        if time.monotonic() >= end:
            raise NotYet
        time.sleep(0.2)
