"""What panels can be drawn over: params, tags, figures of metrics, and what every run has of itself."""

from dataclasses import dataclass
from typing import Final

FIGURES: Final = ("last", "min", "max", "best")
KINDS: Final = ("params", "metrics", "tags")
SYSTEM: Final = ("started", "duration", "user", "status", "dataset", "experiment")


@dataclass(frozen=True, slots=True)
class PointField:
    """A field of a key such as params.lr, metrics.val/loss.min, tags.team or duration."""

    key: str
    kind: str
    name: str
    figure: str = ""


def point_field(key: str) -> PointField | None:
    """The field of a key; None for what is none."""
    if key in SYSTEM:
        return PointField(key, "system", key)
    kind, _, name = key.partition(".")
    if kind not in KINDS or not name or "\x00" in name or "`" in name:
        return None
    if kind != "metrics":
        return PointField(key, kind, name)
    start, _, figure = name.rpartition(".")
    return PointField(key, kind, start, figure) if start and figure in FIGURES else PointField(key, kind, name, "last")
