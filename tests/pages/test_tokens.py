"""One's own tokens: the secret is shown once, with the lines that a script needs."""

import re

import pytest

from accounts.models import ApiToken
from accounts.roles import Scope
from tests.factories import Team, a_project, a_token
from tests.pages.conftest import Browser, Page, address

FORM = {"name": "laptop", "days": "30", "scopes": ["read", "log"]}


def secret_in(page: Page) -> str:
    found = re.search(r'<code id="secret">(mled_[\w-]+)</code>', page.source)
    assert found, "no secret on this page"
    return found.group(1)


def test_a_new_token_shows_its_secret_once_and_the_lines_to_use_it(ada: Browser, team: Team):
    page = ada.post(
        "/me/tokens/", expecting=200, **FORM, projects=[team.project.slug], default_project=team.project.slug
    )
    secret = secret_in(page)
    assert f"export MLFLOW_TRACKING_TOKEN= {secret}" in page
    assert f"export MLFLOW_TRACKING_URI= http://testserver/mlflow/{team.project.slug}" in page
    assert page.response["Cache-Control"] == "no-store"
    later = ada.get("/me/tokens/")
    assert secret not in later.source
    assert secret[:12] in later


def test_a_token_without_a_default_project_shows_an_address_that_works(ada: Browser, team: Team):
    page = ada.post("/me/tokens/", expecting=200, **FORM)
    assert f"export MLFLOW_TRACKING_URI= http://testserver/mlflow/{team.project.slug}" in page
    assert "others:" not in page


def test_the_secret_is_kept_nowhere(ada: Browser):
    secret = secret_in(ada.post("/me/tokens/", expecting=200, **FORM))
    token = ApiToken.objects.get(name="laptop")
    assert secret not in repr(list(vars(token).values()))


def test_the_token_works(ada: Browser, team: Team):
    from accounts.authentication import actor_for_token
    from kernel.actor import Door

    actor = actor_for_token(secret_in(ada.post("/me/tokens/", expecting=200, **FORM)), Door.MLFLOW)
    assert actor.user_id == team.scientist.user_id


def test_a_script_gets_a_token_for_one_project_in_one_step(ada: Browser, team: Team):
    page = ada.post(address(team.project, "token/"), expecting=200)
    token = ApiToken.objects.get(user_id=team.scientist.user_id)
    assert secret_in(page).startswith(token.prefix)
    assert token.projects == [team.project.id.hex]
    assert set(token.scopes) == {"read", "log"}
    assert f"/mlflow/{team.project.slug}" in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "required"),
        ({"scopes": []}, "required"),
        ({"scopes": ["rule the world"]}, "not one of the available choices"),
        ({"days": "4000"}, "not one of the available choices"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_is_kept(ada: Browser, wrong, words):
    page = ada.post("/me/tokens/", expecting=200, **(FORM | wrong))
    assert words in page
    assert page.field("id_name") == (FORM | wrong)["name"]
    assert not ApiToken.objects.exists()


def test_a_token_for_a_project_of_others_is_not_offered(ada: Browser):
    foreign = a_project()
    page = ada.post("/me/tokens/", expecting=200, **FORM, projects=[foreign.slug])
    assert "not one of the available choices" in page
    assert foreign.slug not in ada.get("/me/tokens/").source


def test_an_auditor_is_offered_reading_alone(ada: Browser, otto: Browser, team: Team):
    assert 'value="log"' in ada.get("/me/tokens/").source
    shown = otto.get("/me/tokens/").source
    assert 'value="read"' in shown
    assert 'value="log"' not in shown
    assert 'value="manage"' not in shown
    assert "not one of the available choices" in otto.post("/me/tokens/", expecting=200, **FORM)
    assert not ApiToken.objects.exists()


def test_the_token_of_an_auditors_script_reads(otto: Browser, team: Team):
    otto.post(address(team.project, "token/"), expecting=200)
    assert ApiToken.objects.get(user_id=team.auditor.user_id).scopes == ["read"]


def test_revoking_ends_a_token(ada: Browser, team: Team):
    token, _ = a_token(team.scientist, name="old laptop")
    page = ada.follow(f"/me/tokens/{token.pk}/revoke/")
    assert "Token old laptop is revoked" in page
    token.refresh_from_db()
    assert not token.is_live


def test_nobody_revokes_or_sees_the_token_of_somebody_else(ada: Browser, team: Team):
    token, _ = a_token(team.engineer, name="hers", scopes=[Scope.READ])
    assert "hers" not in ada.get("/me/tokens/")
    ada.post(f"/me/tokens/{token.pk}/revoke/", expecting=404)
    token.refresh_from_db()
    assert token.is_live
