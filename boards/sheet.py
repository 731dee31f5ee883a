"""The entries of a board as a table that goes out."""

from collections.abc import Iterator, Sequence

from boards.models import Board
from boards.queries.entries import Asked, columns_of, each_told
from experiments.exporting.fields import Field, Kind, Value
from kernel.actor import Actor

COLUMNS_MAX = 1000  # of params, and of results: anybody may give hundreds that no other entry has


def sheet_of(viewer: Actor, board: Board, asked: Asked) -> tuple[list[Field], Iterator[Sequence[Value]]]:
    """Its columns and rows; all that is wrong is told before the first row. Raises SubmissionRequired."""
    params, results = columns_of(viewer, board, most=COLUMNS_MAX)
    fields = [
        Field("rank", Kind.INTEGER),
        Field("entry", Kind.INTEGER),
        Field("model"),
        Field("by"),
        Field(f"results.{board.result_key}", Kind.NUMBER),
        *(Field(f"results.{key}", Kind.NUMBER) for key in results),
        *(Field(f"params.{key}") for key in params),
        Field("code"),
        Field("note"),
        Field("submitted", Kind.TIME),
    ]
    return fields, _rows(viewer, board, asked, params, results)


def _rows(
    viewer: Actor, board: Board, asked: Asked, params: Sequence[str], results: Sequence[str]
) -> Iterator[Sequence[Value]]:
    for one in each_told(viewer, board, asked):
        yield [
            one.rank,
            one.submission.number,
            one.submission.run.name,
            one.by,
            one.result,
            *(one.results.get(key) for key in results),
            *(one.params.get(key) for key in params),
            one.code,
            one.note,
            int(one.submission.created_at.timestamp() * 1000),
        ]
