"""A run that an import brought in says so where it is read first, and who did what there is a claim of its source."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.decorators import ACTIONS
from audit.compliance.acts import SAID as OF_LOG
from experiments import hooks
from experiments.actions.recorded import record_run
from experiments.models import Run
from experiments.recording.wanted import NewDataset, Wanted
from experiments.said import SAID
from tests.factories import a_team, user_of
from tests.transfer.moving import content, exported, imported
from tests.transfer.stores import a_store, bring, run_named

BY_HAND = Wanted(
    experiment="ward",
    name="svm",
    architecture="SVM",
    new_dataset=NewDataset("icu 2026", "0a1b2c", "s3://ward/icu"),
    started="2026-03-02T14:00Z",
    duration="1h",
    params=(("C", "10"),),
    results=(("auroc", "0.8"),),
)


def page_of(actor, run: Run, tab: str = "") -> str:
    client = Client()
    client.force_login(user_of(actor), backend="accounts.backends.EmailBackend")
    answer = client.get(f"/r/{run.uid.hex}/{tab}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


@pytest.mark.django_db
def test_a_run_of_an_archive_was_recorded_by_hand_there_and_imported_here():
    team, other = a_team(), a_team()
    made = record_run(team.scientist, team.project, wanted=BY_HAND, key="once")
    assert "recorded by hand by Ada" in page_of(team.scientist, made)
    archive = content(exported(team.scientist, team.project))
    done = imported(other.engineer, other.project, archive)
    assert (done.state, done.problems) == ("done", []), done.failure
    here = Run.objects.get(project=other.project)
    assert here.uid != made.uid  # the same machine holds both
    read = page_of(other.scientist, here)
    assert f"imported by {user_of(other.engineer)}" in read
    assert f"from {team.project.slug}; recorded by hand there by Ada as {made.readable_id}, as its source says" in read
    assert "recorded by hand by" not in read
    again = imported(other.engineer, other.project, content(exported(other.engineer, other.project)))
    assert again.counts["runs"]["new"] == 0
    back = imported(team.engineer, team.project, content(exported(team.scientist, team.project)))
    assert back.counts["runs"]["there"] == 1
    assert "imported by" not in page_of(team.scientist, made)  # it was found, not made


@pytest.mark.django_db
def test_a_run_of_mlflow_says_who_imported_it_and_its_history_is_told_in_words(tmp_path):
    team = a_team()
    store = a_store(tmp_path)
    done = bring(team.scientist, team.project, store)
    assert done.state == "done", done.failure
    sweep = Run.objects.get(uid=run_named(store, "sweep"))
    read = page_of(team.scientist, sweep)
    assert f"imported by {user_of(team.scientist)}" in read
    assert "from MLflow; run there by grace, as its source says" in read
    assert "client says" not in read
    told = page_of(team.scientist, sweep, "history/")
    assert "imported the run" in told
    assert "imported which models went in and came out" in told
    assert "bring in" not in told


@pytest.mark.django_db
def test_what_models_reopened_is_sealed_again_at_once(tmp_path, monkeypatch, django_capture_on_commit_callbacks):
    """Models come after the runs, which may be sealed by then; nobody waits for the next round of the clock."""
    team, ended = a_team(), []
    monkeypatch.setattr(hooks, "run_ended", [ended.append])
    store = a_store(tmp_path)
    with django_capture_on_commit_callbacks(execute=True):
        assert bring(team.scientist, team.project, store).state == "done"
    evaluation = Run.objects.get(uid=run_named(store, "evaluation"))  # it measured a model, and one went in
    assert ended.count(evaluation.uid) == 3


@pytest.mark.once
def test_every_act_of_imports_and_exports_has_words():
    verbs = {verb for verb in ACTIONS if verb.startswith("transfer.")}
    assert "transfer.bring_in_run" in verbs
    assert verbs - set(OF_LOG) == set()
    assert {verb for verb in verbs if "run" in verb.split("_")} <= set(SAID)
