"""The models of a run, as a panel on its pages."""

from django.urls import reverse

from experiments.models import Run
from experiments.pages.slots import Entry, Panel
from kernel.actor import Actor
from registry.queries.logged_models import models_of_run


def models_panel(viewer: Actor, run: Run) -> Panel | None:
    """The models that the run made, each with the address that loads it; None where it made none."""
    entries = [
        Entry(
            label=model.name,
            url=reverse("registry:logged_model", args=[run.project.slug, model.model_id]),
            copy=f"models:/{model.model_id}",
            copy_label="Copy the address for mlflow.pyfunc.load_model",
            words=str(model.get_status_display()).lower(),
        )
        for model in models_of_run(viewer, run)
    ]
    return Panel("Models", entries) if entries else None
