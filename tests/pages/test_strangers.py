"""Who is not signed in is led to the sign-in page; who is in no project finds nothing: both on every page."""

import pytest

from experiments.models import Run
from tests.factories import Team
from tests.pages.conftest import Browser, address

OF_A_PROJECT = ["", "experiments/", "runs/", "members/"]
OF_A_RUN = [
    "",
    "curves/",
    "system/",
    "params/",
    "artifacts/",
    "code/",
    "data/",
    "history/",
    "curves.bin?key=val/loss",
    "curves.csv?key=val/loss",
    "files/eval/by_ward.csv",
    "preview/eval/by_ward.png",
]
EVERYWHERE = ["/", "/projects/", "/me/tokens/", "/jump/?q=gru", "/me/password/"]


@pytest.mark.parametrize("rest", OF_A_PROJECT)
def test_a_project_is_hidden_from_strangers(team: Team, zoe: Browser, rest):
    hidden = zoe.get(address(team.project, rest), expecting=404)
    absent = zoe.get(f"/p/no-such-project/{rest}", expecting=404)
    assert (
        hidden.text.replace(team.project.slug, "X").split("request")[0]
        == (absent.text.replace("no-such-project", "X").split("request")[0])
    )


@pytest.mark.parametrize("rest", OF_A_RUN)
@pytest.mark.parametrize("by", ["uid", "readable_id"])
def test_a_run_is_hidden_from_strangers(trained: Run, zoe: Browser, rest, by):
    ref = trained.uid.hex if by == "uid" else trained.readable_id
    absent = "0" * 32 if by == "uid" else "XYZ-99"
    hidden = zoe.get(f"/r/{ref}/{rest}", expecting=404)
    missing = zoe.get(f"/r/{absent}/{rest}", expecting=404)
    assert hidden.text.replace(ref, "X").split("request")[0] == missing.text.replace(absent, "X").split("request")[0]


@pytest.mark.parametrize(
    "path", [*EVERYWHERE, *(f"/r/RUN/{rest}" for rest in OF_A_RUN), *(f"/p/PROJECT/{r}" for r in OF_A_PROJECT)]
)
def test_nobody_is_led_to_the_sign_in_page_and_back(trained: Run, path):
    here = path.replace("RUN", trained.uid.hex).replace("PROJECT", trained.project.slug)
    answer = Browser().get(here, expecting=302)
    assert answer.response["Location"].startswith("/login/?next=")


def test_nobody_changes_a_run(trained: Run):
    assert "/login/" in Browser().post(f"/r/{trained.uid.hex}/do/lock/").response["Location"]
    trained.refresh_from_db()
    assert not trained.is_locked


def test_a_stranger_changes_nothing(trained: Run, zoe: Browser):
    zoe.post(f"/r/{trained.uid.hex}/do/delete/", expecting=404)
    zoe.post(address(trained.project, "experiments/"), name="mine", expecting=404)
    zoe.post(address(trained.project, "members/"), email="zoe@example.org", role="data_scientist", expecting=404)
    zoe.post(address(trained.project, "token/"), expecting=404)
    trained.refresh_from_db()
    assert not trained.is_deleted


def test_a_stranger_sees_an_empty_home(trained: Run, zoe: Browser):
    home = zoe.get("/")
    assert "You are in no project yet" in home
    assert trained.name not in home


def test_jumping_finds_only_what_one_may_see(trained: Run, ada: Browser, zoe: Browser):
    assert ada.get("/jump/", expecting=302, q=trained.readable_id).response["Location"] == f"/r/{trained.uid.hex}/"
    assert trained.name in ada.get("/jump/", q="gru")
    assert "Nothing found" in zoe.get("/jump/", q="gru")
    assert "Nothing found" in zoe.get("/jump/", q=trained.readable_id)


def test_a_part_of_a_page_leads_the_whole_page_to_signing_in(trained: Run):
    answer = Browser().client.get(address(trained.project, "runs/"), headers={"hx-request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/login/?next=")
