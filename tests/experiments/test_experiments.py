"""Experiments: names, tags, deletion; who may, and what each leaves in the ledger."""

import pytest

from experiments.actions.experiments import (
    create_experiment,
    delete_experiment,
    delete_experiment_tag,
    grant_access,
    rename_experiment,
    restore_experiment,
    set_experiment_tag,
    set_metric_direction,
    withdraw_access,
)
from experiments.actions.runs import delete_run, lock_run
from experiments.models import Experiment, MetricDirection, Run
from experiments.queries.experiments import (
    experiment_tags,
    get_experiment,
    get_experiment_by_name,
    metric_directions,
    visible_experiments,
    wire_id,
)
from experiments.queries.runs import get_run
from kernel import clock
from kernel.errors import AlreadyExists, Conflict, Invalid, Locked, NotFound, Refused
from tests.factories import (
    a_project,
    a_run,
    a_team,
    again,
    an_experiment,
    default_experiment,
    events_since,
    unique,
    user_of,
)


def fresh(experiment: Experiment) -> Experiment:
    return Experiment.objects.get(pk=experiment.pk)


# --- Making


@pytest.mark.parametrize("name", ["a", "x" * 500, "vision/leaves/v2", "Blätter 🌿 été", " inner  blanks ", "a\nb"])
def test_any_name_up_to_500_characters_is_kept_exactly(ada, team, name):
    made = create_experiment(ada, team.project, name=name)
    assert fresh(made).name == name
    assert get_experiment_by_name(ada, name, project=team.project) == made


@pytest.mark.parametrize("name", ["", "   ", "\n\t", "x" * 501, "a\x00b", "a\ud800b"])
def test_a_blank_or_overlong_name_is_refused(ada, team, name):
    with pytest.raises(Invalid) as refused:
        create_experiment(ada, team.project, name=name)
    assert refused.value.field == "name"


def test_names_are_taken_once_by_letter_and_case(ada, team):
    made = an_experiment(ada, name="Leaves")
    with pytest.raises(AlreadyExists) as refused:
        create_experiment(ada, team.project, name="Leaves")
    assert refused.value.field == "name"
    assert create_experiment(ada, team.project, name="leaves") != made


def test_a_deleted_experiment_keeps_its_name(ada, team):
    made = an_experiment(ada, name="Leaves")
    delete_experiment(ada, made)
    with pytest.raises(AlreadyExists, match="maybe a deleted one"):
        create_experiment(ada, team.project, name="Leaves")


def test_two_projects_may_use_the_same_name(ada, team):
    other = a_team()
    assert an_experiment(ada, name="Leaves").project_id != an_experiment(other.scientist, name="Leaves").project_id


def test_a_new_experiment_with_tags_is_one_event(ada, team):
    kept = events_since(lambda: create_experiment(ada, team.project, name=unique("e"), tags={"goal": "f1", "who": ""}))
    assert [one.verb for one in kept] == ["experiments.create_experiment"]
    assert kept[0].changed("experiments.experimenttag") == {"goal": [None, "f1"], "who": [None, ""]}
    assert kept[0].event.project_id == team.project.pk


def test_a_bad_tag_leaves_no_experiment_behind(ada, team):
    with pytest.raises(Invalid):
        create_experiment(ada, team.project, name="half", tags={"fine": "1", "../x": "2"})
    assert not Experiment.objects.filter(name="half").exists()


@pytest.mark.parametrize(
    "location", ["/tmp/runs", "file:///tmp/runs", "runs:/abc", "mlflow-artifacts:/a?b", "C:\\runs"]
)
def test_a_place_on_somebodys_disk_is_no_place_for_files(ada, team, location):
    with pytest.raises(Invalid):
        create_experiment(ada, team.project, name=unique("e"), artifact_location=location)


def test_a_place_outside_is_kept_as_it_was_given(ada, team):
    made = create_experiment(ada, team.project, name=unique("e"), artifact_location="s3://bucket/Leaves%20/x")
    assert fresh(made).artifact_location == "s3://bucket/Leaves%20/x"


def test_those_who_do_not_write_make_none(team, outsider):
    for actor in (team.manager, team.auditor, team.administrator):
        with pytest.raises(Refused):
            create_experiment(actor, team.project, name=unique("e"))
    with pytest.raises(NotFound):
        create_experiment(outsider, team.project, name=unique("e"))


# --- Finding


def test_the_default_experiment_is_0_and_only_0(ada, team):
    default = default_experiment(team.project)
    assert wire_id(default) == "0"
    assert get_experiment(ada, "0", project=team.project) == default
    with pytest.raises(NotFound):
        get_experiment(ada, str(default.pk), project=team.project)


@pytest.mark.parametrize("wire", ["", "x", "-1", "1.0", "99999999999999999999", "１２", "0x1", " 1", "٣"])
def test_what_is_no_id_is_not_found(ada, team, wire):
    with pytest.raises(NotFound):
        get_experiment(ada, wire, project=team.project)


def test_ids_and_names_of_another_project_do_not_exist(ada, team):
    foreign = an_experiment(a_team().scientist, name="theirs")
    with pytest.raises(NotFound):
        get_experiment(ada, wire_id(foreign), project=team.project)
    with pytest.raises(NotFound):
        get_experiment(ada, wire_id(foreign), project=foreign.project)
    with pytest.raises(NotFound):
        get_experiment_by_name(ada, "theirs", project=foreign.project)


def test_deleted_ones_are_still_found_by_id_and_name(ada, team):
    made = an_experiment(ada, name="Leaves")
    delete_experiment(ada, made)
    assert get_experiment(ada, wire_id(made), project=team.project).lifecycle == "deleted"
    assert get_experiment_by_name(ada, "Leaves", project=team.project).lifecycle == "deleted"
    assert made in visible_experiments(ada, team.project)


# --- Renaming


def test_renaming_moves_the_time_of_the_last_update_and_nothing_else(ada, monkeypatch):
    made = an_experiment(ada)
    later = clock._now() + 5
    monkeypatch.setattr(clock, "_now", lambda: later)
    (kept,) = events_since(lambda: rename_experiment(ada, made, name="Leaves 2"))
    now = fresh(made)
    assert (now.name, now.created_ms, now.updated_ms) == ("Leaves 2", made.created_ms, int(later * 1000))
    assert set(kept.changed("experiments.experiment")) == {"name", "updated_ms"}


def test_renaming_to_its_own_name_changes_nothing(ada):
    made = an_experiment(ada)
    assert events_since(lambda: rename_experiment(ada, made, name=made.name)) == []


def test_renaming_to_a_taken_name_changes_nothing(ada):
    first, second = an_experiment(ada), an_experiment(ada)

    def clash() -> None:
        with pytest.raises(AlreadyExists):
            rename_experiment(ada, second, name=first.name)

    assert events_since(clash) == []
    assert fresh(second).name == second.name


def test_a_deleted_experiment_takes_no_new_name_nor_tag(ada):
    made = an_experiment(ada, tags={"a": "1"})
    delete_experiment(ada, made)
    for change in (
        lambda: rename_experiment(ada, made, name="new"),
        lambda: set_experiment_tag(ada, made, key="a", value="2"),
        lambda: delete_experiment_tag(ada, made, key="a"),
    ):
        with pytest.raises(Conflict, match="deleted"):
            change()


# --- Tags


def test_tags_overwrite_and_the_ledger_keeps_what_they_were(ada):
    made = an_experiment(ada, tags={"goal": "f1"})
    (kept,) = events_since(lambda: set_experiment_tag(ada, made, key="goal", value="auc"))
    assert kept.changed("experiments.experimenttag") == {"goal": ["f1", "auc"]}
    assert kept.subject == f"experiments.experiment {made.pk}"
    assert experiment_tags(ada, [made]) == {made.pk: {"goal": "auc"}}


def test_the_same_tag_again_leaves_no_event(ada):
    made = an_experiment(ada, tags={"goal": "f1"})
    assert events_since(lambda: set_experiment_tag(ada, made, key="goal", value="f1")) == []


def test_a_tag_holds_20000_characters(ada):
    made = an_experiment(ada)
    set_experiment_tag(ada, made, key="note", value="x" * 20_000)
    with pytest.raises(Invalid):
        set_experiment_tag(ada, made, key="note", value="x" * 20_001)
    assert len(experiment_tags(ada, [made])[made.pk]["note"]) == 20_000


def test_a_missing_tag_cannot_be_deleted(ada):
    made = an_experiment(ada, tags={"a": "1"})
    delete_experiment_tag(ada, made, key="a")
    with pytest.raises(NotFound):
        delete_experiment_tag(ada, made, key="a")


# --- Deleting


def test_deleting_takes_its_runs_along_and_restoring_brings_all_back(ada):
    made = an_experiment(ada)
    kept, gone = a_run(ada, made), a_run(ada, made)
    delete_run(ada, gone)
    (event,) = events_since(lambda: delete_experiment(ada, made))
    assert {change["id"] for change in event.changes} == {str(made.pk), kept.uid.hex}
    assert {run.lifecycle for run in Run.objects.filter(experiment=made)} == {"deleted"}
    restore_experiment(ada, fresh(made))
    assert {run.lifecycle for run in Run.objects.filter(experiment=made)} == {"active"}


def test_deleting_twice_and_restoring_an_active_one_are_not_found(ada):
    made = an_experiment(ada)
    with pytest.raises(NotFound):
        restore_experiment(ada, made)
    delete_experiment(ada, made)
    with pytest.raises(NotFound):
        delete_experiment(ada, made)


def test_one_locked_run_keeps_the_whole_experiment(ada):
    made = an_experiment(ada)
    free, held = a_run(ada, made), a_run(ada, made)
    lock_run(ada, held)
    with pytest.raises(Locked, match="1 of its runs is locked"):
        delete_experiment(ada, made)
    assert get_run(ada, free.uid.hex).lifecycle == "active"


def test_scientists_delete_their_own_engineers_any_and_managers_say_why(team):
    theirs = an_experiment(team.engineer)
    with pytest.raises(Refused, match="only where you created them"):
        delete_experiment(team.scientist, theirs)
    with pytest.raises(Invalid) as unreasoned:
        delete_experiment(team.manager, theirs)
    assert unreasoned.value.field == "reason"
    (kept,) = events_since(lambda: delete_experiment(team.manager, theirs, reason="made by mistake"))
    assert kept.reason == "made by mistake"
    assert restore_experiment(team.engineer, theirs).lifecycle == "active"


def test_a_deleted_experiment_takes_no_runs(ada):
    made = an_experiment(ada)
    delete_experiment(ada, made)
    with pytest.raises(Conflict):
        a_run(ada, made)


# --- Directions of metrics, and single guests


def test_a_metrics_direction_is_said_once_and_may_be_corrected(team):
    set_metric_direction(team.scientist, team.project, key="f1", higher_is_better=False)
    (kept,) = events_since(lambda: set_metric_direction(team.manager, team.project, key="f1", higher_is_better=True))
    assert kept.changed("experiments.metricdirection") == {"higher_is_better": [False, True]}
    assert metric_directions(team.auditor, team.project) == {"f1": True}
    assert MetricDirection.objects.filter(project=team.project).count() == 1


def test_a_guest_sees_one_experiment_until_that_is_withdrawn(team, outsider):
    shown, hidden = an_experiment(team.scientist), an_experiment(team.scientist)
    run, other = a_run(team.scientist, shown), a_run(team.scientist, hidden)
    grant_access(team.manager, shown, user=user_of(outsider), reason="reviewer of the paper")
    assert get_run(again(outsider), run.uid.hex) == run
    with pytest.raises(NotFound):
        get_run(again(outsider), other.uid.hex)
    withdraw_access(team.manager, shown, user=user_of(outsider))
    with pytest.raises(NotFound):
        get_run(again(outsider), run.uid.hex)


def test_only_managers_let_guests_in(team, outsider):
    shown = an_experiment(team.scientist)
    for actor in (team.scientist, team.engineer, team.auditor):
        with pytest.raises(Refused):
            grant_access(actor, shown, user=user_of(outsider))


def test_a_project_keeps_one_default_experiment(ada):
    project = a_project()
    assert Experiment.objects.filter(project=project, is_default=True).count() == 1
