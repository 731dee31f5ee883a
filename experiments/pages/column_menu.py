"""The menu of one column alone: a table of very many columns asks for each when it is opened."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Project
from experiments.pages.asked import Asked
from experiments.pages.columns import column_of
from experiments.pages.run_rows import lone_head
from experiments.pages.taste import taste_of
from kernel.actor import Actor
from kernel.errors import NotFound


def column_menu(
    request: HttpRequest,
    viewer: Actor,
    project: Project | None,
    asked: Asked,
    directions: Mapping[str, bool],
    more: Mapping[str, Any],
) -> HttpResponse:
    """What `menu=KEY` in an address of the table asks for. Raises NotFound."""
    column = column_of(request.GET["menu"])
    if column is None:
        raise NotFound("There is no such column.")
    head = lone_head(asked, column, directions, taste_of(viewer, project))
    return render(
        request, "experiments/head_menu_items.html", {"project": project, "asked": asked, "head": head, **more}
    )
