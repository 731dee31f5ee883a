"""The models of a run, as a panel on its pages."""

from collections.abc import Sequence

from django.urls import reverse

from artifacts.queries.files import files_of
from experiments.models import Run
from experiments.pages.conditions import PACKAGE_FILES
from experiments.pages.slots import Entry, Panel
from kernel.actor import Actor
from registry.models import LoggedModel
from registry.queries.logged_models import models_of_run

LOOKED_INTO = 3


def models_panel(viewer: Actor, run: Run) -> Panel | None:
    """The models that the run made, each with the address that loads it; None where it made none."""
    models = models_of_run(viewer, run)
    entries = [
        Entry(
            label=model.name,
            url=reverse("registry:logged_model", args=[run.project.slug, model.model_id]),
            copy=f"models:/{model.model_id}",
            copy_label="Copy the address for mlflow.pyfunc.load_model",
            words=str(model.get_status_display()).lower(),
        )
        for model in models
    ]
    return Panel("Models", entries, _package_files(viewer, models[:LOOKED_INTO])) if entries else None


def _package_files(viewer: Actor, models: Sequence[LoggedModel]) -> list[str]:
    """The lists of packages that came with the models: they say what the run had installed, too."""
    return [
        f"{model.name}/{file.path}"
        for model in models
        for file in files_of(viewer, model.artifact_root)
        if file.path.rpartition("/")[2] in PACKAGE_FILES
    ]
