"""What the registry adds to pages of the rooms below: what waits for a decision, and models among what is found."""

from django.urls import reverse

from accounts.models import Project
from artifacts.pages.slots import Panel
from experiments.pages.slots import Found, FoundLine
from kernel.actor import Actor
from registry.queries.model_lines import models_named
from registry.queries.promotions import open_promotions
from registry.queries.waiting import waiting_for

SHOWN = 6


def waiting_panel(viewer: Actor) -> Panel | None:
    """For the home page: promotions that this viewer may decide about."""
    waiting = waiting_for(viewer, limit=SHOWN + 1)
    return (
        Panel("registry/waiting_panel.html", {"waiting": waiting[:SHOWN], "more": len(waiting) > SHOWN})
        if waiting
        else None
    )


def pending_panel(viewer: Actor, project: Project) -> Panel | None:
    """For a project's overview: promotions that wait for anybody's decision, or for the log."""
    pending = list(open_promotions(viewer, project)[: SHOWN + 1])
    if not pending and not project.is_governed:
        return None
    context = {"pending": pending[:SHOWN], "more": len(pending) > SHOWN, "project": project}
    return Panel("registry/pending_panel.html", context)


def found_models(viewer: Actor, text: str) -> Found | None:
    """For the jump box: models of that name."""
    models = models_named(viewer, text)
    lines = [
        FoundLine(model.name, reverse("registry:model", args=[model.project.slug, model.name]), model.project.name)
        for model in models
    ]
    return Found("Models", "cube", lines) if lines else None
