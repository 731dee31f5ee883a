"""Lineage as a drawing and as a table: a page of its own, and the small panel on other pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.access import find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from artifacts.models import DatasetVersion
from artifacts.pages.slots import Panel
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Invalid
from registry.lineage.drawing import Sketch, flag_words, sketch_of
from registry.queries.lineage import Graph, Node, Ref, find_start, lineage_kinds, lineage_of

STEPS, STEPS_MAX = 2, 6
LIMIT, OPENED_MAX = 200, 50
PANEL_LIMIT, PANEL_FOLD_OVER = 18, 3
VIEWS = {"graph": "Graph", "table": "Table"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    slug: str
    of: str
    up: int = STEPS
    down: int = STEPS
    view: str = "graph"
    opened: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The address that asks for this."""
        query: list[tuple[str, str]] = [("of", self.of)]
        query += [(name, str(steps)) for name, steps in (("up", self.up), ("down", self.down)) if steps != STEPS]
        query += [("view", self.view)] if self.view != "graph" else []
        query += [("open", key) for key in self.opened]
        return f"{reverse('registry:lineage', args=[self.slug])}?{urlencode(query, safe=':')}"

    def around(self, key: str) -> str:
        """The same about another node; what was opened stays behind."""
        return replace(self, of=key, opened=()).url

    def opening(self, key: str) -> str:
        """The same with one more node opened."""
        return replace(self, opened=(*self.opened, key)[-OPENED_MAX:]).url

    @classmethod
    def parse(cls, request: HttpRequest, slug: str) -> "Asked":
        """Raises Invalid for a number of steps or a view that there is not."""
        given = request.GET
        view = given.get("view", "graph")
        if view not in VIEWS:
            raise Invalid(f"There is no view '{view[:40]}'.", hint="Ask for graph or table.", field="view")
        return cls(
            slug,
            given.get("of", ""),
            up=_steps(given.get("up", str(STEPS)), "up"),
            down=_steps(given.get("down", str(STEPS)), "down"),
            view=view,
            opened=tuple(dict.fromkeys(given.getlist("open")))[:OPENED_MAX],
        )


def _steps(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= STEPS_MAX):
        raise Invalid(f"'{text[:40]}' is no number of steps.", hint=f"0 to {STEPS_MAX}.", field=field)
    return int(text)


@require_safe
@signed_in
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The lineage of one thing."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    asked = Asked.parse(request, project.slug)
    context: dict[str, Any] = {"at": "", "project": project, "asked": asked}
    if asked.of:
        ref = Ref.parse(asked.of)
        start = find_start(viewer, ref, project=project)
        graph = lineage_of(viewer, (ref.kind, start), up=asked.up, down=asked.down, limit=LIMIT, opened=asked.opened)
        context |= _shown(graph, asked)
    return render(request, "registry/lineage.html", context)


def _shown(graph: Graph, asked: Asked) -> dict[str, Any]:
    start = graph.node(graph.start)
    return {
        "start": start,
        "start_url": page_url(start),
        "kind": lineage_kinds[start.kind],
        "rows": rows_of(graph, asked) if asked.view == "table" else [],
        "sketch": sketch_of(graph, _links(graph, asked)) if asked.view == "graph" else None,
        "count": len(graph.nodes),
        "cut": graph.cut,
        "views": [(label, replace(asked, view=view).url, view == asked.view) for view, label in VIEWS.items()],
        "steps": range(STEPS_MAX + 1),
        "sentence": sentence_of(graph),
    }


def page_url(node: Node) -> str:
    """The page of what a node stands for; '' where it has none."""
    return reverse(node.page.name, args=node.page.args) if node.page else ""


def _links(graph: Graph, asked: Asked) -> dict[str, tuple[str, str, str]]:
    """Where each node leads by itself, to its own page, and a step further."""
    links = {}
    for node in graph.nodes:
        if node.is_fold:
            links[node.key] = ("" if node.rest else asked.opening(node.key), "", "")
        else:
            further = asked.opening(node.key) if node.more else ""
            links[node.key] = (asked.around(node.key), page_url(node), further)
    return links


@dataclass(frozen=True, slots=True)
class Row:
    """One node in the table. sources: what it came from, with the role."""

    node: Node
    kind: str
    icon: str
    place: str
    url: str
    moves_on: str
    flag: str
    sources: Sequence[tuple[str, str]]


def rows_of(graph: Graph, asked: Asked) -> list[Row]:
    """The graph as lines, from sources to what stands on them."""
    labels = {node.key: node.label for node in graph.nodes}
    links = _links(graph, asked)
    return [
        Row(
            node,
            lineage_kinds[node.kind].noun if node.count == 1 else lineage_kinds[node.kind].plural,
            lineage_kinds[node.kind].icon,
            place_of(node.depth),
            page_url(node),
            links[node.key][0] if node.key != graph.start else "",
            flag_words(node),
            [(labels[edge.above], edge.words) for edge in graph.edges if edge.below == node.key],
        )
        for node in graph.nodes
    ]


def place_of(depth: int) -> str:
    """Where a node stands, seen from the start."""
    if not depth:
        return "here"
    return f"{abs(depth)} {'downstream' if depth > 0 else 'upstream'}"


def sentence_of(graph: Graph) -> str:
    """The graph in a sentence, for those who hear it."""
    start = graph.node(graph.start)
    above = ", ".join(node.label for node in graph.nodes if node.depth < 0)
    below = ", ".join(node.label for node in graph.nodes if node.depth > 0)
    return f"{start.label} came from {above or 'nothing recorded'}; {below or 'nothing'} came from it."[:1000]


def panel(viewer: Actor, ref: Ref) -> dict[str, Any]:
    """What templates/registry/lineage_panel.html needs: the lineage of one thing, small. Raises NotFound."""
    start = find_start(viewer, ref)
    graph = lineage_of(viewer, (ref.kind, start), limit=PANEL_LIMIT, fold_over=PANEL_FOLD_OVER)
    return {"lineage": _small(graph, lineage_kinds[ref.kind].project_of(start))}


def _small(graph: Graph, project: Project) -> dict[str, Any]:
    asked = Asked(project.slug, graph.start)
    links = {
        node.key: (page_url(node) or (asked.url if node.rest else asked.opening(node.key)), "", "")
        for node in graph.nodes
    }
    sketch: Sketch = sketch_of(graph, links)
    flagged = [node for node in graph.nodes if node.flag]
    return {
        "url": asked.url,
        "sketch": sketch,
        "sentence": sentence_of(graph),
        "alone": len(graph.nodes) == 1,
        "flagged": bool(flagged),
    }


def panel_of_dataset_version(viewer: Actor, version: DatasetVersion) -> Panel:
    """For the page of a dataset version."""
    return Panel("registry/lineage_panel.html", panel(viewer, Ref("dataset", str(version.pk))))


def panel_of_run(viewer: Actor, run: Run) -> Panel:
    """For a run's data."""
    return Panel("registry/lineage_panel.html", panel(viewer, Ref("run", run.uid.hex)))
