"""The checklist of a promotion: each gate passes, warns or fails, says why, and upper rooms add their own."""

from __future__ import annotations

import io
from typing import Any

import pytest

from artifacts.actions.recall import reinstate_version, withdraw_version
from artifacts.blobs import receive
from artifacts.models import BlobCheck
from experiments.actions.batches import log_batch
from experiments.actions.files import put_file
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.actions.runs import delete_run, update_run
from experiments.values import RunStatus
from kernel.errors import NotFound
from registry import gates
from registry.actions.cards import write_card
from registry.actions.promotions import decide_promotion
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.cards import WRITTEN
from registry.gates import Gate, GateResult, Outcome, Verdict, blocking, checklist, from_json, register_gate
from registry.models import ModelVersion
from registry.sources import PROMPT_TAG
from tests.factories import STARTED_MS, Team, a_batch, a_dataset, a_person, a_run, a_version, unique
from tests.registry.promoting import a_candidate, a_governed_team, approved_by, asked_for, proof_of


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Any, db: None) -> None:
    settings.MLED_DATA = tmp_path


@pytest.fixture
def team() -> Team:
    return a_governed_team()


@pytest.fixture
def version(team: Team) -> ModelVersion:
    return a_candidate(team.scientist, team.project)


def gate(team: Team, version: ModelVersion, key: str) -> GateResult:
    fresh = ModelVersion.objects.get(pk=version.pk)
    (found,) = [result for result in checklist(team.scientist, fresh, "champion") if result.key == key]
    return found


def of_run(team: Team, *, finished: bool = True, file: bool = True, **more: Any) -> ModelVersion:
    """A version of a run's own files, with no data and no metrics unless the test logs some."""
    run = a_run(team.scientist)
    if file:
        put_file(team.scientist, run, path="model/MLmodel", stored=receive(io.BytesIO(b"flavors: {}")))
    if finished:
        update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=STARTED_MS)
    model = create_registered_model(team.scientist, team.project, name=unique("net"))
    return create_version(team.scientist, model, source=f"runs:/{run.uid.hex}/model", run=run, **more)


# --- One by one


def test_a_good_version_passes_all_but_the_unwritten_card(team, version):
    results = checklist(team.scientist, version, "champion")
    outcomes = {result.key: result.outcome for result in results}
    assert outcomes == {
        "inside": "pass", "files": "pass", "data_bound": "warn", "data_good": "pass", "run_finished": "pass",
        "metrics": "pass", "card": "warn", "four_eyes": "pass", "evidence": "pass",
    }  # fmt: skip
    assert blocking(results) == []
    assert all(result.words.endswith(".") for result in results)


def test_what_lies_outside_is_not_kept_by_mled(team):
    model = create_registered_model(team.scientist, team.project, name="far")
    version = create_version(team.scientist, model, source="s3://bucket/model", run=a_run(team.scientist))
    inside = gate(team, version, "inside")
    assert (inside.outcome, inside.blocks) == ("fail", True)
    assert "s3://bucket/model" in inside.words
    assert gate(team, version, "files").words == "The version has no files in MLED."


def test_files_count_with_their_digests_and_last_reading(team, version):
    assert gate(team, version, "files").words == "1 file with SHA-256; 0 of them read again and found sound."
    (file,) = version.root.files.all()
    check = BlobCheck.objects.create(blob=file.blob, outcome=BlobCheck.Outcome.SOUND)
    assert "1 of them read again" in gate(team, version, "files").words
    for outcome in (BlobCheck.Outcome.MISSING, BlobCheck.Outcome.CHANGED):
        BlobCheck.objects.filter(pk=check.pk).update(outcome=outcome)
        found = gate(team, version, "files")
        assert (found.outcome, found.blocks) == ("fail", True)
        assert found.words == "Missing or damaged in storage: model.bin."


def test_a_folder_without_files_fails(team):
    assert gate(team, of_run(team, file=False), "files").blocks


def test_data_are_bound_by_digest(team, version):
    none = gate(team, of_run(team), "data_bound")
    assert (none.outcome, none.blocks) == ("fail", True)
    short = gate(team, version, "data_bound")
    assert (short.outcome, short.blocks) == ("warn", False)
    assert "the client's own short digest" in short.words
    kept = of_run(team)
    data = a_version(team.scientist, a_dataset(team.scientist, team.project, name="wards"))
    given = DatasetInput("wards", data.digest[:36], "local", "x")
    log_inputs(team.scientist, kept.run, inputs=[given])
    bound = gate(team, kept, "data_bound")
    assert (bound.outcome, bound.words) == ("pass", "Bound by digest: wards v1.")


def test_recalled_data_fail_until_they_are_reinstated(team, version):
    data = version.run.inputs.get().dataset_version
    withdraw_version(team.engineer, data, reason="Labels are wrong.")
    found = gate(team, version, "data_good")
    assert (found.outcome, found.blocks) == ("fail", True)
    assert "was recalled on" in found.words
    assert found.url.endswith("/v/1/")
    reinstate_version(team.engineer, data, reason="They were right.")
    assert gate(team, version, "data_good").outcome == "pass"


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.FAILED, RunStatus.KILLED, RunStatus.SCHEDULED])
def test_a_run_that_did_not_finish_fails(team, version, status):
    update_run(team.scientist, version.run, status=status)
    found = gate(team, version, "run_finished")
    assert found.blocks
    assert found.words == f"Run {version.run.readable_id} is {status.label.lower()}, not finished."
    assert found.url == f"/r/{version.run.readable_id}/"


def test_a_version_without_a_run_fails(team):
    model = create_registered_model(team.scientist, team.project, name="far")
    version = create_version(team.scientist, model, source="s3://bucket/model")
    assert gate(team, version, "run_finished").words == "No source run is recorded."


def test_a_run_behind_a_version_is_not_deleted_from_under_it(team, version):
    from kernel.errors import MledError

    approved_by(team.manager, asked_for(team, version))
    with pytest.raises(MledError):
        delete_run(team.scientist, version.run)


def test_metrics_of_run_or_model_count_and_the_machines_own_do_not(team):
    version = of_run(team)
    log_batch(team.scientist, version.run, batch=a_batch(**{"system/cpu": [50.0]}))
    assert gate(team, version, "metrics").blocks
    log_batch(team.scientist, version.run, batch=a_batch(auc=[0.9]))
    assert gate(team, version, "metrics").words == "Recorded: auc."


def test_the_card_is_asked_for_but_blocks_nothing(team, version):
    found = gate(team, version, "card")
    assert (found.outcome, found.blocks) == ("warn", False)
    for section in WRITTEN:
        write_card(team.scientist, version, section=section, text="Written.")
    assert gate(team, version, "card").outcome == "pass"


def test_somebody_else_has_to_be_able_to_decide(team):
    able = gate(team, a_candidate(team.scientist, team.project), "four_eyes")
    assert able.words == "May decide: Emil, Mona."
    version = a_candidate(team.engineer, team.project)
    assert gate(team, version, "four_eyes").words == "May decide: Mona."
    log_batch(team.engineer, version.run, batch=a_batch(tags={"a": "b"}))
    assert gate(team, version, "four_eyes").outcome == "pass"


def test_where_nobody_else_can_decide_it_fails(team):
    from accounts.actions.members import remove_member
    from accounts.models import Membership
    from accounts.roles import Role
    from kernel.actor import operator
    from tests.factories import join

    join(team.project, team.scientist, Role.PROJECT_MANAGER)
    version = a_candidate(team.scientist, team.project)
    for person in (team.engineer, team.manager):
        remove_member(operator(), Membership.objects.get(project=team.project, user_id=person.user_id))
    found = gate(team, version, "four_eyes")
    assert (found.outcome, found.blocks) == ("fail", True)
    assert "add another engineer or manager" in found.words


def test_a_prompt_has_neither_files_nor_data(team):
    tags = {PROMPT_TAG: "true", "mlflow.prompt.text": "Say hello to {{name}}."}
    model = create_registered_model(team.scientist, team.project, name="hello", tags={PROMPT_TAG: "true"})
    version = create_version(team.scientist, model, source="prompt-template", tags=tags)
    assert blocking(checklist(team.scientist, version, "champion")) == []
    assert gate(team, version, "files").words == "Does not apply: this version is a prompt."
    approved_by(team.manager, asked_for(team, version))


# --- The list


@pytest.fixture
def own_gates(monkeypatch):
    monkeypatch.setattr(gates, "_gates", dict(gates._gates))


def test_upper_rooms_add_gates_that_block_or_only_warn(team, version, own_gates):
    def fails(case: gates.Case) -> Verdict:
        return Verdict(Outcome.FAIL, f"Not good enough for {case.target}.", "/rules/")

    register_gate(Gate("rules", "Rules of the profile", fails))
    register_gate(Gate("style", "Style", fails, blocks=False))
    results = {result.key: result for result in checklist(team.scientist, version, "champion")}
    assert results["rules"].blocks
    assert (results["style"].outcome, results["style"].blocks) == ("fail", False)
    with pytest.raises(Exception, match="Rules of the profile: Not good enough for champion"):
        approved_by(team.manager, asked_for(team, version))


def test_the_gates_of_a_decision_stay_as_they_stood(team, version, own_gates):
    request = asked_for(team, version)
    decide_promotion(team.manager, request, approve=False, comment="No.", proof=proof_of(team.manager))
    request.refresh_from_db()
    stood = from_json(request.gates)
    register_gate(Gate("later", "Came later", lambda case: Verdict(Outcome.PASS, "Fine.")))
    assert "later" not in {result.key for result in from_json(request.gates)}
    assert {result.key: result.outcome for result in stood}["files"] == "pass"


def test_an_outsider_gets_no_checklist(version):
    with pytest.raises(NotFound):
        checklist(a_person(), version, "champion")
