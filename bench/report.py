"""The table that the bench prints, and the file that it keeps."""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from bench.figures import FIGURES, Figure

Measured = Mapping[str, Sequence[float]]  # what each figure came to, every time that it was measured
HEADER = ["work", "unit", "MLED", "±", "peer", "±", "ratio", "target", "reached", "limit"]


def number(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """How far the farthest measurement lies from the median, in per cent; '' for a single one."""
    if len(values) < 2:
        return ""
    middle = median(values)
    return f"{max(abs(value - middle) for value in values) / middle:.0%}"


def line(figure: Figure, ours: Sequence[float], peers: Sequence[float], limit: float | None) -> list[str]:
    mine, theirs = (median(values) if values else None for values in (ours, peers))
    ratio = f"{number(figure.ratio(mine, theirs))}x" if mine is not None and theirs is not None else ""
    met = figure.is_met(mine, theirs) if mine is not None else None
    reached = {True: "yes", False: "no", None: ""}[met]
    values = [number(mine), spread(ours), number(theirs), spread(peers)]
    return [figure.work, figure.unit, *values, ratio, figure.target, reached, number(limit)]


def table(ours: Measured, peers: Measured, limits: Mapping[str, float], *, beside: str = "peer") -> str:
    """Markdown, with the columns aligned for the terminal. beside: what the second server is called."""
    lines = [
        line(figure, ours.get(name, ()), peers.get(name, ()), limits.get(name))
        for name, figure in FIGURES.items()
        if name in ours or name in peers
    ]
    header = [beside if title == "peer" else title for title in HEADER]
    widths = [max(len(row[column]) for row in [header, *lines]) for column in range(len(header))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [header, rule, *lines]
    )


def machine() -> dict[str, object]:
    model = next(
        (
            text.split(":", 1)[1].strip()
            for text in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in text
        ),
        platform.processor(),
    )
    return {"cpu": model, "cores": os.cpu_count(), "python": sys.version.split()[0], "system": platform.platform()}


def kept(path: Path) -> Measured:
    """What MLED reached when this file was written. Raises RuntimeError for a file that is none of ours."""
    try:
        found: Measured = json.loads(path.read_text())["mled"]
    except (OSError, ValueError, KeyError) as error:
        raise RuntimeError(f"{path} is no kept result: {error}") from None
    return found


def keep(
    directory: Path, database: str, size: object, ours: Measured, peers: Measured, limits: Mapping[str, float]
) -> Path:
    """Write everything that was measured as JSON. Returns the file."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{time.strftime('%Y-%m-%d-%H%M%S', time.gmtime())}-{database}.json"
    measured = {
        "database": database,
        "machine": machine(),
        "size": vars(size),
        "mled": ours,
        "peer": peers,
        "limits": limits,
    }
    path.write_text(json.dumps(measured, indent=2) + "\n")
    return path
