"""A run's name and its note, changed by those who see what they change."""

from accounts.decorators import action
from experiments.actions.runs import RUN_NAME, write_tags
from experiments.actions.writable import writable_run
from experiments.models import Run, RunTag
from experiments.values import checked_text
from kernel.actor import Actor
from kernel.digests import sha256_hex
from kernel.errors import Conflict, Invalid

NOTE = "mlflow.note.content"
NOTE_MAX = 20_000
ANY = "*"


def state_of(name: str, note: str) -> str:
    """A short sign of a name and a note: another one when either is another."""
    return sha256_hex(f"{name}\0{note}".encode())[:32]


@action("experiments.edit_notes", on="run")
def edit_notes(actor: Actor, run: Run, *, expected: str, name: str | None = None, note: str | None = None) -> Run:
    """Change name or note. expected: state_of what the actor saw, or '*' for whatever stands there.

    Raises Conflict where somebody else changed them since and what they say now is not what is wanted, Invalid, Locked.
    """
    wanted = {key: text for key, text in ((RUN_NAME, name), (NOTE, note)) if text is not None}
    if name is not None and not name.strip():
        raise Invalid("A run has a name.", hint="Give it one.", field="name")
    checked_text(name or "", "name", 500)
    checked_text(note or "", "note", NOTE_MAX)
    run = writable_run(run)
    now_note = RunTag.objects.filter(run=run, key=NOTE).values_list("value", flat=True).first() or ""
    changes = {key: text for key, text in wanted.items() if text != (run.name if key == RUN_NAME else now_note)}
    if changes and expected not in (ANY, state_of(run.name, now_note)):
        raise Conflict(
            "Somebody changed name or note meanwhile; nothing was saved.",
            hint="Take over what you want to keep of what they say now, then save again.",
            field="expected",
        )
    write_tags(actor, run, changes)
    return run
