"""Completion offers what the viewer's runs hold, written as the line wants it, and nothing of anybody else's."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.actions.settings import keep_setting
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_experiment_tag
from tests.factories import Team, a_batch, a_member, a_project, a_run, default_experiment, user_of
from tests.pages.conftest import Browser


@pytest.fixture
def runs(team: Team):
    for number in range(3):
        run = a_run(team.scientist, name=f"gru-{number}")
        tags = {"stage": "draft", "odd key": "it's"} if number else {"stage": "final"}
        params = {"lr": str(10**-number), "arch": "gru"}
        log_batch(team.scientist, run, batch=a_batch(params=params, tags=tags, **{"val/loss": [number, 0.5 + number]}))


def offered(who: Browser, team: Team | None, text: str, **more) -> list[str]:
    """What the line becomes by taking each offer, `|` being the place."""
    where = reverse("experiments:suggest", args=[team.project.slug]) if team else reverse("experiments:suggest_all")
    line = text.replace("|", "")
    answer = who.client.get(where, {"q": line, "at": text.index("|"), **more}).json()
    return [line[: answer["start"]] + item["text"] + line[answer["end"] :] for item in answer["items"]]


def values(who: Browser, team: Team, field: str, typed: str = "") -> list[str]:
    where = reverse("experiments:suggest", args=[team.project.slug])
    return [item["text"] for item in who.client.get(where, {"field": field, "q": typed}).json()["items"]]


FIRST = {
    "lo|": "metrics.`val/loss` ",
    "metrics.|": "metrics.`val/loss` ",
    "best(va|": "best(metrics.`val/loss`) ",
    "params.l| > 1": "params.lr  > 1",
    "odd|": "tags.`odd key` ",
    "stat|": "status ",
    "bes|": "best(",
    "status |": "status = ",
    "params.lr NOT |": "params.lr NOT IN (",
    "status = |": "status = 'queued' ",
    "status = 'fai|": "status = 'failed' ",
    "status IN ('fai|'": "status IN ('failed'",
    "params.lr = |": "params.lr = '0.01' ",
    "params.lr < |": "params.lr < 0.01 ",
    "params.`l|": "params.lr ",
    "tags.stage = |": "tags.stage = 'draft' ",
    "tag = 'stage=f|": "tag = 'stage=final' ",
    "tag = 'odd key=|": "tag = 'odd key=it''s' ",
    "metrics.`val/loss` < |": "metrics.`val/loss` < 2.5 ",
    "max(metrics.`val/loss`) < |": "max(metrics.`val/loss`) < 2.5 ",
    "created > |": "created > 1d ",
    "mine = |": "mine = true ",
    "params.lr IS |": "params.lr IS NULL ",
    "gru |": "gru AND ",
    "mine = true |": "mine = true AND ",
    "run_name = |": "run_name = 'gru-0' ",
}


def test_what_is_offered_first(ada: Browser, team: Team, runs):
    assert {text: next(iter(offered(ada, team, text)), "") for text in FIRST} == FIRST


def test_whoever_logged_is_offered_by_address(ada: Browser, team: Team, runs):
    assert offered(ada, team, "user = |") == [f"user = '{user_of(team.scientist).email}' "]


def test_an_empty_line_begins_with_what_the_runs_hold(ada: Browser, team: Team, runs):
    assert offered(ada, team, "|")[:3] == ["metrics.`val/loss` ", "params.arch ", "params.lr "]
    assert offered(ada, team, "x = = |") == []
    assert len(offered(ada, team, "t|")) <= 12


def test_forms_are_offered_plain_texts(ada: Browser, team: Team, runs):
    set_experiment_tag(team.scientist, default_experiment(team.project), key="ward", value="icu")
    assert values(ada, team, "metrics", "loss") == ["val/loss"]
    assert values(ada, team, "params") == ["arch", "lr"]
    assert values(ada, team, "tag", "sta") == ["stage", "stage=draft", "stage=final"]
    assert set(values(ada, team, "project_tag")) == {"ward", "ward=icu"}
    assert values(ada, team, "model") == values(ada, team, "no such") == values(ada, team, "data") == []


def test_keys_of_a_foreign_project_never_appear(team: Team, runs, ada: Browser):
    project = a_project()
    stranger = a_member(project)
    log_batch(stranger, a_run(stranger, project=project), batch=a_batch(params={"secret": "hidden"}, tags={"shh": "x"}))
    for text in ("secret|", "params.s|", "params.secret = |", "tags.|", "tag = |", "user = |", "run_name = |", "|"):
        for where in (team, None):
            assert not any("secret" in one or "hidden" in one or "shh" in one for one in offered(ada, where, text))
    assert ada.client.get(reverse("experiments:suggest", args=[project.slug]), {"q": "s"}).status_code == 404
    assert "params.lr " in offered(ada, None, "params.|")


def test_strangers_are_sent_to_sign_in(team: Team):
    for where in (reverse("experiments:suggest", args=[team.project.slug]), reverse("experiments:suggest_all")):
        assert Client().get(where, {"q": "x"}).status_code == 302


def test_one_sees_ones_own_history(ada: Browser, team: Team):
    where = reverse("experiments:suggest", args=[team.project.slug])
    assert ada.client.get(where, {"history": "1"}).json() == {"history": []}
    many = [f"x{number}" for number in range(40)]
    keep_setting(team.scientist, name="query_history", value=["a", " a ", "", *many], project=team.project)
    assert ada.client.get(where, {"history": "1"}).json() == {"history": ["a", *many[:29]]}
    assert ada.client.get(reverse("experiments:suggest_all"), {"history": "1"}).json() == {"history": []}


def test_an_answer_reads_little(ada: Browser, team: Team, runs, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        offered(ada, team, "metrics.v|")
