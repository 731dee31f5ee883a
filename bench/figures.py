"""What is measured: each figure's name, unit, and the target beside the peer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    times: how many times better than the peer it should be. at_most: an absolute target in the figure's own unit.
    """

    work: str
    unit: str
    more_is_better: bool = True
    times: float | None = None
    at_most: float | None = None

    def ratio(self, ours: float, peers: float) -> float:
        """How many times better than the peer: above 1 is better, whatever the unit."""
        return ours / peers if self.more_is_better else peers / ours

    def is_met(self, ours: float, peers: float | None) -> bool | None:
        """Whether the target is reached; None where there is none, or nothing to compare with."""
        if self.at_most is not None:
            return ours <= self.at_most
        if self.times is None or peers is None:
            return None
        return self.ratio(ours, peers) >= self.times

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"under {self.at_most:g} {self.unit}"
        return f"{self.times:g}x" if self.times is not None else ""


def _rate(work: str, unit: str, times: float | None = None) -> Figure:
    return Figure(work, unit, times=times)


def _cost(work: str, unit: str, times: float | None = None, at_most: float | None = None) -> Figure:
    return Figure(work, unit, more_is_better=False, times=times, at_most=at_most)


FIGURES = {
    "create_run.c1": _rate("create run, 1 client", "/s", 2.5),
    "create_run.c8": _rate("create run, 8 clients", "/s", 4),
    "log_metric.c1": _rate("log-metric, 1 client", "/s", 4),
    "log_metric.c8": _rate("log-metric, 8 clients", "/s", 6),
    "log_metric.c8.p99": _cost("log-metric, 8 clients, p99", "ms", at_most=20),
    "log_metric.client": _cost("processor time of the client itself, a log-metric call", "µs"),
    "log_batch.100.c1": _rate("log-batch of 100 points, 1 client", "points/s", 20),
    "log_batch.100.c4": _rate("log-batch of 100 points, 4 clients", "points/s", 20),
    "log_batch.100.c50.p95": _cost("log-batch of 100 points, 50 clients without a pause, p95", "ms", at_most=100),
    "log_batch.1000.c1": _rate("log-batch of 1,000 points, 1 client", "points/s", 40),
    "log_batch.1000.c4": _rate("log-batch of 1,000 points, 4 clients", "points/s", 40),
    "search.plain.p50": _cost("search 100 runs, no filter, p50", "ms", 8),
    "search.plain.p95": _cost("search 100 runs, no filter, p95", "ms", 15),
    "search.filter.p50": _cost("search, metric and param filter, metric order, p50", "ms", 8),
    "search.filter.c8": _rate("the same, 8 clients", "/s", 20),
    "search.page10.p50": _cost("page 10 by token, p50", "ms", 8),
    "search.all": _cost("page through all runs by 1,000", "s", 10),
    "history.whole": _cost("whole history of 100,000 points", "s", 30),
    "history.whole.arrived": _cost("of this until its last byte: the rest is the client's own reading of JSON", "s"),
    "curve.sampled.p50": _cost("sampled curve, 320 of 100,000 points, p50", "ms", 20),
    "history.million": _cost("whole history of 1,000,000 points", "s", 30),
    "history.million.arrived": _cost("of this until its last byte", "s"),
    "curve.million.p50": _cost("sampled curve, 320 of 1,000,000 points, p50", "ms", 30),
    "artifact.up": _rate("artifact of 64 MiB up", "MiB/s", 1),
    "artifact.down": _rate("artifact of 64 MiB down", "MiB/s", 2),
    "files.up": _rate("500 files of 4 KiB up, 1 client", "/s", 1),
    "files.down": _rate("500 files of 4 KiB down, 1 client", "/s", 1.5),
    "memory.idle": _cost("idle memory, all processes (PSS)", "MiB", at_most=350),
    "memory.processes": _cost("processes when idle", ""),
    "start.new": _cost("start to first answer, new database", "s", 1),
    "start.again": _cost("start to first answer, existing database", "s", 1 / 0.6),
    "bytes.point": _cost("database bytes per metric point", "bytes", at_most=40),
    "bytes.run": _cost("database bytes per run (10 params, 5 tags, 5 metrics)", "bytes"),
}
