"""The models of a run, as a panel on its pages."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.urls import reverse

from accounts.access import can
from artifacts.queries.files import files_of
from experiments.conditions import PACKAGE_FILES
from experiments.models import Run
from experiments.pages.slots import Entry, Panel
from kernel.actor import Actor
from registry.models import LoggedModel, ModelVersion
from registry.queries.logged_models import models_of_run
from registry.queries.model_lines import versions_from

LOOKED_INTO = 3
FOLDERS_SHOWN = 20


def models_panel(viewer: Actor, run: Run) -> Panel | None:
    """The models that the run made or keeps among its files, each with its address and the way to register it."""
    models = models_of_run(viewer, run)
    named = _names_of_versions(versions_from(viewer, run=run))
    may_register = bool(can(viewer, "registry.register", run.project))
    entries = [_logged(model, named, may_register) for model in models]
    entries += [_folder(run, path, named, may_register) for path in _model_folders(viewer, run)]
    return Panel("Models", entries, _package_files(viewer, models[:LOOKED_INTO])) if entries else None


def _logged(model: LoggedModel, named: Mapping[str, str], may_register: bool) -> Entry:
    slug = model.project.slug
    return Entry(
        label=model.name,
        url=reverse("registry:logged_model", args=[slug, model.model_id]),
        copy=f"models:/{model.model_id}",
        copy_label="Copy the address for mlflow.pyfunc.load_model",
        words=named.get(model.model_id) or str(model.get_status_display()).lower(),
        act_label="Register" if may_register else "",
        act_url=_register_url(slug, logged=model.model_id) if may_register else "",
    )


def _folder(run: Run, path: str, named: Mapping[str, str], may_register: bool) -> Entry:
    """A model that an older client stored among the files of the run."""
    return Entry(
        label=path,
        url=f"{reverse('experiments:run_tab', args=[run.uid.hex, 'artifacts'])}?{urlencode({'folder': path})}",
        copy=f"runs:/{run.uid.hex}/{path}",
        copy_label="Copy the address for mlflow.pyfunc.load_model",
        words=named.get(path) or "among the run's files",
        act_label="Register" if may_register else "",
        act_url=_register_url(run.project.slug, run=run.uid.hex, path=path) if may_register else "",
    )


def _register_url(slug: str, **origin: str) -> str:
    return f"{reverse('registry:register', args=[slug])}?{urlencode(origin)}"


def _model_folders(viewer: Actor, run: Run) -> list[str]:
    """Folders of the run's own files that hold a model."""
    marks = files_of(viewer, run.artifact_root).filter(path__endswith="/MLmodel")
    return [path.rpartition("/")[0] for path in marks.values_list("path", flat=True)[:FOLDERS_SHOWN]]


def _names_of_versions(versions: Sequence[ModelVersion]) -> dict[str, str]:
    """What was registered, by logged model or by folder of the run: 'sepsis-risk v2'."""
    return {(one.logged_model.model_id if one.logged_model else one.root_path): str(one) for one in versions}


def _package_files(viewer: Actor, models: Sequence[LoggedModel]) -> list[str]:
    """The lists of packages that came with the models: they say what the run had installed, too."""
    return [
        f"{model.name}/{file.path}"
        for model in models
        for file in files_of(viewer, model.artifact_root)
        if file.path.rpartition("/")[2] in PACKAGE_FILES
    ]
