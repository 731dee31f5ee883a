"""Opening a project as a public board, saying what it asks for, closing it."""

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any, Final

from accounts import hooks
from accounts.decorators import action
from accounts.models import Project
from accounts.texts import checked_line, storable
from boards.actions.standing_in import for_board
from boards.models import Board
from boards.models.boards import ENTRIES_A_DAY
from experiments.actions.experiments import create_experiment, set_metric_direction
from experiments.models import Experiment
from experiments.values import Lifecycle, checked_key
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid

ENTRIES: Final = "Entries"  # the experiment that they are kept in
QUESTION_MAX, LABEL_MAX, INSTRUCTIONS_MAX, REASON_MAX = 300, 120, 20_000, 1000
A_DAY_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Terms:
    """What a board asks for and how it is kept; see the model."""

    question: str
    result_key: str
    instructions: str = ""
    result_label: str = ""
    is_lower_better: bool = False
    is_open: bool = True
    closes_at: dt.datetime | None = None
    checks_first: bool = False
    stays_open: bool = False
    entries_a_day: int = ENTRIES_A_DAY


@action("boards.open", on="project")
def open_board(actor: Actor, project: Project, *, terms: Terms) -> Board:
    """Open a project for contributions: from now on anybody sees its name and what it asks for, may submit, and reads
    the entries after that. Nothing else of the project shows. Opening an open one again sets its terms.

    Raises Conflict for a project that is governed or under audit: a board is outside the scope of audits.
    """
    held: Project = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    _require_no_audit(held)
    board = Board.objects.select_for_update(no_key=True).filter(project=held).first()
    if board is None:
        board = Board(project=held, experiment=_experiment(actor, held), opened_by_id=actor.user_id)
    _take(board, terms)
    board.save()
    set_metric_direction(for_board(actor), held, key=board.result_key, higher_is_better=not board.is_lower_better)
    if not held.is_board:
        held.visibility = Project.Visibility.BOARD
        held.save()
    return board


@action("boards.open", on="board")
def set_terms(actor: Actor, board: Board, *, terms: Terms) -> Board:
    """Change what a board asks for, or whether it takes entries. Raises Invalid; Conflict where it is no board now."""
    project: Project = Project.objects.get(pk=board.project_id)
    if not project.is_board:
        raise Conflict("This project is no board any more.", hint="Open it as one again.")
    return open_board(actor, project, terms=terms)


@action("boards.open", on="board")
def end_board(actor: Actor, board: Board, *, reason: str = "") -> Board:
    """Make the project its members' own again: outside it is as if it were not there. Entries stay as runs, and claim
    tokens are good again should it be opened another time. Doing it again changes nothing."""
    project: Project = Project.objects.select_for_update(no_key=True).get(pk=board.project_id)
    if project.is_board:
        project.visibility = Project.Visibility.PRIVATE
        project.save()
    return board


def _require_no_audit(project: Project) -> None:
    if project.is_governed:
        raise Conflict(
            "A governed project cannot be a public board: what anybody submits is not under audit.",
            hint="Make a project of its own for the board.",
        )
    if project.risk_class == Project.RiskClass.HIGH:
        raise Conflict(
            "A project of high risk cannot be a public board.", hint="Make a project of its own for the board."
        )
    for check in hooks.board_opening:
        check(project)


def _experiment(actor: Actor, project: Project) -> Experiment:
    """The experiment of the entries: a new one, so that nothing that was there before shows."""
    taken = set(Experiment.objects.filter(project=project).values_list("name", flat=True))
    number, name = 1, ENTRIES
    while name in taken:
        number += 1
        name = f"{ENTRIES} {number}"
    return create_experiment(for_board(actor), project, name=name)


def _take(board: Board, terms: Terms) -> None:
    for one in fields(Terms):
        setattr(board, one.name, getattr(terms, one.name))
    board.question = checked_line(terms.question, "The question", QUESTION_MAX, field="question")
    board.instructions = _checked(terms.instructions.replace("\r\n", "\n").strip(), "instructions", INSTRUCTIONS_MAX)
    board.result_key = checked_key(terms.result_key.strip(), "result_key")
    board.result_label = _checked(" ".join(terms.result_label.split()), "result_label", LABEL_MAX)
    if not 1 <= terms.entries_a_day <= A_DAY_MAX:
        raise Invalid(f"1 to {A_DAY_MAX} entries a day.", hint="20 is usual.", field="entries_a_day")
    if board.experiment.lifecycle != Lifecycle.ACTIVE:
        raise Conflict(f"The experiment '{board.experiment.name[:80]}' of its entries is deleted.", hint="Restore it.")
    is_new = board.closes_at is not None and (board.pk is None or _changes(board, "closes_at"))
    if is_new and board.closes_at is not None and board.closes_at <= now():
        raise Invalid("This moment is over.", hint="Choose a later one, or close it now.", field="closes_at")


def _changes(board: Board, name: str) -> bool:
    stored: dict[str, Any] = getattr(board, "_stored", {})
    return stored.get(name) != getattr(board, name)


def _checked(text: str, field: str, limit: int) -> str:
    if len(text) > limit:
        raise Invalid(f"This text has {len(text):,} characters; at most {limit:,} are kept.", field=field)
    return storable(text, "This text", field=field)
