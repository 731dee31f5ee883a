"""A governed project with a version that is ready to be promoted, and people who decide about it."""

from __future__ import annotations

import io
from typing import Any

from accounts.actions.governance import govern_project
from accounts.models import Project
from accounts.signing import Proof, prove
from artifacts.blobs import receive
from audit.ledger.sequencer import Sequencer
from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import update_run
from experiments.models import Run
from experiments.values import RunStatus
from kernel.actor import Actor, operator
from registry.actions.files import put_model_file
from registry.actions.logged_models import create_logged_model
from registry.actions.promotions import ask_promotion, decide_promotion
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import ModelVersion, PromotionRequest, RegisteredModel
from tests.factories import PASSWORD, STARTED_MS, Team, a_batch, a_run, a_team, unique, user_of


def governed(team: Team, *names: str) -> Project:
    """The team's project, governed from now on."""
    return govern_project(
        operator(), team.project, is_governed=True, protected_names=names or ("champion", "production")
    )


def a_governed_team() -> Team:
    """A team in a governed project, whose people have the password PASSWORD."""
    team = a_team()
    governed(team)
    for person in (team.scientist, team.engineer, team.manager, team.auditor):
        with_password(person)
    return team


def with_password(person: Actor, password: str = PASSWORD) -> Actor:
    """The same person, who can sign."""
    from accounts.actions.users import change_password

    change_password(person, password=password)
    return person


def proof_of(person: Actor) -> Proof:
    """The person has just proved who they are."""
    return prove(person, PASSWORD, email=user_of(person).email)


def a_trained_run(person: Actor, **more: Any) -> Run:
    """A run that finished, with a dataset and a metric."""
    run = a_run(person, **more)
    log_inputs(person, run, inputs=[DatasetInput(unique("icu"), "d" * 36, "local", "x", tags={})])
    log_batch(person, run, batch=a_batch(auc=[0.8, 0.9]))
    return update_run(person, run, status=RunStatus.FINISHED, ended_ms=STARTED_MS + 60_000)


def a_candidate(person: Actor, project: Project, *, model: RegisteredModel | None = None) -> ModelVersion:
    """A version that passes every gate: its run finished, with data, metrics and a file."""
    run = a_trained_run(person, project=project)
    logged = create_logged_model(person, run.experiment, name="net", source_run=run)
    stored = receive(io.BytesIO(b"weights of " + run.uid.bytes))
    put_model_file(person, logged, path="model.bin", stored=stored)
    model = model or create_registered_model(person, project, name=unique("vitals"))
    return create_version(person, model, source=f"models:/{logged.model_id}", logged_model=logged)


def asked_for(team: Team, version: ModelVersion | None = None, **more: Any) -> PromotionRequest:
    """The scientist asks for the alias champion."""
    version = version or a_candidate(team.scientist, team.project)
    wanted = {"kind": "alias", "target": "champion", "comment": "Better on every ward."} | more
    return ask_promotion(team.scientist, version, **wanted)


def approved_by(person: Actor, request: PromotionRequest, comment: str = "Checked.") -> PromotionRequest:
    """The person approves and signs."""
    return decide_promotion(person, request, approve=True, comment=comment, proof=proof_of(person))


def log_goes_on() -> None:
    """The sequencer takes what waits and signs a checkpoint over it."""
    Sequencer().run_until_empty()
