"""Taking a run away as a bundle, which is on record."""

from accounts.decorators import action
from audit.ledger.acting import current_act
from experiments.models import Run
from kernel.actor import Actor


@action("experiments.download", on="run")
def note_bundle_of(actor: Actor, run: Run, *, files: int, data: int) -> None:
    """Put on record that this run was taken away as a bundle. data: how many of the files are data."""
    act = current_act()
    act.always = True
    act.reason = f"Took the bundle of {run.readable_id}: {files} files, {data} of them data."
    act.speaks_of(run.ledger_subject)
