"""Small pictures of results, as SVG text."""

from collections.abc import Sequence

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
