"""Whether one is still signed in, which a form asks before it is sent."""

from tests.factories import Team, user_of
from tests.pages.conftest import Browser


def test_whoever_is_signed_in_is_told_who_and_given_a_token_of_now(ada: Browser, team: Team):
    answer = ada.client.get("/me/here/")
    told = answer.json()
    assert told["user"] == str(user_of(team.scientist).pk)
    assert ada.client.cookies["mled_csrf"].value
    assert told["token"]
    assert "no-store" in answer["Cache-Control"]
    assert f'data-user="{told["user"]}"' in ada.get("/me/").source


def test_nobody_is_told_so_and_not_led_away(db):
    nobody = Browser()
    answer = nobody.client.get("/me/here/")
    assert (answer.status_code, answer.json()) == (401, {"user": None})
    assert "data-user" not in nobody.get("/login/").source
