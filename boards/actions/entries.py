"""Submitting to a board, changing and withdrawing what was submitted. Form, command line and REST call these."""

import datetime as dt
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Max

from accounts.decorators import action
from accounts.models import Project
from audit.ledger.acting import current_act
from boards.actions.standing_in import for_board
from boards.models import Board, ReaderPass, Submission
from boards.rates import count_address
from boards.wanted import Checked, Wanted, check
from experiments.actions.batches import write_params
from experiments.actions.notes import NOTE
from experiments.actions.runs import create_run, delete_run, set_tags, update_run
from experiments.metrics.batch import MetricPoint, by_series
from experiments.metrics.segments import append
from experiments.models import MetricSeries, Param, Run
from experiments.recording.wanted import EMAIL
from experiments.values import BY_HAND, SOURCE_TYPE, RunStatus
from kernel.actor import Actor
from kernel.clock import now, now_ms
from kernel.errors import AlreadyExists, Conflict, TooMany

CODE: Final = "mlflow.source.name"
TEST: Final = "mled.test_entry"
_DAY: Final = dt.timedelta(days=1)


@action("boards.submit", on="board")
def submit_entry(
    actor: Actor, board: Board, *, wanted: Wanted, key: UUID | None = None, is_test: bool = False
) -> Submission:
    """Store an entry: a finished run of the board, and its place on it. The claim token that the actor holds becomes
    known by it.

    key: the entry's id, chosen by who sends it; sending it again gives the entry of the first time. Raises
    InvalidFields, TooLarge, Refused for what a machine filled in, Conflict for a closed board, TooMany.
    """
    values = check(wanted, board)
    held = _held(board)
    sent = Submission.objects.filter(pk=key).select_related("run", "board").first() if key else None
    if sent is not None:
        return _same(actor, held, sent)
    _require_open(held)
    claim = _claim(actor, held)
    _require_few(actor, held, claim)
    last = Submission.objects.filter(board=held).aggregate(last=Max("number"))["last"] or 0
    entry = Submission(
        pk=key or uuid4(),
        board=held,
        number=last + 1,
        run=_run(actor, held, values, is_test=is_test),
        claim=claim,
        state=Submission.State.HELD if held.checks_first and claim is not None else Submission.State.SHOWN,
        is_test=is_test,
    )
    entry.save(force_insert=True)
    current_act().speaks_of(entry.ledger_subject)
    return entry


@action("boards.keep_entry", on="entry")
def change_entry(actor: Actor, entry: Submission, *, wanted: Wanted) -> Submission:
    """Let an entry say this instead. Other params or results are another run; the one before is deleted softly, so that
    no result changes unseen. Raises as `submit_entry`, and Conflict for one that was withdrawn or taken off."""
    values = check(wanted, entry.board)
    board = _held(entry.board)
    kept = _kept(entry)
    _require_open(board)
    before = kept.run
    if _says(before) == (values.params, values.results):
        set_tags(for_board(actor), before, tags=_tags(values, is_test=kept.is_test))
    else:
        kept.run = _run(actor, board, values, is_test=kept.is_test)
        delete_run(for_board(actor), before, reason="Changed by who submitted it.")
    kept.changed_at = now()
    if board.checks_first and kept.claim_id is not None:
        kept.state = Submission.State.HELD
    kept.save()
    current_act().speaks_of(kept.ledger_subject)
    return kept


@action("boards.keep_entry", on="entry")
def withdraw_entry(actor: Actor, entry: Submission, *, reason: str = "") -> Submission:
    """Take one's entry back: it shows no more. Doing it again changes nothing."""
    _held(entry.board)
    kept: Submission = Submission.objects.select_related("run", "board").get(pk=entry.pk)
    if kept.state == Submission.State.WITHDRAWN:
        return kept
    delete_run(for_board(actor), kept.run, reason="Withdrawn by who submitted it.")
    kept.state = Submission.State.WITHDRAWN
    kept.save()
    return kept


def _held(board: Board) -> Board:
    """The board, held: entries are numbered one at a time."""
    held: Board = Board.objects.select_for_update(no_key=True, of=("self",)).select_related("project").get(pk=board.pk)
    return held


def _kept(entry: Submission) -> Submission:
    kept: Submission = Submission.objects.select_related("run__experiment", "board").get(pk=entry.pk)
    if kept.state == Submission.State.WITHDRAWN:
        raise Conflict("This entry was withdrawn.", hint="Submit another one.")
    if kept.state == Submission.State.HIDDEN:
        raise Conflict("This entry was taken off by those who keep the board.", hint=kept.state_why)
    return kept


def _same(actor: Actor, board: Board, sent: Submission) -> Submission:
    is_own = sent.claim_id == actor.claim.id if actor.claim else sent.run.created_by_id == actor.user_id
    if sent.board_id != board.pk or not is_own:
        raise AlreadyExists("This key stands for another entry.", hint="Send another, or none.", field="key")
    return sent


def _require_open(board: Board) -> None:
    if not Project.objects.get(pk=board.project_id).is_board:
        raise Conflict("This project is no board any more.")
    if not board.takes_entries:
        raise Conflict("This board takes no more entries.", hint="Those that are there can still be read.")


def _claim(actor: Actor, board: Board) -> ReaderPass | None:
    """The claim token of the entry; None for a member, who acts in their own name."""
    if actor.claim is None:
        return None
    known: ReaderPass | None = ReaderPass.objects.filter(board=board, digest=actor.claim.digest).first()
    if known is None:
        known = ReaderPass(pk=actor.claim.id, board=board, digest=actor.claim.digest, user_id=actor.user_id)
        known.save(force_insert=True)
    return known


def _require_few(actor: Actor, board: Board, claim: ReaderPass | None) -> None:
    if claim is None:
        return
    today = Submission.objects.filter(claim=claim, created_at__gt=now() - _DAY).count()
    if today >= board.entries_a_day:
        raise TooMany(
            f"{today} entries were submitted with this claim token within a day; the board takes no more.",
            hint="Try again tomorrow, or change one of them.",
        )
    count_address(actor.ip, most=settings.MLED_BOARD_ENTRIES_AN_HOUR)


def _run(actor: Actor, board: Board, values: Checked, *, is_test: bool) -> Run:
    """The entry as a finished run, with its results as of now."""
    mled, at_ms = for_board(actor), now_ms()
    run = create_run(
        mled,
        board.experiment,
        name=values.model,
        started_ms=at_ms,
        tags={key: text for key, text in _tags(values, is_test=is_test).items() if text},
    )
    write_params(run, list(values.params.items()))
    points = [MetricPoint(key, value, at_ms) for key, value in values.results.items()]
    append(run.pk, run.experiment_id, list(by_series(points)))
    return update_run(mled, run, status=RunStatus.FINISHED, ended_ms=at_ms)


def _tags(values: Checked, *, is_test: bool) -> dict[str, str]:
    """What the entry says besides params and results; empty where a change is to empty it."""
    said = {EMAIL: values.email, CODE: values.code, NOTE: values.note, SOURCE_TYPE: BY_HAND}
    said |= {TEST: "true"} if is_test else {}
    return {"mlflow.runName": values.model, **said}


def _says(run: Run) -> tuple[dict[str, str], dict[str, float]]:
    """The params and results that a run holds."""
    params = dict(Param.objects.filter(run=run).values_list("key", "value"))
    return params, dict(MetricSeries.objects.filter(run=run, context="").values_list("key", "last_value"))
