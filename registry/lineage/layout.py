"""Where the nodes of a layered drawing go: ranks from left to right, few crossings, neighbours level with one another.

After Sugiyama: break cycles, give ranks by the longest path, put bends where an edge passes a rank, order each rank by
the middle of its neighbours, then move every node as near to its neighbours as the order allows. Pure: same in, same
out. Edges that would run backwards are drawn backwards.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 8
SETTLINGS = 13  # odd: the last pass goes forwards, so that what stands on one node alone is level with it
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Measures:
    """Sizes of the drawing in its own units: a node's box, the gaps between ranks and between nodes, the margin."""

    width: float = 190
    height: float = 44
    rank_gap: float = 56
    node_gap: float = 14
    bend_gap: float = 8
    margin: float = 8


@dataclass(frozen=True, slots=True)
class Drawing:
    """Top left corners of the nodes, lines through points for the edges, and the whole's size."""

    spots: Mapping[str, tuple[float, float]]
    lines: Mapping[Pair, Sequence[tuple[float, float]]]
    ranks: Mapping[str, int]
    width: float
    height: float


def lay_out(
    nodes: Sequence[str],
    edges: Iterable[Pair],
    measures: Measures | None = None,
    heights: Mapping[str, float] | None = None,
) -> Drawing:
    """A drawing of the graph. Edges between the same two nodes count once; one from a node to itself is left out.

    heights: of nodes that are not as high as the measures say.
    """
    sizes = measures or Measures()
    halves = {node: (heights or {}).get(node, sizes.height) / 2 for node in nodes}
    pairs = list(dict.fromkeys(pair for pair in edges if pair[0] != pair[1] and halves.keys() >= set(pair)))
    forward = _without_cycles(nodes, pairs)
    ranks = ranks_of(nodes, forward)
    layers, chains = _with_bends(nodes, forward, ranks)
    segments = [piece for chain in chains.values() for piece in pairwise(chain)]
    layers = order(layers, segments)
    middles = _settled(layers, segments, halves, sizes)
    return _drawn(layers, middles, chains, pairs, ranks, halves, sizes)


# --- Ranks


def _without_cycles(nodes: Sequence[str], pairs: Sequence[Pair]) -> list[Pair]:
    """The edges, with those that close a cycle turned round: found by a walk in depth without recursion."""
    following: dict[str, list[str]] = defaultdict(list)
    for above, below in pairs:
        following[above].append(below)
    entered = {below for _, below in pairs}
    state: dict[str, int] = {}
    back: set[Pair] = set()
    for root in [*(node for node in nodes if node not in entered), *nodes]:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(following[root]))]
        while stack:
            node, rest = stack[-1]
            for child in rest:
                if state.get(child) == 1:
                    back.add((node, child))
                elif child not in state:
                    state[child] = 1
                    stack.append((child, iter(following[child])))
                    break
            else:
                state[node] = 2
                stack.pop()
    return list(dict.fromkeys((pair[1], pair[0]) if pair in back else pair for pair in pairs))


def ranks_of(nodes: Sequence[str], edges: Sequence[Pair]) -> dict[str, int]:
    """Each node right of all that it came from; sources as near as may be to what they feed. edges: no cycles."""
    below: dict[str, list[str]] = defaultdict(list)
    waits = dict.fromkeys(nodes, 0)
    for start, end in edges:
        below[start].append(end)
        waits[end] += 1
    ranks = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not waits[node]]
    done: list[str] = []
    while ready:
        node = ready.pop()
        done.append(node)
        for end in below[node]:
            ranks[end] = max(ranks[end], ranks[node] + 1)
            waits[end] -= 1
            if not waits[end]:
                ready.append(end)
    entered = {end for _, end in edges}
    for node in done:
        if node not in entered and below[node]:
            ranks[node] = min(ranks[end] for end in below[node]) - 1
    return ranks


def _with_bends(
    nodes: Sequence[str], edges: Sequence[Pair], ranks: Mapping[str, int]
) -> tuple[list[list[str]], dict[Pair, list[str]]]:
    """The nodes by rank, and for each edge its chain: both ends, and a bend at each rank between them."""
    layers: list[list[str]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    for node in nodes:
        layers[ranks[node]].append(node)
    chains = {}
    for number, (start, end) in enumerate(edges):
        bends = [f"\0{number}:{rank}" for rank in range(ranks[start] + 1, ranks[end])]
        for rank, bend in enumerate(bends, ranks[start] + 1):
            layers[rank].append(bend)
        chains[start, end] = [start, *bends, end]
    return layers, chains


# --- Order within ranks


def crossings(layers: Sequence[Sequence[str]], segments: Iterable[Pair]) -> int:
    """How many pairs of edges between neighbouring ranks cross."""
    place = {node: at for layer in layers for at, node in enumerate(layer)}
    rank = {node: at for at, layer in enumerate(layers) for node in layer}
    between: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for start, end in segments:
        between[rank[start]].append((place[start], place[end]))
    return sum(_inversions([end for _, end in sorted(ends)]) for ends in between.values())


def _inversions(values: list[int]) -> int:
    """How many pairs stand in the wrong order; by merging, as a rank may hold hundreds."""
    if len(values) < 2:
        return 0
    half = len(values) // 2
    left, right = values[:half], values[half:]
    found = _inversions(left) + _inversions(right)
    left, right = sorted(left), sorted(right)
    at = 0
    for value in right:
        while at < len(left) and left[at] <= value:
            at += 1
        found += len(left) - at
    return found


def order(layers: list[list[str]], segments: Sequence[Pair]) -> list[list[str]]:
    """The ranks in an order with few crossings: sweeps to and fro, each node at the mean of its neighbours."""
    best, fewest = layers, crossings(layers, segments)
    before, after = _neighbours(segments)
    current = [list(layer) for layer in layers]
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forwards = sweep % 2 == 0
        for at in range(1, len(current)) if forwards else range(len(current) - 2, -1, -1):
            fixed = current[at - 1 if forwards else at + 1]
            current[at] = _by_mean(current[at], fixed, before if forwards else after)
        found = crossings(current, segments)
        if found < fewest:
            best, fewest = [list(layer) for layer in current], found
    return best


def _neighbours(segments: Iterable[Pair]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = defaultdict(list)
    after: dict[str, list[str]] = defaultdict(list)
    for start, end in segments:
        before[end].append(start)
        after[start].append(end)
    return before, after


def _by_mean(layer: Sequence[str], fixed: Sequence[str], neighbours: Mapping[str, Sequence[str]]) -> list[str]:
    """Sorted by the mean place of the neighbours; what has none keeps its place."""
    place = {node: at for at, node in enumerate(fixed)}
    mean = {}
    for at, node in enumerate(layer):
        near = [place[other] for other in neighbours.get(node, ()) if other in place]
        mean[node] = sum(near) / len(near) if near else float(at)
    return sorted(layer, key=lambda node: mean[node])


# --- Coordinates


def _settled(
    layers: Sequence[Sequence[str]], segments: Sequence[Pair], halves: Mapping[str, float], sizes: Measures
) -> dict[str, float]:
    """The height of each node's middle: as near to its neighbours' mean as the order and the gaps allow."""
    gaps = [_gaps(layer, halves, sizes) for layer in layers]
    middles: dict[str, float] = {}
    for layer, steps in zip(layers, gaps, strict=True):
        middles.update(zip(layer, steps, strict=True))
    before, after = _neighbours(segments)
    for turn in range(SETTLINGS):
        forwards = turn % 2 == 0
        for at in range(len(layers)) if forwards else range(len(layers) - 1, -1, -1):
            layer, wanted = layers[at], []
            for node in layer:
                near = before[node] if forwards else after[node]
                near = near or (after[node] if forwards else before[node]) or [node]
                wanted.append(sum(middles[other] for other in near) / len(near))
            middles.update(zip(layer, spread(wanted, gaps[at]), strict=True))
    return middles


def _gaps(layer: Sequence[str], halves: Mapping[str, float], sizes: Measures) -> list[float]:
    """The least height of each node of a rank below the first one's. Bends are in no `halves`: they have no height."""
    offsets, at = [], 0.0
    for index, node in enumerate(layer):
        if index:
            before = layer[index - 1]
            both = node in halves and before in halves
            at += halves.get(before, 0) + halves.get(node, 0) + (sizes.node_gap if both else sizes.bend_gap)
        offsets.append(at)
    return offsets


def spread(wanted: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """The places nearest to `wanted` (least squares) that keep the order and the offsets: neighbours pooled."""
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        total, count = want - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            more, many = pools.pop()
            total, count = total + more, count + many
        pools.append((total, count))
    places = [total / count for total, count in pools for _ in range(count)]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]


def _drawn(
    layers: Sequence[Sequence[str]],
    middles: Mapping[str, float],
    chains: Mapping[Pair, Sequence[str]],
    pairs: Sequence[Pair],
    ranks: Mapping[str, int],
    halves: Mapping[str, float],
    sizes: Measures,
) -> Drawing:
    top = min((middles[node] - halves.get(node, 0) for layer in layers for node in layer), default=0)
    down = sizes.margin - top
    step = sizes.width + sizes.rank_gap
    spots = {
        node: (sizes.margin + rank * step, middles[node] - halves[node] + down)
        for rank, layer in enumerate(layers)
        for node in layer
        if node in halves
    }
    lines = {}
    for start, end in pairs:
        backwards = (start, end) not in chains
        points = _points(chains[end, start] if backwards else chains[start, end], spots, middles, ranks, down, sizes)
        lines[start, end] = points[::-1] if backwards else points
    bottom = max((middles[node] + halves.get(node, 0) for layer in layers for node in layer), default=0)
    width = 2 * sizes.margin + len(layers) * step - sizes.rank_gap
    return Drawing(spots, lines, dict(ranks), width, bottom + down + sizes.margin)


def _points(
    chain: Sequence[str],
    spots: Mapping[str, tuple[float, float]],
    middles: Mapping[str, float],
    ranks: Mapping[str, int],
    down: float,
    sizes: Measures,
) -> list[tuple[float, float]]:
    """From the right side of the first node, in and out of each bend's column, to the left side of the last."""
    first, *bends, last = chain
    points = [(spots[first][0] + sizes.width, middles[first] + down)]
    for rank, bend in enumerate(bends, ranks[first] + 1):
        left = sizes.margin + rank * (sizes.width + sizes.rank_gap)
        points += [(left, middles[bend] + down), (left + sizes.width, middles[bend] + down)]
    return [*points, (spots[last][0], middles[last] + down)]


def curve(points: Sequence[tuple[float, float]]) -> str:
    """The path of an SVG line through the points: level at each of them."""
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        if abs(to_y - y) < 0.05:
            path.append(f"H{to_x:.1f}")
        else:
            bend = (to_x - x) / 2
            path.append(f"C{x + bend:.1f} {y:.1f} {to_x - bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(path)
