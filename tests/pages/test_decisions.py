"""A project's decisions: on its first page, as a list, each by itself, on the runs that they cite, and the form."""

import pytest

from experiments.actions.decisions import record_decision, take_back_decision
from experiments.actions.runs import delete_run
from experiments.models import Decision
from experiments.queries.decisions import get_decision, runs_cited
from tests.factories import Team, a_run
from tests.pages.conftest import Browser, address


@pytest.fixture
def mona(team: Team) -> Browser:
    """The project's manager at her browser."""
    return Browser(team.manager)


def fields(browser: Browser, team: Team, **other: str) -> dict[str, str]:
    key = browser.get(address(team.project, "decisions/new/")).field("id_key")
    return {"title": "Stop the LightGBM line", "why": "0.04 *behind*.", "runs": "", "replaces": "", "key": key} | other


def test_a_manager_records_one_and_everybody_reads_it(team: Team, mona: Browser):
    first, second = a_run(team.scientist, name="gru"), a_run(team.scientist, name="tcn")
    page = mona.follow(
        address(team.project, "decisions/new/"),
        **fields(mona, team, runs=f"{first.readable_id}, {second.uid.hex}"),
    )
    assert "Decision 1 is recorded." in page
    assert runs_cited(get_decision(team.manager, team.project, 1)) == [first, second]
    for who in (team.scientist, team.engineer, team.auditor):
        browser = Browser(who)
        one = browser.get(address(team.project, "decisions/1/"))
        assert "Stop the LightGBM line" in one
        assert "<em>behind</em>" in one.source
        assert {f"/r/{first.uid.hex}/", f"/r/{second.uid.hex}/"} <= set(one.links("/r/"))
        for place in ("", "decisions/"):
            page = browser.get(address(team.project, place))
            assert f"0.04 behind. Cites {first.readable_id} , {second.readable_id} ." in page
            assert page.links("/decisions/new/") == []
        assert "Decisions that cite it Stop the LightGBM line" in browser.get(f"/r/{first.uid.hex}/")


def test_without_one_the_pages_say_what_it_is_for(team: Team, mona: Browser):
    assert "Put down what was decided" in mona.get(address(team.project))
    assert "Record one" in mona.get(address(team.project, "decisions/"))
    other = Browser(team.scientist)
    assert "Decisions" not in other.get(address(team.project))
    assert "A project manager records what was decided" in other.get(address(team.project, "decisions/"))


def test_a_form_that_is_sent_twice_makes_one_also_where_it_replaces_another(team: Team, mona: Browser):
    record_decision(team.manager, team.project, title="24 hours")
    sent = fields(mona, team, replaces="1")
    for _ in range(2):
        assert "Decision 2 is recorded." in mona.follow(address(team.project, "decisions/new/"), **sent)
    assert Decision.objects.count() == 2


def test_a_form_that_is_sent_again_with_other_words_loses_none_of_them(team: Team, mona: Browser):
    sent, here = fields(mona, team), address(team.project, "decisions/new/")
    mona.post(here, **sent)
    page = mona.post(here, expecting=200, **(sent | {"title": "Stop the tree line"}))
    assert "This form was sent before with other words" in page
    assert page.field("id_title") == "Stop the tree line"
    page = mona.follow(here, **(sent | {"title": "Stop the tree line", "key": page.field("id_key")}))
    assert "Decision 2 is recorded." in page


def test_one_replaces_another_and_both_say_so(team: Team, mona: Browser):
    record_decision(team.manager, team.project, title="24 hours")
    [way] = mona.get(address(team.project, "decisions/1/")).links("?replaces=")
    form = mona.get(way)
    assert '<option value="1" selected>1: 24 hours</option>' in form.source
    mona.follow(address(team.project, "decisions/new/"), **fields(mona, team, title="48 hours", replaces="1"))
    assert "Replaced by decision 2: 48 hours" in mona.get(address(team.project, "decisions/1/"))
    assert "It replaces decision 1: 24 hours" in mona.get(address(team.project, "decisions/2/"))
    assert "Take back" not in mona.get(address(team.project, "decisions/1/"))
    page = mona.post(address(team.project, "decisions/new/"), expecting=200, **fields(mona, team, replaces="1"))
    assert "Decision 1 was replaced by decision 2 meanwhile" in page
    assert Decision.objects.count() == 2


def test_one_is_taken_back_and_says_why(team: Team, mona: Browser):
    record_decision(team.manager, team.project, title="Go")
    here = address(team.project, "decisions/1/")
    assert "required" in mona.post(here, expecting=200, reason="")
    page = mona.follow(here, reason="The data were recalled.")
    assert "Decision 1 is taken back." in page
    assert "The data were recalled." in Browser(team.scientist).get(here)
    assert "Taken back" in Browser(team.scientist).get(address(team.project))


def test_what_was_replaced_meanwhile_is_not_taken_back(team: Team, mona: Browser):
    made = record_decision(team.manager, team.project, title="Go")
    record_decision(team.manager, team.project, title="Stop", replaces=made)
    page = mona.follow(address(team.project, "decisions/1/"), reason="No.")
    assert "was replaced by decision 2 meanwhile" in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"title": ""}, "required"), ({"runs": "ABC-999"}, "'ABC-999' is no run of this project."),
     ({"replaces": "7"}, "Select a valid choice"), ({"replaces": "9" * 30}, "Select a valid choice"),
     ({"runs": ", ".join(f"ABC-{at}" for at in range(101))}, "101 runs are cited"),
     ({"why": "x" * 20_001}, "at most 20000")],
)  # fmt: skip
def test_what_cannot_be_kept_is_told_beside_its_field(team: Team, mona: Browser, wrong, words):
    page = mona.post(address(team.project, "decisions/new/"), expecting=200, **fields(mona, team, **wrong))
    assert words in page
    assert "invalid-feedback" in page.source
    assert not Decision.objects.exists()


def test_ticked_runs_of_the_table_come_to_the_form(team: Team, mona: Browser):
    first, second = a_run(team.scientist), a_run(team.scientist)
    assert 'formaction="/p/' in mona.get(address(team.project, "runs/")).source
    ids = f"{first.readable_id}, {second.readable_id}"
    page = mona.follow(address(team.project, "runs/do/decide/"), runs=ids)
    assert page.field("id_runs") == ids
    assert "No run is chosen." in mona.follow(address(team.project, "runs/do/decide/"), runs="")
    assert "Decide" not in Browser(team.scientist).get(address(team.project, "runs/"))


def test_a_cited_run_that_is_deleted_later_stays_cited(team: Team, mona: Browser):
    run = a_run(team.scientist, name="gru")
    record_decision(team.manager, team.project, title="Go", runs=[run])
    delete_run(team.scientist, run)
    assert run.readable_id in mona.get(address(team.project, "decisions/1/"))


@pytest.mark.parametrize("who", ["scientist", "engineer", "auditor", "administrator"])
def test_others_of_the_project_may_not(team: Team, who: str):
    record_decision(team.manager, team.project, title="Go")
    browser = Browser(getattr(team, who))
    browser.get(address(team.project, "decisions/new/"), expecting=403)
    browser.post(address(team.project, "decisions/new/"), expecting=403, title="x")
    hidden = 404 if who == "administrator" else 403
    browser.post(address(team.project, "decisions/1/"), expecting=hidden, reason="No.")
    assert [one.taken_back_at for one in Decision.objects.all()] == [None]


def test_strangers_find_nothing(team: Team, zoe: Browser):
    made = record_decision(team.manager, team.project, title="Go")
    take_back_decision(team.manager, made, reason="No.")
    for place in ("decisions/", "decisions/new/", "decisions/1/"):
        zoe.get(address(team.project, place), expecting=404)
        zoe.post(address(team.project, place), expecting=405 if place == "decisions/" else 404, reason="x")


def test_a_long_list_goes_on(team: Team, mona: Browser):
    for at in range(26):
        record_decision(team.manager, team.project, title=f"Go {at}")
    assert "1 to 25 of 26" in mona.get(address(team.project, "decisions/"))
    assert "Go 0" in mona.get(address(team.project, "decisions/"), page=2)
