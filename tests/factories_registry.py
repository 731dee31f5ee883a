"""Registered models, versions and aliases for tests, made through the actions that every door calls.

    model = a_registered_model(team.scientist, team.project)
    version = a_version(team.scientist, model)       # of a run with a file below model/
    an_alias(team.engineer, version, "champion")
"""

from __future__ import annotations

from typing import Any

from accounts.models import Project
from artifacts.blobs import receive
from experiments.models import Run
from kernel.actor import Actor
from registry.actions.aliases import set_alias
from registry.actions.files import put_model_file
from registry.actions.logged_models import create_logged_model
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import LoggedModel, ModelAlias, ModelVersion, RegisteredModel


def a_registered_model(actor: Actor, project: Project, *, name: str = "", **more: Any) -> RegisteredModel:
    """A model without versions."""
    from tests.factories import unique

    return create_registered_model(actor, project, name=name or unique("model"), **more)


def a_version(actor: Actor, model: RegisteredModel, *, run: Run | None = None, **more: Any) -> ModelVersion:
    """The next version of a model, made of the folder 'model' of a run; of a new run unless one is given."""
    from tests.factories import a_file, a_run

    if run is None:
        run = a_run(actor, project=model.project)
        a_file(actor, run, "model/MLmodel", b"flavors: {}\n")
    source = more.pop("source", f"runs:/{run.uid.hex}/model")
    return create_version(actor, model, source=source, run=run, **more)


def a_logged_model(actor: Actor, run: Run, *, name: str = "model", content: bytes = b"flavors: {}\n") -> LoggedModel:
    """A logged model of a run, with one file."""
    import io

    logged = create_logged_model(actor, run.experiment, name=name, source_run=run)
    put_model_file(actor, logged, path="MLmodel", stored=receive(io.BytesIO(content), expected=len(content)))
    logged.refresh_from_db()
    return logged


def a_version_of(actor: Actor, model: RegisteredModel, logged: LoggedModel, **more: Any) -> ModelVersion:
    """The next version of a model, made of a logged model."""
    return create_version(actor, model, source=f"models:/{logged.model_id}", logged_model=logged, **more)


def an_alias(actor: Actor, version: ModelVersion, alias: str = "champion") -> ModelAlias:
    """An alias that stands for a version."""
    return set_alias(actor, version.model, alias=alias, version=version)
