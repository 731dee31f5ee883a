"""Which value of a metric stands for it."""

import math

from experiments.compare.matrix import Figure
from experiments.models import MetricSeries


def figure_of(series: MetricSeries | None, figure: Figure, higher_is_better: bool | None) -> float | None:
    """The figure of a series; without a known direction the best is the last."""
    if series is None:
        return None
    if figure is Figure.BEST and higher_is_better is not None:
        return series.max_value if higher_is_better else series.min_value
    return {Figure.MIN: series.min_value, Figure.MAX: series.max_value}.get(
        figure, math.nan if series.last_is_nan else series.last_value
    )
