"""Metrics laid beside each other, as a check keeps them in JSON, which has no word for NaN and infinity."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.compare.reproduction import Compared, Verdict


def written(rows: Iterable[Compared]) -> list[dict[str, Any]]:
    """What is kept."""
    return [
        {
            "key": row.key,
            "context": row.context,
            "then": _plain(row.then),
            "now": _plain(row.now),
            "verdict": row.verdict.value,
            "allowed": row.allowed,
        }
        for row in rows
    ]


def read(kept: Sequence[Mapping[str, Any]]) -> list[Compared]:
    """What was kept, as it was compared."""
    return [
        Compared(
            key=str(row["key"]),
            context=str(row["context"]),
            then=float(row["then"]),
            now=None if row["now"] is None else float(row["now"]),
            verdict=Verdict(row["verdict"]),
            allowed=str(row.get("allowed", "")),
        )
        for row in kept
    ]


def _plain(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)
