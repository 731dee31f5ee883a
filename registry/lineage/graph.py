"""The parts of a lineage graph."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from kernel.errors import Invalid


class Ref(NamedTuple):
    """What a node stands for, as it is written in addresses: 'run:<32 hex>', 'model:m-…'."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Ref":
        """Raises Invalid for anything but 'kind:id'."""
        kind, colon, ident = text.partition(":")
        if not (kind and colon and ident):
            raise Invalid(
                f"'{text[:80]}' names nothing.",
                hint="Write dataset:<id>, run:<id>, model:<m-…> or version:<id>.",
                field="of",
            )
        return cls(kind, ident)


class Flag(StrEnum):
    """What a recall means for a node."""

    NONE = ""
    RECALLED = "recalled"
    BUILT_ON = "built_on_recalled"


class PageOf(NamedTuple):
    """The page of a thing: the name of its address and what goes into it."""

    name: str
    args: tuple[str | int, ...]


@dataclass(slots=True)
class Node:
    """One thing of the graph, or many of a kind folded into one.

    depth: steps from the start, negative towards the sources. count: 1, or how many are folded. rest: some of the fold
    are shown by themselves, the others are these. more: links further on that are not drawn. flagged: how many of them
    a recall concerns.
    """

    key: str
    kind: str
    depth: int
    id: str = ""
    label: str = ""
    words: str = ""
    page: PageOf | None = None
    at: datetime | None = None
    count: int = 1
    rest: bool = False
    more: int = 0
    flag: Flag = Flag.NONE
    flagged: int = 0

    @property
    def is_fold(self) -> bool:
        """Several of a kind in one: it has no page of its own."""
        return not self.id


@dataclass(frozen=True, slots=True)
class Edge:
    """`below` came from `above`; keys of nodes. words: in which role, where that is known."""

    above: str
    below: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes from sources to what stands on them. cut: how many nodes are only counted, for want of room."""

    start: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    cut: int = 0

    def node(self, key: str) -> Node:
        """The node with this key."""
        return next(node for node in self.nodes if node.key == key)
