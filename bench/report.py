"""The table that the bench prints, and the file that it keeps."""

import json
import os
import platform
import sys
import time
from pathlib import Path

from bench.figures import FIGURES, Figure

Values = dict[str, float]
HEADER = ["work", "unit", "MLED", "peer", "ratio", "target", "reached", "limit"]


def number(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def line(figure: Figure, ours: float | None, peers: float | None, limit: float | None) -> list[str]:
    both = ours is not None and peers is not None
    ratio = f"{number(figure.ratio(ours, peers))}x" if both else ""  # type: ignore[arg-type]
    met = figure.is_met(ours, peers) if ours is not None else None
    reached = {True: "yes", False: "no", None: ""}[met]
    return [figure.work, figure.unit, number(ours), number(peers), ratio, figure.target, reached, number(limit)]


def table(ours: Values, peers: Values, limits: Values) -> str:
    """Markdown, with the columns aligned for the terminal."""
    lines = [
        line(figure, ours.get(name), peers.get(name), limits.get(name))
        for name, figure in FIGURES.items()
        if name in ours or name in peers
    ]
    widths = [max(len(row[column]) for row in [HEADER, *lines]) for column in range(len(HEADER))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [HEADER, rule, *lines]
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


def keep(directory: Path, database: str, size: object, ours: Values, peers: Values, limits: Values) -> Path:
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
