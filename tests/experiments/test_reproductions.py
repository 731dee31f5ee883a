"""A run that does another one again: which is which, what came out, and who sees it."""

from __future__ import annotations

import math

import pytest
from django.test import Client

from audit.compliance.actions.profiles import change_copy
from experiments.actions.batches import log_batch
from experiments.compare.reproduction import Verdict, compared, verdict_of
from experiments.compare.tolerance import Kind, Tolerance, allowed
from experiments.models import MetricSeries
from experiments.queries.reproductions import REPRODUCES, TOLERANCE, again_of, first_of
from tests.factories import a_batch, a_person, a_run, a_team, again, user_of


def series(key: str, value: float, context: str = "") -> MetricSeries:
    nan = math.isnan(value)
    return MetricSeries(key=key, context=context, last_value=None if nan else value, last_is_nan=nan)


@pytest.mark.once
@pytest.mark.parametrize(
    ("then", "now", "verdict"),
    [
        (1.0, 1.0, Verdict.SAME),
        (math.nan, math.nan, Verdict.SAME),
        (math.inf, math.inf, Verdict.SAME),
        (1.0, 1.1, Verdict.WITHIN),
        (1.0, 1.2, Verdict.DIFFERENT),
        (1.0, math.nan, Verdict.DIFFERENT),
        (math.inf, -math.inf, Verdict.DIFFERENT),
    ],
)
def test_a_metric_is_the_same_within_tolerance_or_different(then, now, verdict):
    (row,) = compared([series("loss", then)], [series("loss", now)], tolerances={"loss": Tolerance(value=0.15)})
    assert row.verdict is verdict


@pytest.mark.once
def test_the_worst_stands_first_and_is_the_verdict_and_the_machine_is_no_result():
    then = [series("a", 1), series("b", 1), series("c", 1), series("c", 2, "model x"), series("system/cpu", 5)]
    now = [series("a", 1), series("b", 1.5), series("c", 1), series("new", 1)]
    rows = compared(then, now, tolerances={}, tolerance=Tolerance(value=1.0))
    assert [(row.key, row.context, row.verdict.value) for row in rows] == [
        ("c", "model x", "missing"), ("b", "", "within tolerance"), ("a", "", "same"), ("c", "", "same"),
    ]  # fmt: skip
    assert verdict_of(rows) is Verdict.DIFFERENT
    assert verdict_of(rows[1:]) is Verdict.WITHIN
    assert verdict_of([]) is None


@pytest.mark.once
@pytest.mark.parametrize(
    ("written", "then", "seeds", "near", "far", "words"),
    [
        ("0.002", 0.8, (), 0.8015, 0.8025, "± 0.002"),
        ("1 %", -200.0, (), -198.5, -197.9, "± 1 % (± 2)"),
        ("2 sd of seeds", 5.0, (1.0, 2.0, 3.0), 3.9, 4.1, "2 ± 2 (2 standard deviations over 3 seeds)"),
    ],
)
def test_a_tolerance_is_a_number_a_part_or_what_seeds_alone_move(written, then, seeds, near, far, words):
    said = Tolerance.written(written)
    assert Tolerance.said(said.as_json) == said == Tolerance.written(said.text)
    may_be = allowed(said, then, seeds)
    assert (may_be.holds(near), may_be.holds(far), may_be.holds(math.nan), may_be.words) == (True, False, False, words)


@pytest.mark.once
def test_two_seeds_are_too_few_to_allow_anything():
    may_be = allowed(Tolerance(Kind.SEEDS, 3), 1.0, [1.0, 2.0])
    assert not may_be.holds(1.0001)
    assert may_be.words == "none: by seeds, and there are only 2 of 3 runs that differ only in their seed"


@pytest.mark.once
@pytest.mark.parametrize(
    "given", ["", "-1", "nan", "inf", "1 sd", "% 1", True, None, {"seeds": -1}, {"often": 1}, {}, {"relative": 10**400}]
)
def test_what_is_no_tolerance_is_refused(given):
    with pytest.raises(ValueError):
        Tolerance.written(given) if isinstance(given, str) else Tolerance.said(given)


def page_of(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


@pytest.fixture
def pair(db):
    """A run, and one of somebody else that does it again, a little off."""
    team = a_team()
    first = a_run(team.scientist, name="svm")
    log_batch(team.scientist, first, batch=a_batch(loss=[0.9, 0.5], auc=[0.8]))
    second = a_run(team.engineer, name="svm again")
    log_batch(team.engineer, second, batch=a_batch(tags={REPRODUCES: first.uid.hex}, loss=[0.9, 0.52], auc=[0.8]))
    return team, first, second


def test_both_ends_of_the_link_tell_what_came_out(pair):
    team, first, second = pair
    (found,) = again_of(team.auditor, first)
    assert (found.other, found.verdict) == (second, Verdict.DIFFERENT)
    assert [(row.key, row.verdict) for row in found.rows] == [("loss", Verdict.DIFFERENT), ("auc", Verdict.SAME)]
    back = first_of(team.auditor, second)
    assert back is not None
    assert (back.other, back.rows) == (first, found.rows)
    assert first_of(team.auditor, first) is None
    assert again_of(team.auditor, second) == []


def test_tolerance_is_the_projects_by_metric_or_the_runs_own(pair):
    team, first, _second = pair
    log_batch(team.scientist, first, batch=a_batch(tags={TOLERANCE: "0.05"}))
    assert again_of(team.auditor, first)[0].verdict is Verdict.WITHIN
    change_copy(
        team.manager,
        team.project,
        version=0,
        required_params=[],
        required_tags=[],
        required_metrics=[],
        tolerances={"loss": 0.001},
    )
    assert again_of(team.auditor, first)[0].verdict is Verdict.DIFFERENT


@pytest.mark.parametrize("said", ["", "nobody", "0" * 32, "ü" * 32, "1" * 5000])
def test_a_tag_that_names_no_run_says_nothing(pair, said):
    team, _, second = pair
    log_batch(team.engineer, second, batch=a_batch(tags={REPRODUCES: said}))
    assert first_of(team.auditor, second) is None
    assert page_of(team.auditor).get(f"/r/{second.uid.hex}/").status_code == 200


def test_runs_of_other_projects_and_deleted_ones_are_not_told(pair):
    team, first, second = pair
    other = a_team()
    theirs = a_run(other.scientist)
    log_batch(other.scientist, theirs, batch=a_batch(tags={REPRODUCES: first.uid.hex}))
    assert [one.other for one in again_of(team.auditor, first)] == [second]
    assert first_of(other.scientist, theirs) is None
    assert again_of(again(a_person()), first) == []


def test_the_page_and_rest_show_it_to_who_sees_the_run(pair):
    team, first, second = pair
    text = page_of(team.auditor).get(f"/r/{second.uid.hex}/").content.decode()
    assert f'Does <a href="/r/{first.uid.hex}/">{first.readable_id}</a> again' in text
    assert "different" in text
    text = page_of(team.auditor).get(f"/r/{first.uid.hex}/").content.decode()
    assert second.readable_id in text
    text = page_of(team.auditor).get(f"/r/{second.uid.hex}/").content.decode()
    assert "code and command are not recorded" in text
    commit = {"mlflow.source.git.commit": "a" * 40, "mlflow.source.name": "python train.py"}
    whole = a_run(team.scientist, tags=commit)
    assert f"mled recreate {whole.readable_id}" in page_of(team.auditor).get(f"/r/{whole.uid.hex}/").content.decode()
    answer = page_of(team.scientist).get(f"/api/v1/runs/{first.readable_id}/reproductions/").json()
    assert answer["first"] is None
    assert (answer["again"][0]["run"], answer["again"][0]["verdict"]) == (second.uid.hex, "different")
    assert answer["again"][0]["metrics"][0] == {
        "key": "loss", "context": "", "then": 0.5, "now": 0.52, "verdict": "different", "allowed": "none",
    }  # fmt: skip
    assert page_of(a_person()).get(f"/api/v1/runs/{first.readable_id}/reproductions/").status_code == 404
