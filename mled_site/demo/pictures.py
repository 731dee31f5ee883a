"""Small pictures of results, as SVG text and as PNG."""

import io
from collections.abc import Sequence

import numpy as np

from mled_site.demo.tasks import Array


def line_chart(series: Sequence[tuple[str, str, Array]], title: str) -> str:
    """Lines (label, colour, values) over their index in one SVG of 640 × 320."""
    low = min(float(values.min()) for _, _, values in series)
    high = max(float(values.max()) for _, _, values in series)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="320" viewBox="0 0 640 320">',
        '<rect width="640" height="320" fill="#fff"/>',
        f'<text x="40" y="24" font-family="sans-serif" font-size="14">{title}</text>',
    ]
    for place, (label, colour, values) in enumerate(series):
        points = " ".join(
            f"{40 + 580 * i / max(len(values) - 1, 1):.1f},{300 - 250 * (v - low) / ((high - low) or 1):.1f}"
            for i, v in enumerate(values)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        at = f'x="{480 + 80 * place}" y="24" font-family="sans-serif" font-size="12"'
        parts.append(f'<text {at} fill="{colour}">{label}</text>')
    return "".join([*parts, "</svg>"])


def reliability_png(given: Array, wanted: Array) -> bytes:
    """How often alarms were right (up) against how sure they were (across), in ten bins: on the line is calibrated."""
    sure, right = [], []
    place = np.minimum((given * 10).astype(int), 9)
    for one in np.unique(place):
        sure.append(float(given[place == one].mean()))
        right.append(float(wanted[place == one].mean()))
    return _plot(sure, right, "how sure", "how often right")


def fit_png(given: Array, wanted: Array) -> bytes:
    """Forecasts (up) against what came (across), both as a share of the range of what came."""
    low, high = float(wanted.min()), float(wanted.max())
    shares = [np.clip((values - low) / ((high - low) or 1), 0, 1) for values in (wanted, given)]
    return _plot(shares[0].tolist(), shares[1].tolist(), "wanted", "given", joined=False)


def _plot(across: Sequence[float], up: Sequence[float], x: str, y: str, *, joined: bool = True) -> bytes:
    """Points in the unit square with its diagonal, as PNG."""
    from PIL import Image, ImageDraw

    size, edge = 320, 34
    image = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(image)
    spots = [
        (edge + a * (size - edge - 12), size - edge - b * (size - edge - 12)) for a, b in zip(across, up, strict=True)
    ]
    corner, far = (edge, size - edge), (size - 12, 12)
    pen.rectangle((edge, 12, size - 12, size - edge), outline="#cbd5e1")
    pen.line((*corner, *far), fill="#94a3b8")
    if joined and len(spots) > 1:
        pen.line(spots, fill="#3b57d9", width=2)
    radius = 4 if joined else 2
    for a, b in spots:
        pen.ellipse((a - radius, b - radius, a + radius, b + radius), fill="#3b57d9")
    pen.text((edge, size - edge + 8), f"{x}, 0 to 1", fill="#475569")
    pen.text((4, 0), f"{y}, 0 to 1", fill="#475569")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
