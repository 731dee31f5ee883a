"""A metric's summary in the words of a page."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.templatetags.mled import number
from experiments.models import MetricSeries

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Figures:
    """One metric, ready to read. full: the last value with all its digits. arrow: which way is better, where known."""

    key: str
    last: str
    full: str
    step: str
    min: str
    max: str
    min_step: str
    max_step: str
    arrow: str
    best: str

    @property
    def range(self) -> str:
        """Lowest and highest value."""
        return f"min {self.min}, max {self.max}"

    @property
    def sentence(self) -> str:
        """What the curve says, for readers who do not see it."""
        return f"{self.key}: last {self.last} at step {self.step}, lowest {self.min}, highest {self.max}"


def figures_of(series: MetricSeries, higher_is_better: bool | None = None) -> Figures:
    """higher_is_better: None where the project did not say."""
    last = last_of(series)
    low, high = number(series.min_value), number(series.max_value)
    best = ""
    if higher_is_better is not None and series.min_value is not None:
        value, step = (high, series.max_step) if higher_is_better else (low, series.min_step)
        best = f"best {value} at step {step:,}"
    return Figures(
        key=shown_key(series),
        last=number(last),
        full=repr(last) if last is not None else "",
        step=f"{series.last_step:,}",
        min=low,
        max=high,
        min_step=f"{series.min_step:,}" if series.min_step is not None else "",
        max_step=f"{series.max_step:,}" if series.max_step is not None else "",
        arrow={True: "↑", False: "↓", None: ""}[higher_is_better],
        best=best,
    )


HELD_OUT = ("val", "valid", "eval", "test")


def weight_of(name: str, *, goal: str, directions: Mapping[str, bool]) -> tuple[bool, bool, bool, str]:
    """For sorting metrics by what they tell: the project's goal, those with a direction, those on held-out data."""
    return (name != goal, name not in directions, not any(word in name.lower() for word in HELD_OUT), name)


def last_of(series: MetricSeries) -> float | None:
    """The last value; NaN is a value, too."""
    return NAN if series.last_is_nan else series.last_value


def is_curve(series: MetricSeries) -> bool:
    """Whether there is more than one step to draw."""
    return series.first_step != series.last_step


def shown_key(series: MetricSeries) -> str:
    """The metric's name, with its context where it has one."""
    return f"{series.context}/{series.key}" if series.context else series.key
