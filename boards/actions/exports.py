"""Taking the entries of a board out is on record: who, or which claim token, what, how many."""

from accounts.decorators import action
from audit.ledger.acting import current_act
from boards.models import Board
from boards.queries.entries import Asked, entries_of
from kernel.actor import Actor

WHAT_MAX = 2000


@action("boards.see", on="board")
def note_entries_taken(actor: Actor, board: Board, *, asked: Asked, word: str) -> None:
    """One event without a change: that the actor took the entries that match out. word: the kind of file."""
    count = entries_of(actor, board, asked).count()
    said = [f"model has {asked.model}"] * bool(asked.model) + [f"by {asked.email}"] * bool(asked.email)
    said += [str(one) for one in asked.where] + ["their own"] * asked.mine
    about = f", filter: {', '.join(said)}" if said else ""
    act = current_act()
    act.always = True
    act.reason = f"Exported {count:,} {'entry' if count == 1 else 'entries'} as {word}{about}"[:WHAT_MAX]
