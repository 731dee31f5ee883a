"""The panels of What matters that are touched: the parameters that matter beside the result, and one against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Project
from experiments.pages.asked import Asked
from experiments.pages.panels import Panel, panel_text, parse_panel
from experiments.pages.pictures import Boxes, Scatter

AXES = 6  # parameters beside the result


@dataclass(frozen=True, slots=True)
class Drawn:
    """One panel of the page. changed: by a reader, so that it stands in the address."""

    name: str
    title: str
    text: str
    changed: bool


def panels_of(asked: Asked, result: str, pictures: Sequence[tuple[str, Scatter | Boxes]]) -> list[Drawn]:
    """Both panels, as the address says them or as the ranking suggests. pictures: of the parameters, best first.

    result: its key as a field, metrics.<name>.<figure>.
    """
    said = [panel for text in asked.panels if (panel := parse_panel(text)) is not None]
    together = next((panel for panel in said if panel.kind == "parallel"), None)
    alone = next((panel for panel in said if panel.kind in ("scatter", "box", "bar")), None)
    return [
        Drawn(
            "parameters",
            "Parameters and result together",
            panel_text(together or _together(result, pictures)),
            bool(together),
        ),
        Drawn(
            "parameter",
            "One parameter",
            alone_text(result, *pictures[0]) if alone is None else panel_text(alone),
            bool(alone),
        ),
    ]


def _together(result: str, pictures: Sequence[tuple[str, Scatter | Boxes]]) -> Panel:
    shown = pictures[:AXES]
    axes = [f"params.{name}" for name, _ in shown]
    log = [f"params.{name}" for name, picture in shown if _is_log(picture)]
    panel = Panel(kind="parallel", fields=[*axes, result], color=result)
    return Panel(**panel, log=log) if log else panel


def alone_text(result: str, name: str, picture: Scatter | Boxes) -> str:
    """The panel of one parameter against the result: a scatter with its trend for numbers, boxes for words."""
    if isinstance(picture, Boxes):
        return panel_text(Panel(kind="box", x=f"params.{name}", y=result))
    panel = Panel(kind="scatter", x=f"params.{name}", y=result, trend=True)
    return panel_text(Panel(**panel, log=["x"]) if _is_log(picture) else panel)


def _is_log(picture: Scatter | Boxes) -> bool:
    return isinstance(picture, Scatter) and picture.log


def points_url(project: Project, asked: Asked) -> str:
    """Where the points of the same question come from."""
    return f"{reverse('experiments:points', args=[project.slug])}?{urlencode(asked.kept('columns', 'sort', 'good'))}"
