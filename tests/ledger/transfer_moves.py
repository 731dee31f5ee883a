"""What the random walk does with transfers: asking, carrying on, stopping, giving up, taking out, bringing in again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from accounts.models import Project
from artifacts.storage import StoredBlob
from audit.ledger.sequencer import Sequencer
from kernel.actor import operator, system
from tests.factories import a_member, a_project, everything, unique
from tests.transfer.moving import content, exported, imported
from tests.transfer.stores import a_store, bring, in_store, run_named
from transfer import leasing
from transfer.actions import transfers
from transfer.actions.ending import end_export, end_exports_of
from transfer.archive.reading import origin_in
from transfer.models import Transfer, TransferFile
from transfer.running import carry

OPEN = {"state__in": Transfer.OPEN}
QUIET = ("transfer.bring_in_points", "transfer.bring_in_model_points")  # the seal of the run covers its points


def _ask(walk: Any) -> None:
    """begin_export, of one experiment or all."""
    asked = {"with_log": walk.chance.random() < 0.2, "with_files": walk.chance.random() < 0.5}
    transfers.begin(walk.who(), walk.team.project, kind="export", options=asked)


def _bring(walk: Any) -> None:
    """begin_import of something that was exported, mostly elsewhere; so it meets what is there already."""
    file = walk.any(TransferFile, transfer__state="done")
    stored = StoredBlob(file.blob_id, file.size_bytes)
    there = Project.objects.filter(slug__startswith="mirror").first() or a_project("mirror-of-the-walk")
    options = {"dry_run": True} if walk.chance.random() < 0.3 else {}
    place = there if walk.chance.random() < 0.7 else walk.team.project
    actor = operator() if place == there else walk.who()
    transfers.begin(actor, place, kind="archive", origin=origin_in(stored), options=options, blob=stored)


def _carry(walk: Any) -> None:
    """start_transfer, finish_transfer, fail_transfer; bring_in_record, bring_in_points, bring_in_model_points,
    complete_run, complete_model, finish_record."""
    transfer = walk.any(Transfer, **OPEN)
    for _ in range(3):
        Sequencer().run_until_empty()
        if carry(transfer.pk):
            break


def _there_and_back(walk: Any) -> None:
    """The same of a project that nothing else happens to, brought in elsewhere: once in a walk."""
    if getattr(walk, "has_moved", False):
        return
    walk.has_moved = True
    home = a_project(unique("home"))
    scientist = a_member(home)
    everything(scientist, home, "moved")
    archive = content(exported(operator(), home))
    assert imported(operator(), a_project(unique("abroad")), archive).state == "done"


def _give_up(walk: Any) -> None:
    transfer = walk.any(Transfer, **OPEN)
    taken = leasing.take(transfer.pk)
    if taken is not None:
        transfer.lease = taken[0]
        transfers.fail_transfer(system(), transfer, failure=walk.text() or "Broken.")


def _from_mlflow(walk: Any) -> None:
    """bring_in_experiment, bring_in_run, bring_in_more, bring_in_logged_model, bring_in_model_files,
    bring_in_model_news, bring_in_links, bring_in_registered_model, bring_in_version: once in a walk."""
    if getattr(walk, "has_mlflow", False):
        return
    walk.has_mlflow = True
    with tempfile.TemporaryDirectory() as folder:
        project, store = a_project(unique("from-mlflow")), a_store(Path(folder))
        assert bring(operator(), project, store).state == "done"
        in_store(store, "INSERT INTO params VALUES ('more', '1', ?)", run_named(store, "long"))
        in_store(store, "UPDATE logged_model_tags SET tag_value = 'better'")
        assert bring(operator(), project, store).problems == []


TRANSFERS: list[Callable[[Any], Any]] = [
    _ask,
    _bring,
    _carry,
    _there_and_back,
    _give_up,
    _from_mlflow,
    lambda w: transfers.cancel_transfer(w.who(), w.any(Transfer, **OPEN), reason=w.text()),
    lambda w: end_exports_of(operator(), project_id=w.team.project.pk, reason="GDPR 17(1)(b)"),
    lambda w: end_export(system(), w.any(Transfer, state__in=["done", "cancelled"])),
    lambda w: transfers.download_transfer_file(w.who(), (f := w.any(TransferFile)).transfer, file=f),
]
