"""Each parameter of many runs against one of their results, and which of them matter most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.compare.correlation import (
    TOO_FEW,
    Correlation,
    Floats,
    Grouping,
    as_numbers,
    columns_of,
    correlate,
    group,
    is_numeric,
)
from experiments.compare.importance import Importance, Ranking, rank


@dataclass(frozen=True, slots=True)
class Relation:
    """One parameter against the result. strength: of the relation, 0 to 1, for sorting where nothing is ranked."""

    name: str
    kind: str
    n: int
    correlation: Correlation | None
    grouping: Grouping | None
    importance: Importance | None

    @property
    def strength(self) -> float:
        if self.correlation is not None:
            return max(abs(self.correlation.pearson or 0), abs(self.correlation.spearman or 0))
        return (self.grouping.eta_squared or 0) ** 0.5 if self.grouping else 0

    @property
    def is_thin(self) -> bool:
        return self.n < TOO_FEW

    @property
    def words(self) -> dict[str, str]:
        """Each figure as it is printed; empty where there is none."""
        correlation, grouping, importance = self.correlation, self.grouping, self.importance
        return {
            "pearson": _signed(correlation.pearson) if correlation else "",
            "spearman": _signed(correlation.spearman) if correlation else "",
            "eta": f"{grouping.eta_squared:.2f}" if grouping and grouping.eta_squared is not None else "",
            "importance": f"{max(0.0, importance.share):.2f}" if importance else "",
            "error": f"± {importance.error:.2f}" if importance else "",
        }

    @property
    def bar(self) -> float:
        """How long its bar is, of 100."""
        return round(100 * min(1.0, max(0.0, self.importance.share)), 1) if self.importance else 0


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+z.2f}".replace("-", "−")


def related(held: Mapping[str, Sequence[str | None]], y: Floats, most: int) -> tuple[Ranking | None, list[Relation]]:
    """The parameters that vary among the runs with a result, at most so many, those that matter most first."""
    known = np.flatnonzero(np.isfinite(y)).tolist()
    params = {name: [values[at] for at in known] for name, values in held.items()}
    names = columns_of(params)[:most]
    result = y[known]
    ranking = rank({name: params[name] for name in names}, result)
    importances = {one.name: one for one in ranking.importances} if ranking else {}
    relations = [_relation(name, params[name], result, importances.get(name)) for name in names]
    relations.sort(key=lambda one: (-(one.importance.share if one.importance else 0), -one.strength, one.name))
    return ranking, relations


def _relation(name: str, values: Sequence[str | None], y: Floats, importance: Importance | None) -> Relation:
    if is_numeric(values):
        found = correlate(as_numbers(values), y)
        return Relation(name, "number", found.n, found, None, importance)
    grouped = group(values, y)
    return Relation(name, "words", grouped.n, None, grouped, importance)
