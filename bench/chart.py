"""Draw cost against size, from what the growth benches kept, as a picture for the docs.

python bench/chart.py bench/results/search-growth.json bench/results/curve-growth.json docs/pictures/growth.svg

Each file holds {"title": …, "unit": "runs", "machine": …, "measured": {database: {work: {size: milliseconds}}}} and
becomes a panel for each database: both axes in powers of ten, so that a flat line is a cost that does not grow.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 550, 330
LEFT, TOP, RIGHT, BOTTOM = 56, 34, 200, 40
COLOURS = ("#2563a8", "#b4540a", "#1c7c54", "#8a2f8f", "#5b6470", "#a3262a", "#0f7f8c", "#7a6a00")
BESIDE = 13  # pixels between the names of two lines at least
LETTERS = 'font-family="system-ui, sans-serif" font-size="11" fill="#2b3138"'
Series = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Scale:
    """Powers of ten to pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        span = math.log10(self.high) - math.log10(self.low)
        return self.start + (math.log10(value) - math.log10(self.low)) / span * (self.end - self.start)

    def powers(self) -> list[float]:
        return [10.0**power for power in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]


def _around(values: list[float]) -> tuple[float, float]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def _named(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def scales(measured: Mapping[str, Series]) -> tuple[Scale, Scale]:
    """Sizes across and costs up, the same for every database: panels beside each other can be compared."""
    lines = [line for series in measured.values() for line in series.values()]
    sizes = [float(size) for line in lines for size in line]
    costs = [cost for line in lines for cost in line.values()]
    return Scale(*_around(sizes), LEFT, WIDTH - RIGHT), Scale(*_around(costs), HEIGHT - BOTTOM, TOP)


def panel(title: str, unit: str, series: Series, across: Scale, up: Scale) -> Iterator[str]:
    """One set of axes with a line for each work."""
    yield _text(LEFT, 18, title, 'font-weight="600"')
    for size in across.powers():
        x = across.at(size)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#e3e6ea"/>'
        yield _text(x, HEIGHT - BOTTOM + 15, _named(size), 'text-anchor="middle"')
    for cost in up.powers():
        y = up.at(cost)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e3e6ea"/>'
        yield _text(LEFT - 6, y + 4, f"{_named(cost)} ms", 'text-anchor="end"')
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, unit, 'text-anchor="middle"')
    yield from _lines(series, across, up)


def _lines(series: Series, across: Scale, up: Scale) -> Iterator[str]:
    """Lines with their names at their right ends, which make room for each other."""
    ends: list[tuple[float, str, str]] = []
    for number, (work, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        dots = [
            (across.at(float(size)), up.at(cost)) for size, cost in sorted(line.items(), key=lambda one: float(one[0]))
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{colour}"/>' for x, y in dots)
        ends.append((dots[-1][1], work, colour))
    lowest = float(TOP - BESIDE)
    for y, work, colour in sorted(ends):
        lowest = max(y, lowest + BESIDE)
        yield _text(WIDTH - RIGHT + 8, lowest + 4, work, f'fill="{colour}"')


def picture(files: list[dict[str, object]]) -> str:
    """An SVG of all panels, two beside each other."""
    drawn: list[str] = []
    machines = {str(file["machine"]) for file in files}
    count = 0
    for file in files:
        measured: Mapping[str, Series] = file["measured"]  # type: ignore[assignment]
        for database, series in measured.items():
            x, y = count % 2 * WIDTH, count // 2 * HEIGHT
            inside = "\n".join(panel(f"{file['title']}, {database}", str(file["unit"]), series, *scales(measured)))
            drawn.append(f'<g transform="translate({x},{y})">\n{inside}\n</g>')
            count += 1
    width, height = WIDTH * min(count, 2), HEIGHT * ((count + 1) // 2) + 24
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" {LETTERS}>',
            "<title>Cost against size</title>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *drawn,
            _text(LEFT, height - 8, "; ".join(sorted(machines)), 'fill="#5b6470"'),
            "</svg>\n",
        )
    )


def main(arguments: list[str]) -> int:
    *sources, target = (Path(argument) for argument in arguments)
    target.write_text(picture([json.loads(source.read_text()) for source in sources]))
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
