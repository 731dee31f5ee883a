"""A lineage graph as boxes and curves, ready for a template: what stands where, what it says, where it leads."""

from collections.abc import Mapping
from dataclasses import dataclass

from registry.lineage.graph import Flag, Graph, Node
from registry.lineage.kinds import lineage_kinds
from registry.lineage.layout import Measures, curve, lay_out

LABEL_UNITS, WORDS_UNITS = 138, 150
FLAG_WORDS = {Flag.RECALLED: "Recalled", Flag.BUILT_ON: "On recalled data"}
_NARROW, _WIDE = frozenset("ijlrtf.,:;'|!()[] -"), frozenset("mwMWQOGD@%")


@dataclass(frozen=True, slots=True)
class Box:
    """A node as it is drawn. url: where it leads; page: its own page; further: the same graph a step on from it.

    flag: what a recall means for it, in words; is_bad: for all of it.
    """

    node: Node
    x: float
    y: float
    rank: int
    label: str
    words: str
    icon: str
    says: str
    flag: str
    is_bad: bool
    is_start: bool
    url: str
    page: str
    further: str


@dataclass(frozen=True, slots=True)
class Line:
    """An edge as it is drawn: its path, the point of its arrow, and which nodes it joins."""

    path: str
    x: float
    y: float
    above: str
    below: str
    words: str


@dataclass(frozen=True, slots=True)
class Sketch:
    """The whole drawing."""

    boxes: list[Box]
    lines: list[Line]
    measures: Measures
    left: float
    width: float
    height: float


def sketch_of(graph: Graph, links: Mapping[str, tuple[str, str, str]]) -> Sketch:
    """links: for each node's key where it leads, its own page, and the graph a step on from it ('' for none)."""
    measures = Measures()
    drawing = lay_out([node.key for node in graph.nodes], [(edge.above, edge.below) for edge in graph.edges], measures)
    boxes = [
        _box(node, drawing.spots[node.key], drawing.ranks[node.key], node.key == graph.start, links[node.key])
        for node in graph.nodes
    ]
    lines = []
    for edge in graph.edges:
        points = drawing.lines[edge.above, edge.below]
        x, y = points[-1]
        lines.append(Line(curve([*points[:-1], (x - 5, y)]), x, y, edge.above, edge.below, edge.words))
    # Room on both sides for the buttons that lead a step further.
    beside = 36.0 if any(box.further for box in boxes) else 0.0
    return Sketch(boxes, lines, measures, -beside, drawing.width + 2 * beside, drawing.height)


def _box(node: Node, spot: tuple[float, float], rank: int, is_start: bool, links: tuple[str, str, str]) -> Box:
    kind = lineage_kinds[node.kind]
    flag = flag_words(node)
    said = ", ".join(filter(None, ("" if node.is_fold else kind.noun, node.label, flag, node.words)))
    quiet = "" if node.is_fold or node.kind == "run" else kind.short or kind.noun
    return Box(
        node,
        *spot,
        rank,
        label=cut(node.label, LABEL_UNITS),
        words=cut(flag or ", ".join(filter(None, (quiet, node.words))), WORDS_UNITS),
        icon=kind.icon,
        says=f"{said}, you are here" if is_start else said,
        flag=flag,
        is_bad=bool(flag) and node.flagged == node.count,
        is_start=is_start,
        url=links[0],
        page=links[1],
        further=links[2],
    )


def flag_words(node: Node) -> str:
    """What a recall means for the node, in words; of a fold, for how many."""
    words = FLAG_WORDS.get(node.flag, "")
    return f"{node.flagged:,} {words[0].lower()}{words[1:]}" if words and node.is_fold else words


def cut(text: str, units: float) -> str:
    """As much of a text as fits, in units of a drawing set in 11 px: a rough measure by kinds of letters."""
    used = 0.0
    for at, letter in enumerate(text):
        used += 3.4 if letter in _NARROW else 9.2 if letter in _WIDE else 12 if ord(letter) > 0x2E7F else 6.4
        if used > units:
            return text[: max(1, at - 1)].rstrip() + "…"
    return text
