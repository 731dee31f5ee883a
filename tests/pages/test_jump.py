"""The box that jumps: to anything that one may see, by name or id."""

import re

from experiments.actions.batches import log_batch
from tests.factories import Team, a_batch, a_dataset, a_project, a_run, an_experiment
from tests.pages.conftest import Browser


def labels(browser: Browser, text: str) -> list[str]:
    page = browser.get("/jump/", q=text, part="1")
    assert "<html" not in page.source
    return re.findall(r'<span class="trunc">([^<]*)</span>', page.source)


def test_each_word_has_to_stand_in_the_name(ada: Browser, team: Team):
    for name in ("transformer-m-w48", "transformer-s-w24", "gru-w48"):
        a_run(team.scientist, name=name)
    an_experiment(team.scientist, name="Transformers, wide (w48)")
    a_dataset(team.scientist, name="w48-transforms")
    assert labels(ada, "TRANS w48") == ["transformer-m-w48", "Transformers, wide (w48)", "w48-transforms"]
    assert labels(ada, "no such thing") == []
    assert "Nothing that you may see" in ada.get("/jump/", q="no such thing", part="1")
    assert "transformer-m-w48" in ada.get("/jump/", q="trans w48")


def test_while_one_types_older_runs_are_left_to_the_page_of_all(ada: Browser, team: Team, monkeypatch):
    a_run(team.scientist, name="long ago")
    a_run(team.scientist, name="of late")
    monkeypatch.setattr("experiments.pages.home.NEWEST", 1)
    assert labels(ada, "late") == ["of late", "Look at older runs, too"]
    assert labels(ada, "ago") == ["Look at older runs, too"]
    (link,) = ada.get("/jump/", q="ago", part="1").links("/jump/")
    assert "long ago" in ada.get(link)


def test_ids_find_their_things(ada: Browser, team: Team):
    run = a_run(team.scientist, name="the one")
    place = an_experiment(team.scientist, name="by number")
    assert "the one" in labels(ada, run.uid.hex[:9])
    assert "the one" in labels(ada, run.uid.hex[:9].upper())
    assert "by number" in labels(ada, str(place.pk))
    assert team.project.name in labels(ada, team.project.key.lower())
    assert ada.get("/jump/", expecting=302, q=run.readable_id).response["Location"] == f"/r/{run.uid.hex}/"


def test_what_is_out_of_sight_is_not_found(zoe: Browser, team: Team):
    run = a_run(team.scientist, name="hidden one")
    log_batch(team.scientist, run, batch=a_batch(loss=[1.0]))
    for text in ("hidden", run.uid.hex[:9], str(run.experiment_id), team.project.slug, team.project.key):
        assert labels(zoe, text) == [], text


def test_a_name_is_no_pattern_and_no_markup(ada: Browser, team: Team):
    a_run(team.scientist, name="100% <b>")
    a_project()
    assert labels(ada, "100%") == ["100% &lt;b&gt;"]
    assert labels(ada, "1_0") == []
