"""Small pictures of what came out: PNG, drawn point by point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK, PAPER, GREY, BLUE = (30, 34, 40), (255, 255, 255), (205, 210, 216), (31, 111, 180)
SHOWN_MAX = 20
SIDE = 360


def _font(size: int) -> Any:
    return ImageFont.load_default(size=size)


def _short(text: str) -> str:
    return text if len(text) <= 12 else f"{text[:11]}…"


def confusion(place: Path, counts: Any, classes: Sequence[str]) -> None:
    """Rows of each class (down) by what they were taken for (across). The first twenty where there are more."""
    shown = min(len(classes), SHOWN_MAX)
    cell = max(28, min(80, 480 // shown))
    left, top = 120, 96
    image = Image.new("RGB", (left + cell * shown + 24, top + cell * shown + 24), PAPER)
    draw = ImageDraw.Draw(image)
    more = f" (first {shown} of {len(classes)})" if len(classes) > shown else ""
    draw.text((12, 10), f"Truth down, prediction across{more}", fill=INK, font=_font(15))
    for row in range(shown):
        middle = top + row * cell + cell / 2
        draw.text((left - 8, middle), _short(classes[row]), fill=INK, font=_font(13), anchor="rm")
        draw.text((left + row * cell + cell / 2, top - 8), _short(classes[row])[: cell // 7 or 1], fill=INK,
                  font=_font(13), anchor="ms")  # fmt: skip
        whole = max(int(counts[row].sum()), 1)
        for column in range(shown):
            _cell(draw, (left + column * cell, top + row * cell), cell, int(counts[row, column]), whole)
    image.save(place, optimize=True)


def _cell(draw: Any, at: tuple[int, int], cell: int, count: int, whole: int) -> None:
    share = count / whole
    fill = tuple(round(paper + (blue - paper) * share) for paper, blue in zip(PAPER, BLUE, strict=True))
    draw.rectangle((at[0], at[1], at[0] + cell, at[1] + cell), fill=fill, outline=GREY)
    ink = PAPER if share > 0.5 else INK
    middle = (at[0] + cell / 2, at[1] + cell / 2)
    draw.text(middle, f"{count:,}", fill=ink, font=_font(14 if cell >= 40 else 10), anchor="mm")


def residuals(place: Path, truth: Any, guessed: Any) -> None:
    """What was predicted (up) for what is true (across): the nearer to the line, the better."""
    left, top = 76, 44
    image = Image.new("RGB", (left + SIDE + 24, top + SIDE + 52), PAPER)
    draw = ImageDraw.Draw(image)
    low, high = float(min(truth.min(), guessed.min())), float(max(truth.max(), guessed.max()))
    span = (high - low) or 1.0
    draw.text((12, 10), "Truth across, prediction up", fill=INK, font=_font(15))
    draw.rectangle((left, top, left + SIDE, top + SIDE), outline=GREY)
    draw.line((left, top + SIDE, left + SIDE, top), fill=GREY, width=1)
    for x, y in zip(truth[:5000], guessed[:5000], strict=True):
        across = left + (float(x) - low) / span * SIDE
        up = top + SIDE - (float(y) - low) / span * SIDE
        draw.ellipse((across - 2, up - 2, across + 2, up + 2), fill=BLUE)
    for share in (0.0, 0.5, 1.0):
        text = f"{low + span * share:.4g}"
        draw.text((left + SIDE * share, top + SIDE + 10), text, fill=INK, font=_font(13), anchor="ma")
        draw.text((left - 8, top + SIDE * (1 - share)), text, fill=INK, font=_font(13), anchor="rm")
    image.save(place, optimize=True)


def bars(place: Path, values: Sequence[tuple[str, float]], title: str) -> None:
    """A bar for each, the longest first."""
    shown = list(values)[:SHOWN_MAX]
    left, top, height = 150, 44, 24
    image = Image.new("RGB", (left + SIDE + 90, top + height * len(shown) + 16), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((12, 10), title, fill=INK, font=_font(15))
    most = max((value for _, value in shown), default=0.0)
    for row, (name, value) in enumerate(shown):
        y = top + row * height
        length = SIDE * max(value, 0.0) / most if most > 0 and np.isfinite(value) else 0.0
        draw.text((left - 8, y + height / 2), name if len(name) <= 20 else f"{name[:19]}…", fill=INK,
                  font=_font(13), anchor="rm")  # fmt: skip
        draw.rectangle((left, y + 4, left + length, y + height - 4), fill=BLUE)
        draw.text((left + length + 6, y + height / 2), f"{value:.4g}", fill=INK, font=_font(12), anchor="lm")
    image.save(place, optimize=True)
