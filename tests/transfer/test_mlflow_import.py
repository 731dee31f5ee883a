"""Imports from MLflow: what comes along and as whose, what a second one brings, and what is told."""

from __future__ import annotations

import math

import pytest

from accounts.actions.governance import govern_project
from accounts.roles import Role
from artifacts.models import ArtifactFile
from audit.ledger.models import AuditEvent, AuditPayload
from experiments.actions.experiments import create_experiment, delete_experiment, restore_experiment
from experiments.actions.runs import delete_run, lock_run, restore_run, set_tags, unlock_run
from experiments.metrics.store import history
from experiments.models import Experiment, MetricSegment, MetricSeries, Param, Run, RunTag
from kernel.actor import operator
from kernel.errors import Conflict, Locked, Refused
from registry.actions.registered_models import create_registered_model
from registry.models import LoggedModel, ModelAlias, ModelVersion, RegisteredModel
from tests.factories import a_member, a_person, a_run, a_team, again, events_since
from tests.transfer.specimen.filling import FILES, MODEL_FILES
from tests.transfer.stores import a_store, bring, in_store, run_named
from transfer.actions.mlflow import Bringing, News, Part, bring_in_links, bring_in_more
from transfer.actions.transfers import begin
from transfer.bringing import runs
from transfer.leasing import next_open
from transfer.mlflow.here import runs_here
from transfer.models import Moved, Transfer

pytestmark = pytest.mark.django_db


def words(transfer: Transfer) -> str:
    return "\n".join(f"{one['where']}: {one['message']}" for one in transfer.problems)


def new(transfer: Transfer) -> dict[str, int]:
    return {kind: told["new"] for kind, told in transfer.counts.items() if isinstance(told, dict)}


def test_all_of_a_store_comes_along_under_its_ids_and_is_read_back(tmp_path):
    team = a_team()
    store = a_store(tmp_path)
    begun = AuditEvent.objects.count()
    done = bring(team.scientist, team.project, store)
    assert (done.state, done.problems) == ("done", []), done.failure
    assert new(done) == {
        "experiments": 2, "runs": 9, "points": 173, "logged_models": 1, "files": 6, "registered_models": 2,
        "model_versions": 3, "aliases": 2,
    }  # fmt: skip
    assert (done.counts["runs_verified"], done.counts["points_verified"], done.counts["files_verified"]) == (9, 173, 6)

    sweep = Run.objects.get(uid=run_named(store, "sweep"))
    assert (sweep.claimed_user, sweep.created_by_id) == ("grace", team.scientist.user_id)
    assert (sweep.status, sweep.started_ms, sweep.ended_ms) == ("FINISHED", 1_700_000_000_000, 1_700_000_080_000)
    assert (sweep.source_name, sweep.source_type, sweep.git_commit) == ("train.py", "LOCAL", "a" * 40)
    child = Run.objects.get(uid=run_named(store, "child 2"))
    assert child.parent.name == "child 1"
    assert child.parent.parent == sweep
    assert dict(Param.objects.filter(run=child).values_list("key", "value")) == {
        "lr": "0.03333333333333333", "layers": "2",
    }  # fmt: skip
    (input_of,) = sweep.inputs.select_related("dataset_version__dataset")
    assert (input_of.dataset_version.dataset.name, input_of.dataset_version.digest) == ("street", "0a1b2c3d")
    assert (input_of.context, input_of.dataset_version.profile) == ("training", '{"rows": 5}')
    files = ArtifactFile.objects.filter(root=sweep.artifact_root)
    assert dict(files.values_list("path", "size_bytes")) == {path: len(content) for path, content in FILES.items()}

    odd = Run.objects.get(uid=run_named(store, "odd — Größe 🙂"))
    points = history(MetricSeries.objects.get(run=odd, key="odd"))
    assert (points.steps.tolist(), points.times.tolist()[-2:]) == (
        [0, 1, 2, 3, 3, 3, -4], [1_700_000_000_001, 1_700_000_000_002],
    )  # fmt: skip
    assert math.isnan(points.values[0])
    assert points.values.tolist()[1:] == [
        1.7976931348623157e308,
        -1.7976931348623157e308,
        5e-324,
        0.1 + 0.2,
        0.1 + 0.2,
        7,
    ]
    assert history(MetricSeries.objects.get(run=odd, key="far")).steps.tolist() == [2**53 + 1]
    assert (odd.status, odd.ended_ms) == ("RUNNING", None)

    net = LoggedModel.objects.get(project=team.project)
    assert (net.model_id, net.status, net.source_run) == (
        in_store(store, "SELECT model_id FROM logged_models")[0][0], "READY", sweep,
    )  # fmt: skip
    assert ArtifactFile.objects.filter(root=net.artifact_root).count() == len(MODEL_FILES)
    measured = {(one.key, one.value, one.step, one.dataset_digest) for one in net.metrics.all()}
    assert measured == {("iou", 0.75, 0, "ffee0011"), ("iou", 0.8, 1, "")}
    assert {(link.run.name, link.way, link.step) for link in net.run_links.all()} == {
        ("sweep", "output", 7), ("evaluation", "input", 0),
    }  # fmt: skip
    versions = ModelVersion.objects.filter(model__project=team.project, model__name="street net").order_by("number")
    assert [(one.number, one.stage, one.logged_model) for one in versions] == [
        (1, "Production", net),
        (3, "None", None),
    ]
    assert (versions[0].run, versions[0].description, versions[1].source) == (sweep, "First.", "s3://elsewhere/net")
    assert dict(ModelAlias.objects.filter(model=versions[0].model).values_list("name", "version__number")) == {
        "best": 1, "trial": 3,
    }  # fmt: skip
    assert RegisteredModel.objects.get(project=team.project, name="greeting").tags.filter(key="mlflow.prompt.is_prompt")

    deleted = Run.objects.filter(project=team.project, lifecycle="deleted")
    assert {run.name for run in deleted} == {"mistake", "too late"}
    assert Experiment.objects.get(project=team.project, name="given up").lifecycle == "deleted"
    _who_did_it_is_on_record(team, done, sweep, begun)


def _who_did_it_is_on_record(team, done, sweep, begun):
    made = AuditEvent.objects.get(subject_id=sweep.uid.hex, verb="transfer.bring_in_run")
    assert (made.actor_id, made.door, made.client_ms) == (team.scientist.user_id, "task", sweep.started_ms)
    body = AuditPayload.objects.get(event_id=made.id).body
    assert "Import from MLflow" in body
    assert done.pk.hex in body.replace("-", "")
    assert AuditEvent.objects.count() - begun < 60  # not one for each point, param or file


def test_a_second_import_brings_only_what_is_new_there(tmp_path):
    team = a_team()
    store = a_store(tmp_path)
    first = bring(team.scientist, team.project, store)
    imports: list[Transfer] = []
    left = events_since(lambda: imports.append(bring(team.scientist, team.project, store)))
    (second,) = imports
    assert (second.state, second.problems, second.digest) == ("done", [], first.digest)
    assert set(new(second).values()) == {0}
    assert {kept.verb for kept in left} == {
        "transfer.begin_import", "transfer.start_transfer", "transfer.finish_transfer",
    }  # fmt: skip

    odd = run_named(store, "odd — Größe 🙂")
    in_store(store, "INSERT INTO metrics VALUES ('odd', 1.5, 1700000009000, ?, 9, 0)", odd)
    in_store(store, "INSERT INTO metrics VALUES ('late', 2.5, 1700000009000, ?, 1, 0)", odd)
    in_store(store, "INSERT INTO params VALUES ('added', '1', ?)", odd)
    in_store(store, "INSERT INTO tags VALUES ('stage', 'late', ?)", odd)
    in_store(store, "UPDATE runs SET status = 'FINISHED', end_time = 1700000010000 WHERE run_uuid = ?", odd)
    segments = MetricSegment.objects.count()
    third = bring(team.scientist, team.project, store)
    assert (third.state, third.problems, third.counts["runs_added_to"], new(third)["points"]) == ("done", [], 1, 2)
    run = Run.objects.get(uid=odd)
    assert (run.status, run.ended_ms) == ("FINISHED", 1700000010000)
    assert Param.objects.get(run=run, key="added").value == "1"
    assert RunTag.objects.get(run=run, key="stage").value == "late"
    assert MetricSegment.objects.count() == segments + 2
    assert third.digest != first.digest


def test_what_was_touched_here_meanwhile_is_left_as_it_is_and_told(tmp_path):
    team = a_team()
    store = a_store(tmp_path)
    bring(team.scientist, team.project, store)
    changed, locked, moved = (run_named(store, name) for name in ("child 0", "child 1", "long"))
    set_tags(team.scientist, Run.objects.get(uid=changed), tags={"mine": "1"})
    lock_run(team.scientist, Run.objects.get(uid=locked))
    for uid in (changed, locked, moved):
        in_store(store, "INSERT INTO params VALUES ('added', '1', ?)", uid)
    done = bring(team.scientist, team.project, store)
    assert done.state == "done"
    assert f"run {changed}: It went on in the source, but it was changed here since" in words(done)
    assert f"run {locked}: It went on in the source, but it is locked here since" in words(done)
    assert set(Param.objects.filter(key="added").values_list("run__name", flat=True)) == {"long"}
    untouched = bring(team.scientist, team.project, store)
    assert untouched.counts["problems"] == 2


def test_an_id_that_is_taken_on_this_instance_becomes_a_new_one_without_a_word_of_whose(tmp_path):
    theirs, ours = a_team(), a_team()
    store = a_store(tmp_path)
    bring(theirs.scientist, theirs.project, store)
    done = bring(ours.scientist, ours.project, store)
    assert (done.state, done.counts["runs"]["new"], done.counts["runs_verified"]) == ("done", 9, 9)
    assert theirs.project.slug not in str(done.problems)
    sweep = run_named(store, "sweep")
    here = Run.objects.get(project=ours.project, name="sweep")
    assert here.uid.hex != sweep
    assert RunTag.objects.get(run=here, key="mled.import.run_id").value == sweep
    child = Run.objects.get(project=ours.project, name="child 2")
    assert child.parent.parent == here
    assert RunTag.objects.get(run=child, key="mlflow.parentRunId").value == child.parent.uid.hex
    version = ModelVersion.objects.get(model__project=ours.project, model__name="street net", number=1)
    assert (version.run, version.logged_model.project) == (here, ours.project)
    assert f"run {sweep}: Its id cannot be kept here: it is {here.uid.hex}" in words(done)


def test_what_cannot_be_taken_is_told_one_by_one_and_stops_nothing_else(tmp_path):
    team = a_team()
    govern_project(operator(), team.project, is_governed=True, protected_names=["best", "production"])
    store = a_store(tmp_path)
    child = run_named(store, "child 0")
    in_store(store, "INSERT INTO params VALUES ('bad\nkey', '1', ?)", child)
    in_store(store, "INSERT INTO tags VALUES ('long', ?, ?)", "x" * 70_000, child)
    in_store(store, "INSERT INTO metrics VALUES ('../up', 1.0, 1, ?, 1, 0)", child)
    in_store(store, "INSERT INTO metrics VALUES ('loss', 1.0, -5, ?, 1, 0)", child)
    in_store(store, "UPDATE experiments SET name = 'VISION/segmentation' WHERE name = 'given up'")
    in_store(store, "INSERT INTO experiments VALUES (7, ?, '', 'active', 5, 5, 'default')", "n" * 600)
    in_store(store, "INSERT INTO registered_models VALUES (?, 5, 5, '', 'default')", "odd\x00name")
    in_store(store, "INSERT INTO registered_models VALUES (?, 5, 5, '', 'default')", "m" * 700)
    in_store(store, "INSERT INTO experiments VALUES (8, 'theirs', '', 'active', 5, 5, 'other')")
    in_store(store, "UPDATE model_versions SET source = '/home/grace/model' WHERE version = 3")
    outside = tmp_path / "secret.txt"
    outside.write_text("not yours")
    place = tmp_path / "mlartifacts" / "1" / run_named(store, "sweep") / "artifacts"
    (place / "link.txt").symlink_to(outside)
    in_store(store, "UPDATE runs SET artifact_uri = '/etc' WHERE name = 'evaluation'")
    create_registered_model(team.engineer, team.project, name="greeting")
    done = bring(team.engineer, team.project, store)
    assert done.state == "done", done.failure
    told = words(done)
    for expected in (
        f"run {child}: The param 'bad\nkey' is left out: The key",
        f"run {child}: The tag 'long' is left out: 'tag long' has 70,000 characters; at most 65,536 are kept.",
        f"run {child}: The metric '../up' is left out",
        f"run {child}: 1 points of 'loss' are left out: they are before 1970.",
        "experiment nnnn",
        "1 experiments of other workspaces than 'default' are left out.",
        "registered model greeting: A registered model of this name exists here",
        "registered model odd?name: 'name' holds a NUL character",
        "registered model mmmm",
        "registered model street net version 3: A local path",
        "alias best: 'best' is protected in project",
        "alias trial: Version 3, for which it stands, is not here.",
        "stage Production: 'Production' is protected in project",
        "file link.txt of ",
        "files: Files below '/etc' cannot be reached",
    ):
        assert expected in told, told
    assert not ArtifactFile.objects.filter(path="link.txt").exists()
    assert {"vision/segmentation", "VISION/segmentation"} <= set(
        Experiment.objects.filter(project=team.project).values_list("name", flat=True)
    )
    assert done.counts["runs"] == {"held": 9, "new": 9, "there": 0, "refused": 0}
    assert done.counts["runs_verified"] == 9


def test_an_experiment_of_the_same_name_takes_the_runs_in_unless_it_is_deleted(tmp_path):
    team = a_team()
    store = a_store(tmp_path)
    mine = create_experiment(team.scientist, team.project, name="vision/segmentation")
    gone = create_experiment(team.scientist, team.project, name="given up")
    delete_experiment(team.scientist, gone)
    done = bring(team.scientist, team.project, store)
    assert Run.objects.filter(experiment=mine).count() == 8
    assert "experiment given up: An experiment of this name is deleted here." in words(done)
    only = bring(team.scientist, team.project, store, experiments=["nowhere"])
    assert (only.state, only.failure) == (
        "failed", "The source has no experiment 'nowhere'. Name those that it has, or leave it out.",
    )  # fmt: skip


def test_what_is_deleted_there_is_deleted_here_once_and_only_if_it_came_from_there(tmp_path):
    ours, theirs = a_team(), a_team()
    store = a_store(tmp_path, with_files=False)
    before = create_experiment(ours.scientist, ours.project, name="given up")
    mine = a_run(ours.scientist, experiment=before)
    done = bring(ours.scientist, ours.project, store, files=False)
    assert "experiment given up: It is deleted in the source, and was here before: it stays." in words(done)
    assert Run.objects.get(pk=mine.pk).lifecycle == Experiment.objects.get(pk=before.pk).lifecycle == "active"

    bring(theirs.scientist, theirs.project, store, files=False)
    given_up = Experiment.objects.get(project=theirs.project, name="given up")
    mistake = Run.objects.get(project=theirs.project, name="mistake")
    assert (given_up.lifecycle, mistake.lifecycle) == ("deleted", "deleted")
    restore_experiment(theirs.scientist, given_up)
    restore_run(theirs.scientist, mistake)
    again = bring(theirs.scientist, theirs.project, store, files=False)
    assert words(again).count("and was restored here: it stays.") == again.counts["problems"] == 3
    assert Run.objects.filter(project=theirs.project, lifecycle="deleted").count() == 0

    run, experiment = run_named(store, "child 0"), "vision/segmentation"
    set_tags(theirs.scientist, Run.objects.get(project=theirs.project, name="child 0"), tags={"mine": "1"})
    in_store(store, "UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", run)
    in_store(store, "UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = ?", experiment)
    third = bring(theirs.scientist, theirs.project, store, files=False)
    assert f"run {run}: It is deleted in the source, and was changed here since: it stays." in words(third)
    assert f"experiment {experiment}: It is deleted in the source, and has runs of this project" in words(third)
    assert Run.objects.filter(project=theirs.project, lifecycle="deleted").count() == 0


def test_two_imports_of_one_source_at_once_double_nothing(tmp_path, monkeypatch):
    """The second one is asked for while the first has looked and not yet written."""
    team = a_team()
    store = a_store(tmp_path, with_files=False)
    made, others = runs._made, list[Transfer]()

    def between(*given):
        if not others:
            others.append(bring(team.scientist, team.project, store, files=False))
            assert next_open() != others[0].pk
        return made(*given)

    monkeypatch.setattr(runs, "_made", between)
    done = bring(team.scientist, team.project, store, files=False)
    assert (done.state, done.problems) == ("done", [])
    assert others[0].state == "waiting", "One import into a project at a time."
    assert Run.objects.filter(project=team.project).count() == 9
    assert next_open() == others[0].pk


def test_who_may_not_write_imports_nothing(tmp_path):
    team = a_team()
    store = a_store(tmp_path, with_files=False)
    for actor in (team.manager, team.auditor):
        with pytest.raises(Refused):
            bring(actor, team.project, store)
    with pytest.raises(Exception, match="No such project"):
        begin(a_person(), team.project, kind="mlflow")
    assert not Moved.objects.filter(project=team.project).exists()
    member = a_member(team.project, Role.DATA_SCIENTIST)
    assert bring(again(member), team.project, store, files=False).state == "done"


def test_a_locked_or_deleted_run_takes_nothing_from_an_import(tmp_path):
    team = a_team()
    store = a_store(tmp_path, with_files=False)
    bringing = Bringing(bring(team.scientist, team.project, store), "origin", "Import")
    run = Run.objects.get(uid=run_named(store, "child 0"))
    record = runs_here([run])[run.pk]

    def more() -> None:
        news = News(params={"new": "1"})
        bring_in_more(
            team.scientist, run, bringing=bringing, source_id="x", record=record, news=news, part=Part(digest="d")
        )

    def links() -> None:
        bring_in_links(team.scientist, run, bringing=bringing, inputs=[], outputs=[])

    lock_run(team.scientist, run)
    for write in (more, links):
        with pytest.raises(Locked):
            write()
    unlock_run(team.scientist, run)
    run.refresh_from_db()
    delete_run(team.scientist, run)
    run.refresh_from_db()
    for write in (more, links):
        with pytest.raises(Conflict, match="is deleted"):
            write()
    assert not Moved.objects.filter(source_id="x").exists()
    assert not Param.objects.filter(run=run, key="new").exists()
