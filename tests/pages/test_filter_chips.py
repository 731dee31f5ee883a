"""Chips, their forms and the query line say the same, and each leaves alone what the others say."""

import html
import re

import pytest
from django.http import QueryDict
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.actions.batches import log_batch
from experiments.pages.query_form import PREFIX, conditions, line_of, rewritten, section_of, sections_of
from tests.factories import STARTED_MS, Team, a_batch, a_run
from tests.pages.conftest import Browser, Page, address
from tests.pages.test_run_table import names
from tests.search.test_facets import FACETS, same_field, written


@pytest.fixture
def three(team: Team):
    for number in range(3):
        run = a_run(team.scientist, name=f"r{number}", started_ms=STARTED_MS + number)
        tags = {"stage": "draft"} if number else {}
        log_batch(team.scientist, run, batch=a_batch(tags=tags, **{"val/acc": [number / 10, 0.5]}))


def chips(page: Page) -> list[tuple[str, str]]:
    """(its condition, where its removal leads) of each."""
    found = re.findall(r'<div class="m-chip" title="([^"]*)">.*?</details><a href="([^"]*)"', page.source, re.S)
    return [(html.unescape(words), html.unescape(url)) for words, url in found]


def fields_of(section) -> dict[str, list[str]]:
    """What a browser sends for the fields of a section as they stand."""
    said = {"kind": section.kind, "field": section.on, **section.values}
    found = {f"{section.prefix}{name}": [value] for name, value in said.items()}
    for one in section.options:
        if one.is_on:
            name = {"choice": "value", "when": "since", "range": "figure", "flag": "on"}[section.kind]
            found.setdefault(f"{section.prefix}{name}", []).append(one.value)
    for one in section.modes:
        if one.is_on:
            found[f"{section.prefix}mode"] = [one.value]
    return found


def sent(fields: dict[str, list[str]]) -> QueryDict:
    said = QueryDict(mutable=True)
    for name, texts in fields.items():
        said.setlist(name, texts)
    return said


@settings(max_examples=500, deadline=None)
@given(st.lists(FACETS, min_size=1, max_size=5, unique_by=same_field))
def test_a_form_that_is_sent_as_it_stands_changes_nothing(form):
    text = " AND ".join(one for facet in form for one in written(facet))
    line = line_of(text)
    assert line is not None
    whole: dict[str, list[str]] = {}
    for section in sections_of(line):
        whole |= fields_of(section)
    assert line_of(rewritten(text, sent(whole))).facets == line.facets
    for at, piece in enumerate(line.pieces):
        fields = fields_of(section_of(piece.facet, line.text_of(piece), "one"))
        assert line_of(rewritten(text, sent({**fields, "piece": [str(at)]}))).facets == line.facets


def say(text: str = "", **fields: str | list[str]) -> str:
    """The line after the form was sent with these fields."""
    named = {f"{PREFIX}{name.replace('__', '-')}": value for name, value in fields.items()}
    return rewritten(text, sent({name: [one] if isinstance(one, str) else one for name, one in named.items()}))


def choice(slot: str, mode: str, *values: str, more: str = "") -> dict[str, str | list[str]]:
    said = {"kind": "choice", "field": slot, "mode": mode, "value": list(values), "more": more}
    return {f"{slot}__{name}": value for name, value in said.items()}


def param(key: str, word: str, value: str) -> dict[str, str | list[str]]:
    said = {"kind": "param", "key": key, "mode": word, "value": value}
    return {f"param__{name}": text for name, text in said.items()}


@pytest.mark.parametrize(
    ("before", "fields", "after"),
    [
        ("", {"name__kind": "words", "name__words": 'gru "big one"'}, "'gru' 'big one'"),
        ("", choice("status", "none", "failed", "stopped"), "status NOT IN ('failed', 'stopped')"),
        ("", choice("tag", "all", "a", more="stage=draft"), "tag = 'a' AND tag = 'stage=draft'"),
        ("", choice("tag", "any", "it's"), "tag = 'it''s'"),
        ("tag = 'a' AND (x OR y)", choice("tag", "none", "a", "b"), "tag NOT IN ('a', 'b') AND (x OR y)"),
        ("tag = 'a' AND (x OR y)", choice("tag", "any"), "(x OR y)"),
        ("status='failed'", choice("status", "any", "failed"), "status='failed'"),
        ("", choice("data", "any", "icu v7") | choice("model", "none", "m"), "data = 'icu v7' AND model != 'm'"),
        (
            "r1 OR r2",
            {
                "metric__kind": "range",
                "metric__key": "val/acc",
                "metric__figure": "best",
                "metric__low_op": "≥",
                "metric__low": "0.1",
                "metric__high_op": "<",
                "metric__high": "0.15",
            },
            "(r1 OR r2) AND best(metrics.`val/acc`) >= 0.1 AND best(metrics.`val/acc`) < 0.15",
        ),
        (
            "created > 7d AND r1",
            {"start_time__kind": "when", "start_time__field": "start_time", "start_time__from": "2026-01-01"},
            "created >= '2026-01-01' AND r1",
        ),
        (
            "r1",
            {"start_time__kind": "when", "start_time__field": "start_time", "start_time__since": "30d"},
            "r1 AND created > 30d",
        ),
        ("", {"mine__kind": "flag", "mine__field": "mine", "mine__on": "1"}, "mine = true"),
        ("AND AND", choice("status", "any", "failed"), "AND AND AND status = 'failed'"),
        ("r1", param("lr", "=", "0.1"), "r1 AND params.lr = '0.1'"),
        ("", param("opt name", "≠", "it's"), "params.`opt name` != 'it''s'"),
        ("params.lr < 1", param("lr", ">", "1e-3"), "params.lr < 1 AND params.lr > 1e-3"),
        ("", param("arch", "contains", "gru"), "params.arch ILIKE '%gru%'"),
        ("r1", param("arch", "=", ""), "r1"),
        ("r1", param("", "<", "3"), "r1"),
        ("", param("arch", "odd", "x"), "params.arch = 'x'"),
        ("r1", {"status__kind": "odd", "metric__kind": "range", "metric__low": "3"}, "r1"),
        ("r1", choice("no such", "any", "x"), "r1"),
    ],
)  # fmt: skip
def test_the_form_writes_into_the_line_and_leaves_the_rest(before: str, fields: dict, after: str):
    assert say(before, **fields) == after


def test_a_chip_is_changed_in_its_place():
    text = "r1 AND min(metrics.loss) <= 0.3 AND (a OR b) AND params.lr LIKE '1%'"
    line = line_of(text)
    assert line is not None
    change = {
        "kind": "range",
        "key": "loss",
        "figure": "min",
        "low_op": ">",
        "low": "0.1",
        "high_op": "≤",
        "high": "0.3",
    }
    said = sent({"piece": ["1"], **{f"{PREFIX}one-{name}": [value] for name, value in change.items()}})
    assert rewritten(text, said) == text.replace(
        "min(metrics.loss) <", "min(metrics.loss) > 0.1 AND min(metrics.loss) <"
    )
    rest = [at for at, piece in enumerate(line.pieces) if piece.facet is None]
    said = sent({"piece": [str(rest[0])], f"{PREFIX}one-kind": ["text"], f"{PREFIX}one-text": ["(a OR c)"]})
    assert rewritten(text, said) == text.replace("(a OR b)", "(a OR c)")
    for odd in ("9", "-1", "x", "", "١"):
        assert rewritten(text, sent({"piece": [odd]})) == text
    assert conditions("one", sent({f"{PREFIX}one-kind": ["text"]})) == []


def test_each_condition_is_a_chip_and_can_be_taken_out(ada: Browser, team: Team, three):
    query = "status = 'running' AND (name = 'r1' OR name = 'r2') AND tags.stage IS NOT NULL AND NOT name = 'r2'"
    page = ada.get(address(team.project, "runs/"), q=query, sort="name")
    assert names(page) == ["r1"]
    assert [text for text, _ in chips(page)] == [
        "status = 'running'",
        "tags.stage IS NOT NULL",
        "(name = 'r1' OR name = 'r2') AND NOT name = 'r2'",
    ]
    assert "Advanced" in page.text
    without = ada.get(chips(page)[2][1])
    assert names(without) == ["r1", "r2"]
    assert without.field("query") == "status = 'running' AND tags.stage IS NOT NULL"
    assert "sort=name" in chips(page)[0][1]
    (only,) = chips(ada.get(address(team.project, "runs/"), q="r1"))
    assert len(names(ada.get(only[1]))) == 3
    assert (
        chips(ada.get(address(team.project, "runs/"), q="AND AND"))
        == chips(ada.get(address(team.project, "runs/")))
        == []
    )


def test_the_form_leads_back_to_the_page_that_it_stands_on(ada: Browser, team: Team, three):
    back = address(team.project, "runs/")
    fields = {"f-tag-kind": "choice", "f-tag-field": "tag", "f-tag-mode": "any", "f-tag-more": "stage=draft"}
    asked = {"back": back, "q": "r1 OR r2 OR r0", "sort": "name", "columns": ["params.lr", "user"], **fields}
    went = ada.client.get(reverse("experiments:query_write"), asked, follow=True)
    page = ada._page(went, 200)
    assert page.field("query") == "(r1 OR r2 OR r0) AND tag = 'stage=draft'"
    assert names(page) == ["r1", "r2"]
    assert "f-tag" not in went.request["QUERY_STRING"]
    assert went.request["QUERY_STRING"].count("columns=") == 2
    bad = {"back": back, "q": "r1", "f-metric-kind": "range", "f-metric-key": "val/acc", "f-metric-low": "high"}
    went = ada.client.get(reverse("experiments:query_write"), bad, follow=True)
    page = ada._page(went, 200)
    assert 'aria-invalid="true"' in page.source
    assert names(page) == ["r1"]
    for elsewhere in ("https://example.org/", "//example.org", "", "javascript:x", "/\\example.org"):
        assert ada.client.get(reverse("experiments:query_write"), {"back": elsewhere}).status_code == 400


def test_a_slip_is_set_right_with_one_click(ada: Browser, team: Team, three):
    run = a_run(team.scientist, name="slow")
    log_batch(team.scientist, run, batch=a_batch(params={"learning_rate": "0.1"}))

    def meant(query: str) -> tuple[Page, str]:
        page = ada.get(address(team.project, "runs/"), q=query)
        (url,) = re.findall(r'href="([^"]*)" data-fix', page.source)
        return page, html.unescape(url)

    page, url = meant("learning_rate > 0 AND slow")
    assert "Use params.learning_rate" in page
    assert ada.get(url).field("query") == "params.learning_rate > 0 AND slow"
    page, url = meant("params.learning_rte > 0")
    assert "None of the newest runs has params.learning_rte" in page
    assert names(ada.get(url)) == ["slow"]
    assert ada.get(meant("metrics.val/ac > 0")[1]).field("query") == "metrics.`val/acc` > 0"
    assert ada.get(meant("statsu = 'failed'")[1]).field("query") == "status = 'failed'"
    page, url = meant("metrics.'val/ac' > 0 OR r1".replace("'", '"'))
    assert "None of the newest runs has metrics.val/ac" in page
    assert names(page) == ["r1"], "also where something was found"
    assert ada.get(url).field("query") == "metrics.`val/acc` > 0 OR r1"
    assert ada.get(meant("max(Metric.`val/ac`) > 0 AND metrics.`val/ac`<1")[1]).field("query") == (
        "max(metrics.`val/acc`) > 0 AND metrics.`val/acc`<1"
    )
    page = ada.get(address(team.project, "runs/"), q="params.other = 'x'")
    assert "data-fix" not in page.source
    assert "None of the newest runs has params.other" in page


def test_an_or_that_is_written_into_a_form_stays_together():
    text = "status = 'failed' AND (params.a = '1' OR params.b = '2')"
    said = sent({"piece": ["1"], f"{PREFIX}one-kind": ["text"], f"{PREFIX}one-text": ["params.a = '3' OR NOT b"]})
    assert rewritten(text, said) == "status = 'failed' AND (params.a = '3' OR NOT b)"
    alone = sent({"piece": ["0"], f"{PREFIX}one-kind": ["text"], f"{PREFIX}one-text": ["a OR c"]})
    assert rewritten("a OR b", alone) == "a OR c"
