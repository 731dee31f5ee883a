"""Acts on many runs of the table: one event for each, and each refusal told with its run."""

import html
import re

import pytest

from experiments.actions.batches import log_batch
from experiments.actions.runs import delete_run, lock_run, set_tags
from experiments.models import Run, RunTag
from experiments.pages import bulk
from experiments.pages.slots import BulkOffer, bulk_acts
from experiments.queries import selection
from kernel.actor import Actor
from tests.factories import STARTED_MS, Team, a_batch, a_run, a_team, events_since
from tests.pages.conftest import Browser, Page, address
from tests.pages.test_run_table import names


@pytest.fixture
def five(team: Team) -> list[Run]:
    made = [a_run(team.scientist, name=f"r{number}", started_ms=STARTED_MS + number) for number in range(5)]
    for number, run in enumerate(made):
        log_batch(team.scientist, run, batch=a_batch(loss=[float(number)]))
    return made


def do(who: Browser, team: Team, verb: str, runs: list[Run] | None = None, **fields) -> Page:
    """Press a button of the selection bar, and the page it leads to."""
    chosen = ",".join(run.readable_id for run in runs or [])
    return who.follow(address(team.project, f"runs/do/{verb}/"), runs=chosen, **fields)


def state(runs: list[Run]) -> list[tuple[bool, bool]]:
    """Locked, deleted."""
    fresh = Run.objects.in_bulk([run.pk for run in runs])
    return [(fresh[run.pk].is_locked, fresh[run.pk].is_deleted) for run in runs]


def undo_form(page: Page) -> tuple[str, dict[str, str]]:
    form = re.search(r'<form method="post" action="([^"]+)"[^>]*aria-label="Undo">(.*?)</form>', page.source, re.S)
    assert form, page.text[:500]
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form[2])
    return form[1], {name: html.unescape(value) for name, value in fields if name != "csrfmiddlewaretoken"}


def test_chosen_runs_are_locked_each_with_its_own_event(ada: Browser, team: Team, five):
    kept = events_since(lambda: do(ada, team, "lock", five[:3]))
    assert [event.verb for event in kept] == ["experiments.lock_run"] * 3
    assert [locked for locked, _ in state(five)] == [True, True, True, False, False]


def test_the_table_comes_back_as_it_was_and_says_what_was_done(ada: Browser, team: Team, five):
    page = do(ada, team, "lock", five[:2], table="q=metrics.loss+%3C+3&sort=name&columns=user")
    assert "2 runs locked." in page
    assert names(page) == ["r0", "r1", "r2"]
    assert page.field("query") == "metrics.loss < 3"


def test_what_is_so_already_and_what_is_refused_is_told_by_run(ada: Browser, team: Team, five):
    lock_run(team.scientist, five[0])
    delete_run(team.scientist, five[1])
    page = do(ada, team, "lock", five)
    assert "3 runs locked, 1 was so already, 1 refused" in page
    assert f"{five[1].readable_id}: A deleted run cannot be locked. Restore it first." in page
    page = do(ada, team, "tag", [five[0], five[2], five[3]], key="stage", value="final")
    assert "No run tagged, 3 refused" in page
    assert f"{five[0].readable_id}, {five[2].readable_id}, {five[3].readable_id}: it is locked" in page
    assert not RunTag.objects.filter(key="stage").exists()


def test_tags_are_set_and_removed_where_they_are(ada: Browser, team: Team, five):
    assert "4 runs tagged." in do(ada, team, "tag", five[:4], key="stage", value="final")
    assert list(RunTag.objects.filter(key="stage").values_list("value", flat=True)) == ["final"] * 4
    page = do(ada, team, "untag", five, key="stage")
    assert "4 runs untagged, 1 refused" in page
    assert f"{five[4].readable_id}: The run has no tag 'stage'." in page


@pytest.mark.parametrize("fields", [{"key": ""}, {"key": " ", "value": "x"}, {"key": "a\x00b"}, {"key": "k" * 251}])
def test_a_tag_that_cannot_be_changes_nothing(ada: Browser, team: Team, five, fields):
    before = RunTag.objects.count()
    assert events_since(lambda: do(ada, team, "tag", five[:2], **fields)) == []
    assert RunTag.objects.count() == before


def test_deleting_can_be_taken_back_once(ada: Browser, team: Team, five):
    page = do(ada, team, "delete", five[:2], table="sort=name")
    assert names(page) == ["r2", "r3", "r4"]
    action, fields = undo_form(page)
    back = ada.follow(action, **fields)
    assert names(back) == ["r0", "r1", "r2", "r3", "r4"]
    assert "2 runs restored." in back
    assert 'aria-label="Undo"' not in ada.get(address(team.project, "runs/"), sort="name").source


def test_all_that_match_are_taken_up_to_a_limit_which_is_said(ada: Browser, team: Team, five, monkeypatch):
    table = "q=metrics.loss+%3E%3D+1"
    assert "4 runs locked." in do(ada, team, "lock", all="1", table=table)
    assert state(five)[0] == (False, False)
    monkeypatch.setattr(selection, "MOST", 2)
    monkeypatch.setattr(bulk, "MOST", 2)
    assert "the first 2 that match; there are more" in do(ada, team, "unlock", all="1", table=table)
    assert sum(locked for locked, _ in state(five)) == 2


def test_a_wrong_query_takes_nothing(ada: Browser, team: Team, five):
    page = do(ada, team, "delete", all="1", table="q=metrics.loss+%3E+high")
    assert "Column" in page
    assert state(five) == [(False, False)] * 5


def test_nothing_chosen_is_said(ada: Browser, team: Team, five):
    assert "No run is chosen." in do(ada, team, "lock", [])


def test_runs_of_other_projects_are_none(ada: Browser, team: Team, five):
    other = a_team()
    foreign = a_run(other.scientist)
    assert "No run is chosen." in do(ada, team, "lock", [foreign])
    assert not Run.objects.get(pk=foreign.pk).is_locked
    assert "1 run locked." in do(ada, team, "lock", [foreign, five[0]])


def test_others_runs_are_refused_or_need_a_reason(team: Team, five):
    engineer, manager = Browser(team.engineer), Browser(team.manager)
    page = do(engineer, team, "delete", five[:1])
    assert "1 refused" in page
    assert "only where you created them" in page
    assert "Say why" in do(manager, team, "delete", five[:1])
    assert state(five)[0] == (False, False)
    page = do(manager, team, "delete", five[:1], reason="a duplicate")
    assert state(five)[0] == (False, True)
    action, fields = undo_form(page)
    assert "1 run restored." in manager.follow(action, **fields)


def test_who_may_only_read_is_offered_nothing_and_refused(team: Team, five):
    auditor = Browser(team.auditor)
    page = auditor.get(address(team.project, "runs/"))
    assert "Set tag" not in page
    assert "Compare" in page
    assert "5 refused" in do(auditor, team, "lock", five)
    assert state(five) == [(False, False)] * 5


def test_strangers_find_nothing_to_act_on(zoe: Browser, team: Team, five):
    zoe.post(address(team.project, "runs/do/lock/"), expecting=404, runs=five[0].readable_id)


def test_an_unknown_act_is_not_found(ada: Browser, team: Team, five):
    ada.post(address(team.project, "runs/do/explode/"), expecting=404, runs=five[0].readable_id)


def test_ticked_runs_are_compared_without_scripts(ada: Browser, team: Team, five):
    went = ada.client.post(
        address(team.project, "runs/do/compare/"), {"runs": ["", five[0].readable_id, five[1].readable_id]}
    )
    assert went.headers["Location"] == f"/compare/?runs={five[0].readable_id},{five[1].readable_id}"


def test_a_tag_kept_by_its_author_stays_theirs(team: Team, five):
    set_tags(team.scientist, five[0], tags={"mlflow.note.content": "mine"})
    page = do(Browser(team.engineer), team, "tag", five[:1], key="mlflow.note.content", value="yours")
    assert "1 refused" in page


def noted(actor: Actor, run: Run, reason: str) -> None:
    set_tags(actor, run, tags={"asked": reason})


@pytest.fixture
def review(monkeypatch) -> None:
    """What a room above adds to the bar below selected runs."""
    offer = BulkOffer(
        "Request review", "shield", noted, "sent to review", "experiments.log_run", lambda run: run.name == "r0", "Why?"
    )
    monkeypatch.setitem(bulk_acts, "request-review", offer)


def test_a_room_above_adds_an_act_to_the_bar(ada: Browser, otto: Browser, team: Team, five, review):
    table = ada.get(address(team.project, "runs/"))
    assert "/runs/do/request-review/" in table.source
    assert "Request review" not in otto.get(address(team.project, "runs/"))
    page = do(ada, team, "request-review", five[:3], reason="before Friday")
    assert "2 runs sent to review, 1 was so already." in page
    assert set(RunTag.objects.filter(key="asked").values_list("run__name", "value")) == {
        ("r1", "before Friday"),
        ("r2", "before Friday"),
    }


def test_an_act_of_a_room_above_is_refused_to_who_may_not(otto: Browser, team: Team, five, review):
    assert "refused" in do(otto, team, "request-review", five[:3], reason="x")
    assert not RunTag.objects.filter(key="asked").exists()
