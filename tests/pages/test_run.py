"""A run on its pages, and what may be done to it there."""

import pytest

from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import create_run, delete_run, lock_run
from experiments.models import Run
from experiments.queries import record
from tests.factories import Team, a_batch, a_run, default_experiment, events
from tests.pages.conftest import Browser

TABS = ["", "curves/", "system/", "params/", "artifacts/", "code/", "data/", "history/"]


def test_the_overview_shows_what_tells_most(ada: Browser, trained: Run):
    page = ada.get(f"/r/{trained.readable_id}/")
    assert "gru-d-w48" in page
    assert trained.readable_id in page
    assert "Finished" in page
    assert "took" in page
    assert "val/loss" in page
    assert "0.2500" in page
    assert "min 0.2500, max 0.9000" in page
    assert "lr 0.01" in page
    assert "updated the run" in page


def test_a_direction_names_the_best_value(ada: Browser, team: Team, trained: Run):
    set_metric_direction(team.scientist, team.project, key="val/loss", higher_is_better=False)
    assert "best 0.2500 at step 2" in ada.get(f"/r/{trained.uid.hex}/")


def test_a_tile_of_a_very_long_metric_leaves_its_small_curve_out(ada: Browser, trained: Run, monkeypatch):
    assert 'class="m-spark"' in ada.get(f"/r/{trained.uid.hex}/").source
    monkeypatch.setattr(record, "SPARK_POINTS", 2)
    page = ada.get(f"/r/{trained.uid.hex}/")
    assert 'class="m-spark"' not in page.source
    assert "0.2500" in page


def test_conditions_are_captured_only_where_the_record_holds_them(ada: Browser, team: Team, trained: Run):
    full = ada.get(f"/r/{trained.uid.hex}/")
    assert "4 of 9" in full
    assert "Code 9f3c1ab" in full
    assert "Packages model/requirements.txt" in full
    assert "Seed seed = 17" in full
    assert "Container not recorded" in full
    bare = ada.get(f"/r/{a_run(team.scientist).uid.hex}/")
    assert "0 of 9" in bare


def test_an_empty_value_is_said_to_be_empty(ada: Browser, team: Team):
    run = a_run(team.scientist, name="bare")
    log_batch(team.scientist, run, batch=a_batch(params={"ignore": ""}, tags={"why": ""}))
    for tab in ("", "params/"):
        page = ada.get(f"/r/{run.uid.hex}/{tab}")
        assert "ignore empty" in page
        assert "why empty" in page


def test_changes_of_one_act_are_told_apart(ada: Browser, team: Team):
    run = a_run(team.scientist, name="bare")
    log_batch(team.scientist, run, batch=a_batch(params={"lr": "0.1", "seed": "17"}))
    assert "param lr 0.1 , param seed 17" in ada.get(f"/r/{run.uid.hex}/history/")


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_opens_for_a_full_and_for_an_empty_run(ada: Browser, team: Team, trained: Run, tab):
    assert trained.name in ada.get(f"/r/{trained.uid.hex}/{tab}")
    empty = a_run(team.scientist, name="bare", started_ms=None)
    assert "bare" in ada.get(f"/r/{empty.uid.hex}/{tab}")


@pytest.mark.parametrize("tab", TABS)
def test_an_auditor_reads_every_tab(team: Team, trained: Run, tab):
    page = Browser(team.auditor).get(f"/r/{trained.uid.hex}/{tab}")
    assert "Actions" not in page


def test_an_administrator_does_not_read_runs(team: Team, trained: Run):
    Browser(team.administrator).get(f"/r/{trained.uid.hex}/", expecting=404)


def test_an_unknown_tab_is_not_found(ada: Browser, trained: Run):
    ada.get(f"/r/{trained.uid.hex}/nonsense/", expecting=404)


def test_markup_in_what_scripts_log_stays_text(ada: Browser, team: Team):
    run = a_run(team.scientist, name="<script>alert(1)</script>", tags={"mlflow.note.content": "<img src=x onerror=y>"})
    log_batch(
        team.scientist, run, batch=a_batch(params={"p": '"><b>bold</b>'}, tags={"t": "<i>x</i>"}, **{"a b/c": [1]})
    )
    for tab in TABS:
        source = ada.get(f"/r/{run.uid.hex}/{tab}").source
        for markup in ("<script>alert", "<img src=x", "<b>bold", "<i>x"):
            assert markup not in source


def test_nested_runs_lead_to_each_other(ada: Browser, team: Team, trained: Run):
    child = create_run(
        team.scientist, default_experiment(team.project), name="child", tags={"mlflow.parentRunId": trained.uid.hex}
    )
    assert "1 nested run" in ada.get(f"/r/{trained.uid.hex}/")
    assert ada.get(f"/r/{child.uid.hex}/").links(trained.uid.hex)


def test_who_the_client_says_stands_beside_the_author(ada: Browser, team: Team):
    run = a_run(team.scientist, tags={"mlflow.user": "root"})
    assert "client says root" in ada.get(f"/r/{run.uid.hex}/")
    nameless = a_run(team.scientist, tags={"mlflow.user": "unknown"})  # as MLflow's client says where it finds no name
    assert "client says" not in ada.get(f"/r/{nameless.uid.hex}/")


# Locking and deleting.


def test_the_author_locks_and_unlocks(ada: Browser, trained: Run):
    page = ada.follow(f"/r/{trained.uid.hex}/do/lock/")
    assert "Locked" in page
    assert "Delete run" not in page
    assert "Unlock run" in page
    assert "Unlocked" in ada.follow(f"/r/{trained.uid.hex}/do/unlock/")
    assert [kept.verb for kept in events(subject_id=trained.ledger_id)][-2:] == [
        "experiments.lock_run",
        "experiments.unlock_run",
    ]


def test_the_author_deletes_and_restores(ada: Browser, trained: Run):
    page = ada.follow(f"/r/{trained.uid.hex}/do/delete/")
    assert "This run is deleted" in page
    assert "Lock run" not in page
    assert "Restored" in ada.follow(f"/r/{trained.uid.hex}/do/restore/")


def test_a_locked_run_is_not_deleted(ada: Browser, team: Team, trained: Run):
    lock_run(team.scientist, trained)
    page = ada.follow(f"/r/{trained.uid.hex}/do/delete/")
    assert "is locked" in page
    trained.refresh_from_db()
    assert not trained.is_deleted


def test_a_manager_says_why(team: Team, trained: Run):
    mona = Browser(team.manager)
    assert "Why delete run?" in mona.get(f"/r/{trained.uid.hex}/")
    assert "Say why" in mona.follow(f"/r/{trained.uid.hex}/do/delete/")
    trained.refresh_from_db()
    assert not trained.is_deleted
    mona.follow(f"/r/{trained.uid.hex}/do/delete/", reason="made by mistake")
    assert "Reason: made by mistake" in mona.get(f"/r/{trained.uid.hex}/history/")


def test_an_auditor_changes_nothing(team: Team, trained: Run):
    otto = Browser(team.auditor)
    for verb in ("lock", "delete"):
        assert "You may not" in otto.follow(f"/r/{trained.uid.hex}/do/{verb}/")
    trained.refresh_from_db()
    assert not trained.is_deleted
    assert not trained.is_locked


def test_an_engineer_deletes_only_her_own(team: Team, trained: Run):
    page = Browser(team.engineer).follow(f"/r/{trained.uid.hex}/do/delete/")
    assert "only where you created them" in page


def test_an_unknown_act_is_not_found_and_reading_changes_nothing(ada: Browser, trained: Run):
    ada.post(f"/r/{trained.uid.hex}/do/explode/", expecting=404)
    ada.get(f"/r/{trained.uid.hex}/do/delete/", expecting=405)


def test_a_deleted_run_can_still_be_read(ada: Browser, team: Team, trained: Run):
    delete_run(team.scientist, trained)
    assert "0.2500" in ada.get(f"/r/{trained.uid.hex}/")


# History.


def test_the_history_tells_who_in_which_role_what_and_how(ada: Browser, team: Team, trained: Run):
    page = ada.get(f"/r/{trained.uid.hex}/history/")
    assert "Ada began the run" in page
    assert "Data scientist, web" in page
    assert "param lr 0.01" in page
    assert "status RUNNING → FINISHED" in page
    assert "stored file eval/by_ward.csv sha256:" in page


def test_the_role_in_the_history_is_that_of_then(ada: Browser, team: Team, trained: Run):
    from accounts.actions.members import change_role
    from accounts.models import Membership
    from accounts.roles import Role

    membership = Membership.objects.get(user_id=team.scientist.user_id)
    change_role(team.manager, membership, role=Role.ML_ENGINEER)
    page = ada.get(f"/r/{trained.uid.hex}/history/")
    assert "Data scientist, web" in page
    assert "ML engineer, web" not in page


def test_a_long_history_comes_in_pages(ada: Browser, team: Team, trained: Run, monkeypatch):
    from experiments.pages import history

    monkeypatch.setattr(history, "A_PAGE", 3)
    first = ada.get(f"/r/{trained.uid.hex}/history/")
    second = ada.get(first.links("before=")[0])
    assert "began the run" not in first
    assert "began the run" in second


# Name and description.


def test_the_author_edits_name_and_description(ada: Browser, trained: Run):
    here = f"/r/{trained.uid.hex}/edit/"
    before = ada.get(here).field("id_before")
    assert ada.get(f"/r/{trained.uid.hex}/").links(f"/r/{trained.uid.hex}/?edit=note")
    page = ada.follow(here, name="gru, best so far", description="48 h window.\r\nDrifts above 0.7.", before=before)
    assert "gru, best so far" in page
    assert "48 h window. Drifts above 0.7." in page
    history = ada.get(f"/r/{trained.uid.hex}/history/")
    assert "tag mlflow.runName gru-d-w48 → gru, best so far" in history


def test_two_who_edit_at_once_are_told(ada: Browser, team: Team, trained: Run):
    here = f"/r/{trained.uid.hex}/edit/"
    before = ada.get(here).field("id_before")
    ada.follow(here, name="first", description="kept", before=before)
    late = ada.post(here, expecting=200, name="second", description="mine", before=before)
    assert "Somebody changed name or note meanwhile; nothing was saved." in late
    assert "yours: + mine" in late
    assert late.field("note-name") == "second"
    assert "mine" in late
    assert "kept" in late
    ada.follow(here, name="second", description="kept and mine", before=late.field("id_before"))
    assert "kept and mine" in ada.get(f"/r/{trained.uid.hex}/")


def test_others_edit_no_notes(team: Team, trained: Run):
    for reader in (team.engineer, team.manager, team.auditor):
        browser = Browser(reader)
        assert not browser.get(f"/r/{trained.uid.hex}/").links("edit=note")
        browser.get(f"/r/{trained.uid.hex}/edit/", expecting=403)


def test_a_blank_name_is_explained(ada: Browser, trained: Run):
    here = f"/r/{trained.uid.hex}/edit/"
    page = ada.post(here, expecting=200, name="", description="kept text", before=ada.get(here).field("id_before"))
    assert "required" in page
    assert "kept text" in page


# Directions.


def test_a_scientist_says_which_way_a_metric_is_better(ada: Browser, team: Team, trained: Run):
    here = f"/p/{team.project.slug}/direction/"
    page = ada.follow(here, key="val/loss", better="lower", run=trained.uid.hex)
    assert "val/loss: lower is better" in page
    assert "val/loss ↓" in ada.get(f"/r/{trained.uid.hex}/")
    ada.post(here, expecting=400, key="val/loss", better="sideways")


def test_an_auditor_says_no_direction(team: Team, trained: Run):
    otto = Browser(team.auditor)
    assert "Higher is better" not in otto.get(f"/r/{trained.uid.hex}/params/").source
    otto.post(f"/p/{team.project.slug}/direction/", expecting=403, key="val/loss", better="lower")


def test_a_dataset_described_by_endless_nesting_stays_text(ada: Browser, team: Team, trained: Run):
    nested = "[" * 100_000 + "]" * 100_000
    described = DatasetInput("deep", "d1", "local", source=nested[:60_000], schema=nested, profile=nested)
    log_inputs(team.scientist, trained, inputs=[described])
    assert "deep v1" in ada.get(f"/r/{trained.uid.hex}/")
    assert "[[[[" in ada.get(f"/r/{trained.uid.hex}/data/")
