"""Retention classes: how long records and their log are kept at least. Data, like the profiles."""

from dataclasses import dataclass

YEAR = 365.25


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """One class. record_days: runs, files and models; log_days: their events."""

    name: str
    title: str
    record_days: int
    log_days: int


def _class(name: str, title: str, years: float, log_days: int) -> RetentionClass:
    return RetentionClass(name, title, round(years * YEAR), log_days)


CLASSES = {
    one.name: one
    for one in (
        _class("short", "One year, for trials", 1, 183),
        _class("standard", "Five years", 5, 1827),
        _class("model-life-7", "Life of the model and seven years", 7.003, 2558),
        _class("ten-years", "Ten years (AI Act documents)", 10, 3653),
        _class("fifteen-years", "Fifteen years (clinical records)", 15, 5479),
        _class("unlimited", "Never removed", 1000, 365_250),
    )
}
