"""The work of an import from MLflow, from its first look at the source to the comparison at its end."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from kernel.actor import system
from kernel.errors import Conflict
from transfer.actions.mlflow import Bringing
from transfer.actions.transfers import finish_transfer
from transfer.bringing import experiments, models, runs
from transfer.bringing.deleting import delete_experiments, delete_runs
from transfer.bringing.registered import bring_registered
from transfer.bringing.under_way import UnderWay
from transfer.bringing.verifying import verify
from transfer.mlflow.opening import open_asked
from transfer.mlflow.records import Source
from transfer.models import Transfer
from transfer.work import NotYet, Progress, requester_of

BY_COMMAND: Final = "by_command"  # in the options: only the command that began it can open the source
at_hand: Final[dict[UUID, Callable[[], Source]]] = {}
"""Sources that this process can open: their addresses, which may hold secrets, are kept nowhere else."""


def import_from_mlflow(transfer: Transfer, progress: Progress) -> None:
    """Bring along what the source has, and finish the transfer. Goes on where an earlier attempt stopped."""
    opener = at_hand.get(transfer.pk)
    if opener is None and transfer.options.get(BY_COMMAND):
        raise NotYet
    progress.at("opening the source", 0)
    source = opener() if opener else open_asked(transfer)
    try:
        _bring(transfer, progress, source)
    finally:
        source.close()


def _bring(transfer: Transfer, progress: Progress, source: Source) -> None:
    origin = source.origin()
    if transfer.origin and transfer.origin != origin:
        raise Conflict("The source is another than the one that this import began with.", hint="Begin a new import.")
    told = source.told()
    way = UnderWay(
        actor=requester_of(transfer),
        project=transfer.project,
        source=source,
        bringing=Bringing(
            transfer, origin, f"Import from {told} ({transfer.source or 'an upload'}): {transfer.pk}"[:900]
        ),
        progress=progress,
        wanted=frozenset(transfer.options.get("experiments") or ()),
        with_files=transfer.options.get("files", True),
    )
    for note in source.notes():
        way.tally.tell("the source", note)
    found = experiments.bring_experiments(way)
    later = runs.bring_runs(way, found)
    models.bring_models(way, found)
    models.link_models(way, later)
    if not way.wanted:
        bring_registered(way)
    delete_runs(way, later.deleted)
    delete_experiments(way, found)
    _tell_of_no_files(way)
    digest = verify(way)
    finish_transfer(system(), transfer, counts=way.tally.shaped(), problems=way.tally.problems(), digest=digest)


def _tell_of_no_files(way: UnderWay) -> None:
    """An archive that holds nothing of these runs is another folder, as a rule."""
    if way.bringing.transfer.artifacts_blob_id and way.with_files and not way.tally.counts["files_held"]:
        way.tally.tell(
            "files",
            "The archive of the artifacts holds no file of any of these runs and models. Pack the folder mlartifacts "
            "or mlruns itself, with everything below it, and import again: that adds them.",
        )
