"""The walk from one thing along the links, level by level: a fixed number of statements for each level."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import Project
from artifacts.models import VersionRecord
from experiments.models import RunInput
from kernel.actor import Actor
from registry.lineage.among import Among
from registry.lineage.graph import Edge, Flag, Graph, Node, Ref
from registry.lineage.kinds import Kind, lineage_kinds
from registry.lineage.links import lineage_edges

LEVELS_MAX = 24
Spot = tuple[str, Any]
"""A kind and a primary key."""


@dataclass(frozen=True, slots=True)
class Met:
    """A row that the walk came to and the viewer may see."""

    spot: Spot
    ref: Ref
    state: str


class Walk:
    """What was met so far, and how it is drawn."""

    def __init__(self, viewer: Actor, *, limit: int, fold_over: int, opened: frozenset[str]) -> None:
        self.viewer, self.limit, self.fold_over, self.opened = viewer, limit, fold_over, opened
        self.nodes: dict[str, Node] = {}
        self.drawn_as: dict[Spot, str] = {}
        self.members: dict[str, list[Met]] = defaultdict(list)
        self.roles: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self.beyond: dict[str, set[Spot]] = defaultdict(set)

    def graph(self, start: Spot, project: Project, *, up: int, down: int) -> Graph:
        """The graph around a row of the project that the viewer is known to see."""
        (met,) = self._seen(start[0], [start[1]])
        self._place_one(met, 0)
        self._go(met, down, down=True)
        self._go(met, up, down=False)
        self._tell()
        self._flag(project)
        cut = sum(node.count for node in self.nodes.values() if node.rest)
        edges = [Edge(above, below, ", ".join(roles)) for (above, below), roles in self._needed()]
        return Graph(str(met.ref), sorted(self.nodes.values(), key=lambda node: node.depth), edges, cut)

    # --- Level by level

    def _go(self, start: Met, depth: int, *, down: bool) -> None:
        """The last level, and what is opened beyond it, is looked past once: for links among the nodes, and counts."""
        frontier, level = [start.spot], 1
        while frontier and level <= LEVELS_MAX:
            steps = self._steps(frontier, down=down)
            new = self._visible({far for _, far, _ in steps if far not in self.drawn_as})
            places = {spot for spot in frontier if level <= depth or self.drawn_as[spot] in self.opened}
            parents: dict[Spot, dict[str, None]] = defaultdict(dict)
            for near, far, _ in steps:
                if far in new and near in places:
                    parents[far][self.drawn_as[near]] = None
                elif far in new:
                    self.beyond[self.drawn_as[near]].add(far)
            reached = [new[spot] for spot in new if spot in parents]
            self._place(reached, parents, level if down else -level, down=down)
            for near, far, words in steps:
                if far in self.drawn_as:
                    self._join(self.drawn_as[near], self.drawn_as[far], words, down=down)
            frontier, level = [met.spot for met in reached], level + 1

    def _steps(self, frontier: list[Spot], *, down: bool) -> list[tuple[Spot, Spot, str]]:
        keys: dict[str, list[Any]] = defaultdict(list)
        for kind, key in frontier:
            keys[kind].append(key)
        return [
            ((link.near(down=down), near), (link.far(down=down), far), words)
            for link in lineage_edges
            if link.near(down=down) in keys
            for near, far, words in link.steps(self.viewer, keys[link.near(down=down)], down=down)
        ]

    def _visible(self, spots: set[Spot]) -> dict[Spot, Met]:
        """The rows behind the spots that the viewer may see, the newest of each kind first."""
        keys: dict[str, list[Any]] = defaultdict(list)
        for kind, key in spots:
            keys[kind].append(key)
        return {met.spot: met for kind in lineage_kinds if kind in keys for met in self._seen(kind, keys[kind])}

    def _seen(self, name: str, keys: list[Any]) -> list[Met]:
        kind = lineage_kinds[name]
        columns = ["pk", kind.id_field, *([kind.state] if kind.state else [])]
        rows = kind.rows(self.viewer).filter(Among("pk", keys)).order_by(kind.newest).values_list(*columns)
        return [Met((name, row[0]), Ref(name, kind.say(row[1])), str(row[2]) if kind.state else "") for row in rows]

    # --- Nodes and folds

    def _place(self, met: list[Met], parents: Mapping[Spot, Mapping[str, None]], depth: int, *, down: bool) -> None:
        """Each row by itself, many of a kind that hang on the same nodes as one."""
        groups: dict[tuple[str, tuple[str, ...]], list[Met]] = defaultdict(list)
        for one in met:
            groups[one.spot[0], tuple(sorted(parents[one.spot]))].append(one)
        left: dict[str, list[Met]] = defaultdict(list)
        for (kind, above), members in groups.items():
            key = _fold_key(kind, above, down=down)
            room = self.limit - len(self.nodes)
            fits = len(members) <= room
            if fits and (len(members) <= self.fold_over or key in self.opened):
                self._place_all(members, depth)
            elif key in self.opened and room > 1:
                self._place_all(members[: room // 2], depth)
                self._fold(key, members[room // 2 :], depth, rest=True)
            elif len(members) > self.fold_over and room > 0:
                self._fold(key, members, depth)
            else:
                left[kind].extend(members)
        for kind, members in left.items():
            self._fold(_fold_key(kind, (str(depth),), down=down), members, depth, rest=True)

    def _place_all(self, members: Iterable[Met], depth: int) -> None:
        for met in members:
            self._place_one(met, depth)

    def _place_one(self, met: Met, depth: int) -> None:
        key = str(met.ref)
        self.nodes[key] = Node(key, met.ref.kind, depth, id=met.ref.id)
        self.members[key] = [met]
        self.drawn_as[met.spot] = key

    def _fold(self, key: str, members: list[Met], depth: int, *, rest: bool = False) -> None:
        node = self.nodes.setdefault(key, Node(key, members[0].spot[0], depth, count=0, rest=rest))
        node.count += len(members)
        self.members[key].extend(members)
        self.drawn_as.update((met.spot, key) for met in members)

    def _join(self, near: str, far: str, words: str, *, down: bool) -> None:
        if near != far:
            roles = self.roles[(near, far) if down else (far, near)]
            if words:
                roles[words] = None

    # --- What nodes and edges say

    def _needed(self) -> list[tuple[tuple[str, str], Mapping[str, None]]]:
        """The edges without those from a run to a version that lead through the version's logged model as well."""
        models = {key for key, node in self.nodes.items() if node.kind == "model"}
        through = {
            (above, below)
            for above, model in self.roles
            if model in models
            for other, below in self.roles
            if other == model and (above, below) in self.roles
        }
        return [(ends, roles) for ends, roles in self.roles.items() if ends not in through]

    def _tell(self) -> None:
        """Names and words of the nodes: a statement for each kind."""
        single: dict[str, dict[Any, Node]] = defaultdict(dict)
        for key, node in self.nodes.items():
            node.more = len(self.beyond[key] - set(self.drawn_as))
            if node.is_fold:
                node.label, node.words = _fold_words(node, lineage_kinds[node.kind], self.members[key])
            else:
                single[node.kind][self.members[key][0].spot[1]] = node
        for name, nodes in single.items():
            for key, facts in lineage_kinds[name].facts_of(self.viewer, nodes).items():
                node = nodes[key]
                node.label, node.words, node.page, node.at = facts.label, facts.words, facts.page, facts.at

    def _flag(self, project: Project) -> None:
        """What is recalled, and what stands on it by its own record or by what is drawn above it."""
        keys: dict[str, list[Any]] = defaultdict(list)
        for name, key in self.drawn_as:
            keys[name].append(key)
        spoilt = self._runs_on_recalled_data(project)
        for name, some in keys.items():
            kind = lineage_kinds[name]
            rows = kind.rows(self.viewer).filter(Among("pk", some))
            if kind.recalled is not None:
                self._mark(name, rows.filter(kind.recalled).values_list("pk", flat=True), Flag.RECALLED)
            if kind.runs and spoilt:
                behind = rows.values_list("pk", *kind.runs)
                self._mark(name, (key for key, *runs in behind if spoilt.intersection(runs)), Flag.BUILT_ON)
        self._pass_flags_on()

    def _runs_on_recalled_data(self, project: Project) -> set[int]:
        """The runs of the project into which withdrawn data went: read whole, and compared here, for a database that
        does not know yet how many there are compares each with each (10,000 runs: 7 s against 0.05)."""
        inputs = RunInput.objects.visible_to(self.viewer).filter(
            run__project=project, dataset_version__record__state=VersionRecord.State.WITHDRAWN
        )
        return set(inputs.values_list("run_id", flat=True))

    def _mark(self, name: str, keys: Iterable[Any], flag: Flag) -> None:
        for key in set(keys):
            node = self.nodes[self.drawn_as[name, key]]
            node.flag, node.flagged = flag, node.flagged + 1

    def _pass_flags_on(self) -> None:
        """Down the edges, from single nodes: of a fold nobody knows which of its members the edge is from."""
        below: dict[str, list[str]] = defaultdict(list)
        for above, under in self.roles:
            below[above].append(under)
        waiting = [key for key, node in self.nodes.items() if node.flag and not node.is_fold]
        while waiting:
            for key in below[waiting.pop()]:
                node = self.nodes[key]
                if not node.flag and not node.is_fold:
                    node.flag, node.flagged = Flag.BUILT_ON, 1
                    waiting.append(key)


def _fold_key(kind: str, above: tuple[str, ...], *, down: bool) -> str:
    said = "\n".join(("down" if down else "up", kind, *above))
    return f"fold:{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _fold_words(node: Node, kind: Kind, members: list[Met]) -> tuple[str, str]:
    noun = kind.noun if node.count == 1 else kind.plural
    label = f"{node.count:,} more {noun}" if node.rest else f"{node.count:,} {noun}"
    states = Counter(met.state for met in members if met.state).most_common(3)
    words = ", ".join(f"{count:,} {_said(kind, state)}" for state, count in states)
    return label, words


def _said(kind: Kind, state: str) -> str:
    return kind.state_words[state].lower() if state in kind.state_words else state


__all__ = ["Spot", "Walk"]
