"""What matters follows the filter: the same runs, and the figures that numpy gives for them."""

import csv
import io
import json

import numpy as np
import pytest

from experiments.actions.batches import log_batch
from tests.factories import a_batch, a_run
from tests.pages.conftest import Browser


@pytest.fixture
def turned(team):
    """Sixty runs: with the first kind more of x makes the result better, with the other worse; noise does nothing."""
    kinds = ("up", "down")
    rng = np.random.default_rng(11)
    x, noise = rng.uniform(0.1, 1, 60).round(8), rng.normal(size=60).round(8)
    said = []
    for place in range(60):
        kind = kinds[place % 2]
        result = round(float((1 if kind == "up" else -1) * x[place] ** 2 + 0.01 * noise[place]), 9)
        params = {"x": str(x[place]), "noise": str(noise[place]), "kind": kind}
        log_batch(team.scientist, a_run(team.scientist), batch=a_batch(params=params, score=[result]))
        said.append((kind, float(x[place]), float(noise[place]), result))
    return team, said


def ranked(values):
    return np.argsort(np.argsort(values)).astype(float)


def known(said, column):
    """Pearson's and Spearman's correlation with the result, by numpy."""
    values, results = np.array([row[column] for row in said]), np.array([row[3] for row in said])
    return np.corrcoef(values, results)[0, 1], np.corrcoef(ranked(values), ranked(results))[0, 1]


@pytest.mark.parametrize("kind", ["", "up", "down"])
def test_its_figures_are_numpys_for_the_runs_that_the_filter_leaves(turned, kind):
    team, said = turned
    left = [row for row in said if not kind or row[0] == kind]
    query = f"params.kind = '{kind}'" if kind else ""
    client, place = Browser(team.scientist), f"/p/{team.project.slug}/what-matters/"
    page = client.get(place, q=query, result="score", figure="last")
    assert page.response.context["n"] == len(left)
    rows = {row["param"]: row for row in csv.DictReader(io.StringIO(client.get(page.links("table.csv")[0]).source))}
    for column, name in ((1, "x"), (2, "noise")):
        pearson, spearman = known(left, column)
        assert float(rows[name]["pearson"]) == pytest.approx(pearson)
        assert float(rows[name]["spearman"]) == pytest.approx(spearman)
        assert int(rows[name]["n"]) == len(left)
    assert ("kind" in rows) is (kind == "")
    points = json.loads(
        client.get(page.response.context["points_url"] + "&field=params.x&field=metrics.score.last").source
    )
    drawn = dict(zip(("x", "score"), (field["values"] for field in points["fields"]), strict=True))
    assert sorted(zip(drawn["x"], drawn["score"], strict=True)) == sorted((row[1], row[3]) for row in left)


def test_the_filter_turns_the_sign_and_what_makes_the_result_leads(turned):
    team, _ = turned
    client, place = Browser(team.scientist), f"/p/{team.project.slug}/what-matters/"
    signs = {}
    for kind in ("up", "down"):
        relations = client.get(place, q=f"params.kind = '{kind}'", result="score").response.context["relations"]
        assert relations[0].name == "x"
        assert relations[0].importance.share > 10 * max(0.001, relations[1].importance.share)
        signs[kind] = relations[0].correlation.spearman
    assert signs["up"] > 0.98
    assert signs["down"] < -0.98
    both = {one.name: one for one in client.get(place, result="score").response.context["relations"]}
    assert abs(both["x"].correlation.pearson) < 0.3
    assert both["kind"].grouping.eta_squared > 0.5
    assert both["x"].importance.share > both["noise"].importance.share
