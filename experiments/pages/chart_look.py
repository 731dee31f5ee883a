"""How charts look, as an address says: axes, smoothing, what is cut. static/src/charts/look.ts reads the same words."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from experiments.pages.chart_data import AXES, METRIC
from experiments.pages.drawing import smoothing_of

AXIS_WORDS = {"step": "Step", "relative": "Relative", "time": "Wall"}
METHODS = (("ema", "EMA"), ("gaussian", "Gaussian"), ("mean", "Running mean"))
EPOCH = "epoch"  # a metric of this name is offered as an axis of its own


@dataclass(frozen=True, slots=True)
class Look:
    """The bar above the charts. axes: (value, label) of the x axes offered side by side."""

    x: str
    axes: tuple[tuple[str, str], ...]
    log: bool
    logx: bool
    outliers: bool
    smooth: str
    method: str
    methods: tuple[tuple[str, str], ...] = METHODS


def look_of(params: QueryDict, metrics: Sequence[str] = ()) -> Look:
    """What is unknown is left out. metrics: those that can be an x axis."""
    epochs = {f"{METRIC}{key}": "Epoch" for key in metrics if key.rpartition("/")[2].lower() == EPOCH}
    offered = {"step": AXIS_WORDS["step"], **dict(list(epochs.items())[:1]), **AXIS_WORDS}
    x = params.get("x", "step")
    if x.startswith(METRIC):
        offered.setdefault(x, x.removeprefix(METRIC))
    method = params.get("method", "")
    return Look(
        x=x if x in AXES or x in offered else "step",
        axes=tuple(offered.items()),
        log=params.get("log") == "1",
        logx=params.get("logx") == "1",
        outliers=params.get("outliers") == "1",
        smooth=smoothing_of(params),
        method=method if method in dict(METHODS) else "ema",
    )
