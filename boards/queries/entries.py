"""The entries of a board: as a table, singly, and one's own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from django.db.models import Case, Count, Exists, F, FloatField, OuterRef, Q, QuerySet, Subquery, TextField, When
from django.db.models.expressions import OrderBy

from accounts.access import can, not_found, require, roles_in
from boards.conditions import Condition
from boards.models import Board, Submission
from experiments.models import MetricSeries, Param, RunTag
from experiments.recording.wanted import EMAIL
from experiments.values import Lifecycle
from kernel.actor import Actor

SEE: Final = "boards.see"
KEEPS: Final = "boards.moderate"
AT_ONCE: Final = 500
COLUMNS_MAX: Final = 200
_NOTE: Final = "mlflow.note.content"
_CODE: Final = "mlflow.source.name"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a board is asked for. model: part of its name; email: the whole label; where: conditions on params and
    results; order: 'rank', 'new', 'number', or a param's or result's key, with '-' before it for the other way round;
    states: for those who keep the board."""

    model: str = ""
    email: str = ""
    where: Sequence[Condition] = ()
    mine: bool = False
    order: str = "rank"
    states: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry with all that it says. rank: its place by the board's result among those that show, ties share one;
    None for what does not show. by: what is told of its e-mail label. is_mine: of the viewer."""

    submission: Submission
    by: str
    is_mine: bool
    rank: int | None
    result: float | None
    params: dict[str, str] = field(default_factory=dict)
    results: dict[str, float | None] = field(default_factory=dict)
    code: str = ""
    note: str = ""
    email: str = ""


def entries_of(viewer: Actor, board: Board, asked: Asked | None = None) -> QuerySet[Submission]:
    """The entries that show, and the viewer's own; for those who keep the board the states that they ask for. Asked for
    their own, those who gave some get all of these, however they stand.

    Raises SubmissionRequired for whoever gave none that opens the board.
    """
    asked = asked or Asked()
    own = Submission.objects.filter(_own(viewer), board=board) if asked.mine else None
    if own is None or not own.exists():
        require(viewer, SEE, board)
        own = None
    rows = _with_result(_showing(viewer, board, asked) if own is None else own, board)
    for condition in (_of_model(asked.model), _of_email(asked.email)):
        rows = rows.filter(condition)
    if asked.mine:
        rows = rows.filter(_own(viewer))
    for one in asked.where:
        rows = rows.filter(one.holds(board.experiment_id))
    return _ordered(rows, board, asked.order).select_related("run", "board")


def get_entry(viewer: Actor, board: Board, number: int) -> Submission:
    """One of them by its number. Raises SubmissionRequired, NotFound."""
    states = [state.value for state in Submission.State] if _keeps(viewer, board) else ()
    found = entries_of(viewer, board, Asked(states=states)).filter(number=number).first()
    if found is None:
        raise not_found(Submission, number)
    return found


def own_entries(viewer: Actor, board: Board) -> QuerySet[Submission]:
    """What the viewer submitted, whatever became of it, also where the board is closed to them; the newest first."""
    require(viewer, "boards.meet", board)
    rows: QuerySet[Submission] = Submission.objects.filter(_own(viewer), board=board)
    return _with_result(rows, board).select_related("run", "board").order_by("-number")


def own_entry(viewer: Actor, board: Board, number: int) -> Submission:
    """One's own entry by its number. Raises NotFound."""
    found = own_entries(viewer, board).filter(number=number).first()
    if found is None:
        raise not_found(Submission, number)
    return found


def find_entry(viewer: Actor, board: Board, number: int) -> Submission:
    """One's own entry however it stands, or one that shows. Raises SubmissionRequired, NotFound."""
    found = own_entries(viewer, board).filter(number=number).first()
    return found or get_entry(viewer, board, number)


def told(viewer: Actor, board: Board, rows: Sequence[Submission]) -> list[Entry]:
    """These entries with what they say, in five statements, however many."""
    runs = [row.run_id for row in rows]
    params = _by_run(Param.objects.filter(run__in=runs).values_list("run", "key", "value"))
    results = _by_run(MetricSeries.objects.filter(run__in=runs, context="").values_list("run", "key", "last_value"))
    tags = _by_run(
        RunTag.objects.filter(run__in=runs, key__in=[EMAIL, _NOTE, _CODE]).values_list("run", "key", "value")
    )
    ranks = _ranks(board, rows)
    whole = bool(roles_in(viewer, board.project_id))
    mine = set(Submission.objects.filter(_own(viewer), pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    return [
        Entry(
            submission=row,
            by=_label(tags.get(row.run_id, {}).get(EMAIL, ""), whole=whole or row.pk in mine),
            is_mine=row.pk in mine,
            rank=ranks.get(row.pk),
            result=getattr(row, "result", None),
            params=params.get(row.run_id, {}),
            results=results.get(row.run_id, {}),
            code=tags.get(row.run_id, {}).get(_CODE, ""),
            note=tags.get(row.run_id, {}).get(_NOTE, ""),
            email=tags.get(row.run_id, {}).get(EMAIL, "") if whole or row.pk in mine else "",
        )
        for row in rows
    ]


def each_told(viewer: Actor, board: Board, asked: Asked) -> Iterator[Entry]:
    """All of them, a few hundred at a time."""
    keys = list(entries_of(viewer, board, asked).values_list("pk", flat=True))
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        rows = _with_result(Submission.objects.filter(pk__in=part), board).select_related("run")
        found = {row.pk: row for row in rows}
        yield from told(viewer, board, [found[pk] for pk in part if pk in found])


def columns_of(viewer: Actor, board: Board, *, most: int = COLUMNS_MAX) -> tuple[list[str], list[str]]:
    """The keys of params and of further results that entries hold, those of most entries first, at most so many."""
    runs = entries_of(viewer, board).order_by().values("run")
    return _keys(Param, runs, "", most), _keys(MetricSeries, runs, board.result_key, most)


def numbers_by_state(viewer: Actor, board: Board) -> dict[str, int]:
    """How many entries there are in each state, for those who keep the board; for others of what they see."""
    states = [state.value for state in Submission.State]
    rows = entries_of(viewer, board, Asked(states=states)).order_by().values_list("state").annotate(n=Count("pk"))
    return dict(rows)


def latest_number(viewer: Actor, board: Board) -> int:
    """The number of the newest entry that shows: what an open page asks for."""
    newest = entries_of(viewer, board).order_by("-number").values_list("number", flat=True).first()
    return newest or 0


def _showing(viewer: Actor, board: Board, asked: Asked) -> QuerySet[Submission]:
    rows: QuerySet[Submission] = Submission.objects.visible_to(viewer).filter(board=board)
    if asked.states and _keeps(viewer, board):
        return rows.filter(state__in=asked.states)
    shown = Q(state=Submission.State.SHOWN, is_test=False, run__lifecycle=Lifecycle.ACTIVE)
    return rows.filter(shown | (_own(viewer) & ~Q(state=Submission.State.WITHDRAWN)))


def _keeps(viewer: Actor, board: Board) -> bool:
    return bool(can(viewer, KEEPS, board))


def _own(viewer: Actor) -> Q:
    """Given with the viewer's claim token, or by their account."""
    own = Q(pk__in=())
    if viewer.claim is not None:
        own |= Q(claim=viewer.claim.id)
    if viewer.is_person:
        own |= Q(run__created_by=viewer.user_id) | Q(claim__user=viewer.user_id)
    return own


def _with_result(rows: QuerySet[Submission], board: Board) -> QuerySet[Submission]:
    found = MetricSeries.objects.filter(run=OuterRef("run"), key=board.result_key, context="")
    return rows.annotate(result=Subquery(found.values("last_value")[:1], output_field=FloatField()))


def _of_model(text: str) -> Q:
    return Q(run__name__icontains=text.strip()) if text.strip() else Q()


def _of_email(text: str) -> Q:
    if not text.strip():
        return Q()
    return Q(Exists(RunTag.objects.filter(run=OuterRef("run"), key=EMAIL, value=text.strip().lower())))


def _ordered(rows: QuerySet[Submission], board: Board, order: str) -> QuerySet[Submission]:
    """By what was asked, the earlier entry first among equals, what has no value last."""
    key, backwards = order.removeprefix("-"), order.startswith("-")
    if key == "rank":
        up = board.is_lower_better != backwards
        return rows.order_by(_by("result", up=up), "number")
    if key in ("new", "number"):
        return rows.order_by("-number" if (key == "new") != backwards else "number")
    if key == "model":
        return rows.order_by("-run__name" if backwards else "run__name", "number")
    numbers = Param.objects.filter(run=OuterRef("run"), key=key)
    metrics = MetricSeries.objects.filter(run=OuterRef("run"), key=key, context="")
    value = Case(
        When(Exists(metrics), then=Subquery(metrics.values("last_value")[:1])),
        default=Subquery(numbers.values("number")[:1]),
        output_field=FloatField(),
    )
    text = Subquery(numbers.values("value")[:1], output_field=TextField())
    rows = rows.annotate(sorted_by=value, sorted_text=text)
    return rows.order_by(_by("sorted_by", up=not backwards), _by("sorted_text", up=not backwards), "number")


def _by(name: str, *, up: bool) -> OrderBy:
    return F(name).asc(nulls_last=True) if up else F(name).desc(nulls_last=True)


def _ranks(board: Board, rows: Sequence[Submission]) -> dict[object, int]:
    """The place of each by its result: how many that show are better, and one."""
    shown = Submission.objects.filter(
        board=board, state=Submission.State.SHOWN, is_test=False, run__lifecycle=Lifecycle.ACTIVE
    )
    values = [getattr(row, "result", None) for row in _with_result(shown, board).only("pk")]
    in_order = sorted((value for value in values if value is not None), reverse=not board.is_lower_better)
    first: dict[float, int] = {}
    for place, value in enumerate(in_order, 1):
        first.setdefault(value, place)
    return {
        row.pk: first[row.result]  # type: ignore[attr-defined]  # annotated
        for row in rows
        if row.state == Submission.State.SHOWN and not row.is_test and row.result in first  # type: ignore[attr-defined]
    }


def _label(email: str, *, whole: bool) -> str:
    """What is told of an e-mail label: to contributors what stands before the @."""
    return email if whole else email.partition("@")[0]


def _keys(model: type[Param] | type[MetricSeries], runs: object, but: str, most: int) -> list[str]:
    rows = model.objects.filter(run__in=runs).exclude(key=but).values_list("key").annotate(n=Count("run"))
    return [key for key, _ in rows.order_by("-n", "key")[:most]]


def _by_run(rows: Iterable[tuple[int, str, T]]) -> dict[int, dict[str, T]]:
    found: dict[int, dict[str, T]] = {}
    for run, key, value in rows:
        found.setdefault(run, {})[key] = value
    return found
