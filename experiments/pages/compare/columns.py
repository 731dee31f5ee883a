"""What stands beside each other: every run by itself, or groups of runs that say the same of a field."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.models import Run
from experiments.pages.compare.frame import Frame
from experiments.queries.curves import groups_of
from experiments.templatetags.runs import RUN_COLOURS

SIDE_BY_SIDE = 10  # with more columns than this, each of them is a row


@dataclass(frozen=True, slots=True)
class Column:
    """One head of the table. places: of its runs among those compared; run: None for a group."""

    places: tuple[int, ...]
    name: str
    words: str
    slot: int
    url: str
    is_base: bool
    base_url: str
    ref: str
    run: Run | None = None


def columns_of(frame: Frame) -> list[Column]:
    """The heads, in the order of the runs or of the field's values."""
    return _groups(frame) if frame.asked.groups else singles_of(frame)


def singles_of(frame: Frame) -> list[Column]:
    """Every run by itself."""
    return [_single(frame, place) for place in range(len(frame.runs))]


def base_column(columns: Sequence[Column]) -> int:
    """The place of the base column."""
    return next((at for at, column in enumerate(columns) if column.is_base), 0)


def _single(frame: Frame, place: int) -> Column:
    chip = frame.context["chips"][place]
    return Column(
        (place,), chip.run.name, chip.ref, chip.slot, chip.url, chip.is_base, chip.base_url, chip.ref, chip.run
    )


def _groups(frame: Frame) -> list[Column]:
    asked = frame.asked
    columns = []
    for at, (name, places) in enumerate(groups_of(frame.viewer, frame.runs, asked.groups).items()):
        ref = frame.runs[places[0]].readable_id
        columns.append(
            Column(
                places=tuple(places),
                name=name,
                words=f"{len(places)} run{'' if len(places) == 1 else 's'}",
                slot=at % RUN_COLOURS + 1,
                url=asked.url(refs=tuple(frame.runs[place].readable_id for place in places), groups=(), base=""),
                is_base=frame.base in places,
                base_url=asked.url(base=ref),
                ref=ref,
            )
        )
    return columns
