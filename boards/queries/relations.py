"""What goes with what among the entries that match: their params and results, in columns."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from boards.models import Board
from boards.queries.entries import AT_ONCE, Asked, columns_of, entries_of
from experiments.compare.correlation import Floats
from experiments.models import Param
from kernel.actor import Actor

MOST: Final = 2000  # entries, the best of those that match


@dataclass(frozen=True, slots=True)
class Gathered:
    """params: by name, a value or None for each entry; result: the board's, NaN where it is missing."""

    params: dict[str, list[str | None]]
    result: Floats

    @property
    def differing(self) -> list[str]:
        """The params that are not the same everywhere, those of most entries first."""
        found = [name for name, values in self.params.items() if len(set(values)) > 1]
        return sorted(found, key=lambda name: (sum(value is None for value in self.params[name]), name))


def gathered(viewer: Actor, board: Board, asked: Asked) -> Gathered:
    """The columns, of the params that most entries have: anybody may give hundreds that no other entry has. Raises
    SubmissionRequired for whoever gave no entry."""
    names, _ = columns_of(viewer, board)
    found = entries_of(viewer, board, asked)[:MOST]
    rows: list[tuple[int, float | None]] = list(found.values_list("run", "result"))  # type: ignore[misc]  # annotated
    place = {run: at for at, (run, _) in enumerate(rows)}
    params: dict[str, list[str | None]] = {}
    runs = list(place)
    for start in range(0, len(runs), AT_ONCE):
        held = Param.objects.filter(run__in=runs[start : start + AT_ONCE], key__in=names)
        for run, key, value in held.values_list("run", "key", "value"):
            params.setdefault(key, [None] * len(rows))[place[run]] = value
    result = np.array([np.nan if value is None else value for _, value in rows], dtype=np.float64)
    return Gathered(params, result)
