"""Registered models, versions and aliases for tests, made through the actions that every door calls.

model = a_registered_model(team.scientist, team.project)
version = a_version(team.scientist, model)       # of a run with a file below model/
an_alias(team.engineer, version, "champion")
"""

from __future__ import annotations

import io
import itertools
from typing import Any

from accounts.models import Project
from artifacts.blobs import receive
from experiments.actions.files import put_file
from experiments.actions.runs import create_run
from experiments.models import Experiment, Run
from kernel.actor import Actor
from registry.actions.aliases import set_alias
from registry.actions.cards import write_card
from registry.actions.files import put_model_file
from registry.actions.logged_models import create_logged_model
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import LoggedModel, ModelAlias, ModelVersion, RegisteredModel

_count = itertools.count(1)
FILE = b"flavors: {}\n"


def a_registered_model(actor: Actor, project: Project, *, name: str = "", **more: Any) -> RegisteredModel:
    """A model without versions."""
    return create_registered_model(actor, project, name=name or f"model-{next(_count)}", **more)


def a_version(actor: Actor, model: RegisteredModel, *, run: Run | None = None, **more: Any) -> ModelVersion:
    """The next version of a model, made of the folder 'model' of a run; of a new run unless one is given."""
    run = run or a_run_with_a_model(actor, model.project)
    source = more.pop("source", f"runs:/{run.uid.hex}/model")
    return create_version(actor, model, source=source, run=run, **more)


def a_run_with_a_model(actor: Actor, project: Project) -> Run:
    """A run with one file below model/."""
    run = create_run(actor, Experiment.objects.get(project=project, is_default=True))
    put_file(actor, run, path="model/MLmodel", stored=receive(io.BytesIO(FILE), expected=len(FILE)))
    return run


def a_logged_model(actor: Actor, run: Run, *, name: str = "model", content: bytes = FILE) -> LoggedModel:
    """A logged model of a run, with one file."""
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


def a_version_of_everything(actor: Actor, project: Project, logged: LoggedModel, word: str) -> ModelVersion:
    """A version with an alias, tags and a card; `word` stands in all that a person gives.

    It is made of a run of its own, because an alias keeps the run behind it from being deleted.
    """
    name = f"{word}-registered-{next(_count)}"
    model = a_registered_model(actor, project, name=name, description=word, tags={f"{word}-tag": word})
    a_version_of(actor, model, logged)
    version = a_version(actor, model, description=word, run_link=word, tags={f"{word}-tag": word})
    an_alias(actor, version, f"{word}-alias")
    write_card(actor, version, section="limits", text=word)
    return version
