"""What was approved stays what it was: a prompt's words, and which version a protected name leads to."""

from typing import Any

import pytest

from kernel.actor import system
from kernel.errors import Refused
from registry.actions.aliases import transition_stage
from registry.actions.registered_models import (
    create_registered_model,
    delete_registered_model,
    rename_registered_model,
)
from registry.actions.tags import delete_version_tag, set_version_tags
from registry.actions.versions import create_version, delete_version
from registry.models import ModelVersion, PromotionRequest
from registry.queries.promotions import signature_state
from registry.queries.registered_models import find_model
from registry.sources import PROMPT_TAG
from tests.factories import Team, a_team, again
from tests.registry.promoting import a_candidate, a_governed_team, approved_by, asked_for, governed, log_goes_on

TEXT, FORM, RUNS = "mlflow.prompt.text", "_mlflow_prompt_response_format", "mlflow.prompt.associatedRunIds"


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Any, db: None) -> None:
    settings.MLED_DATA = tmp_path


@pytest.fixture
def team() -> Team:
    return a_governed_team()


def a_prompt(team: Team) -> ModelVersion:
    model = create_registered_model(team.scientist, team.project, name="greeting", tags={PROMPT_TAG: "true"})
    tags = {PROMPT_TAG: "true", TEXT: "Greet {{name}}.", FORM: "{}"}
    return create_version(team.scientist, model, source="prompt-template", tags=tags)


def approve(team: Team, version: ModelVersion) -> PromotionRequest:
    request = approved_by(team.manager, asked_for(team, version))
    log_goes_on()
    return request


@pytest.mark.parametrize("key", [TEXT, FORM])
def test_an_approved_prompt_keeps_its_words(team: Team, key: str) -> None:
    prompt = a_prompt(team)
    set_version_tags(team.scientist, prompt, tags={key: "{} "})
    approve(team, prompt)
    with pytest.raises(Refused, match="part of the prompt in version 1, which is approved"):
        set_version_tags(again(team.scientist), prompt, tags={key: "Insult {{name}}."})
    with pytest.raises(Refused, match="which is approved"):
        delete_version_tag(again(team.scientist), prompt, key=key)
    set_version_tags(again(team.scientist), prompt, tags={key: "{} "})


def test_the_signature_covers_all_that_a_prompt_says(team: Team) -> None:
    request = approve(team, a_prompt(team))
    assert request.signature is not None
    assert '"_mlflow_prompt_response_format":"{}"' in request.signature.record


def test_where_a_prompt_was_used_is_no_change_of_it(team: Team) -> None:
    prompt = a_prompt(team)
    request = approve(team, prompt)
    set_version_tags(again(team.scientist), prompt, tags={RUNS: "0" * 32, "team": "north"})
    state = signature_state(system(), request)
    assert state is not None
    assert state.matches


def test_a_model_keeps_its_name_while_a_version_carries_a_protected_one(team: Team) -> None:
    vitals, toy = (
        a_candidate(
            team.scientist, team.project, model=create_registered_model(team.scientist, team.project, name=name)
        )
        for name in ("vitals", "toy")
    )
    approve(team, vitals)
    with pytest.raises(Refused, match="cannot be renamed: version 1 carries 'champion'"):
        rename_registered_model(again(team.scientist), vitals.model, name="old")
    assert find_model(system(), team.project, "vitals") == vitals.model
    rename_registered_model(again(team.scientist), toy.model, name="trial")
    rename_registered_model(again(team.scientist), vitals.model, name="vitals")


def test_a_version_in_a_protected_stage_is_not_deleted_out_of_it() -> None:
    team = a_team()
    version = a_candidate(team.scientist, team.project)
    transition_stage(team.engineer, version, stage="Production")
    governed(team)
    version = ModelVersion.objects.get(pk=version.pk)
    with pytest.raises(Refused, match="cannot be deleted: version 1 carries 'Production'"):
        delete_version(again(team.scientist), version)
    with pytest.raises(Refused, match="carries 'Production'"):
        delete_registered_model(again(team.scientist), version.model)
