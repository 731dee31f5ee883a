"""The kinds of work that are measured: what is written before the clock starts, and what is measured each time."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from bench import reading, transfer, writing
from bench.connection import NotServed, Server
from bench.writing import Measured, Size

# Given a figure's name and how many things are written, records the bytes that the database grows by for each.
Grows = Callable[[str, int], AbstractContextManager[None]]


def _no_growth(figure: str, count: int) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Work:
    """fill: once, before the first measurement; measure: with what fill gave, as often as wanted."""

    fill: Callable[[Server, str, Size, Grows], Any]
    measure: Callable[[Server, str, Size, Any], Measured]


def _writes(measure: Callable[[Server, str, Size], Measured]) -> Work:
    return Work(
        lambda server, experiment, size, grows: None,
        lambda server, experiment, size, _: measure(server, experiment, size),
    )


def _fill_runs(server: Server, experiment: str, size: Size, grows: Grows) -> None:
    with grows("bytes.run", size.runs):
        reading.fill_runs(server, experiment, size.runs)


def _fill_curves(server: Server, experiment: str, size: Size, grows: Grows) -> str:
    with grows("bytes.point", size.points * len(writing.CURVES)):
        return reading.fill_curve(server, experiment, size.points)


def _fill_one_long_curve(server: Server, experiment: str, size: Size, grows: Grows) -> str:
    return reading.fill_curve(server, experiment, size.many_points, curves=1)


def _history(server: Server, experiment: str, size: Size, run: str) -> Measured:
    yield from _whole("history.whole", server, run, size.points)
    yield from _sampled("curve.sampled.p50", server, run, size)


def _million(server: Server, experiment: str, size: Size, run: str) -> Measured:
    yield from _whole("history.million", server, run, size.many_points)
    yield from _sampled("curve.million.p50", server, run, size)


def _whole(figure: str, server: Server, run: str, points: int) -> Iterator[tuple[str, float]]:
    arrived, read = reading.whole_history(server, run, points)
    yield figure, read
    yield f"{figure}.arrived", arrived


def _sampled(figure: str, server: Server, run: str, size: Size) -> Iterator[tuple[str, float]]:
    try:
        yield figure, reading.sampled_curve(server, run, size)
    except NotServed:
        return


WORK = {
    "create_run": _writes(writing.create_run),
    "log_metric": _writes(writing.log_metric),
    "log_batch": _writes(writing.log_batch),
    "search": Work(_fill_runs, lambda server, experiment, size, _: reading.search(server, experiment, size)),
    "history": Work(_fill_curves, _history),
    "million": Work(_fill_one_long_curve, _million),
    "artifact": _writes(transfer.artifact),
    "files": _writes(transfer.files),
}
