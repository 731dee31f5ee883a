"""Runs: numbers and names, status, tags, parents, deletion and locks; who may, and what the ledger keeps."""

import uuid

import pytest

from experiments.actions.runs import (
    create_run,
    delete_run,
    delete_tag,
    lock_run,
    restore_run,
    set_tags,
    unlock_run,
    update_run,
)
from experiments.models import Run, RunTag
from experiments.queries.runs import get_run, params_of, tags_of
from experiments.queries.search import search_runs
from experiments.values import RunStatus
from kernel.errors import Conflict, Invalid, NotFound, Refused
from tests.factories import a_batch, a_run, a_team, an_experiment, default_experiment, events_since
from tests.factories import log_batch as log


def fresh(run: Run) -> Run:
    return Run.objects.select_related("project").get(pk=run.pk)


# --- Creating


def test_a_new_run_is_running_and_active(ada):
    run = fresh(a_run(ada, started_ms=0))
    assert (run.status, run.lifecycle, run.started_ms, run.ended_ms) == ("RUNNING", "active", 0, None)


def test_a_new_run_is_one_event_about_the_run(ada, team):
    (kept,) = events_since(lambda: a_run(ada, name="try", tags={"stage": "draft"}, started_ms=7))
    run = Run.objects.get(name="try")
    assert (kept.verb, kept.subject) == ("experiments.create_run", f"experiments.run {run.uid.hex}")
    assert (kept.event.client_ms, kept.event.project_id) == (7, team.project.pk)
    assert kept.changed("experiments.runtag") == {"stage": [None, "draft"], "mlflow.runName": [None, "try"]}


def test_runs_count_up_within_their_project(ada, team):
    numbers = [a_run(ada).number for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert a_run(a_team().scientist).number == 1
    assert fresh(Run.objects.get(project=team.project, number=2)).readable_id == f"{team.project.key}-2"


def test_a_number_is_never_given_twice(ada):
    delete_run(ada, a_run(ada))
    assert a_run(ada).number == 2


def test_a_run_without_a_name_gets_one_that_is_also_its_tag(ada):
    run = fresh(a_run(ada))
    assert run.name
    assert tags_of(ada, run)["mlflow.runName"] == run.name


def test_a_name_may_come_as_a_tag(ada):
    assert fresh(a_run(ada, tags={"mlflow.runName": "from tag"})).name == "from tag"
    assert fresh(a_run(ada, name="same", tags={"mlflow.runName": "same"})).name == "same"


def test_a_name_and_a_tag_that_differ_are_refused(ada, team):
    with pytest.raises(Invalid) as refused:
        a_run(ada, name="one", tags={"mlflow.runName": "other"})
    assert refused.value.field == "run_name"
    assert not Run.objects.filter(project=team.project).exists()


def test_names_need_not_be_unique(ada):
    assert a_run(ada, name="same") != a_run(ada, name="same")


@pytest.mark.parametrize("tags", [{"": "x"}, {"../x": "1"}, {"a": "x\x00"}, {"a": "\ud800"}, {"k" * 251: "1"}])
def test_a_bad_tag_leaves_no_run_behind(ada, team, tags):
    with pytest.raises(Invalid):
        a_run(ada, tags=tags)
    assert not Run.objects.filter(project=team.project).exists()


def test_what_the_client_claims_stands_beside_who_it_was(ada):
    run = create_run(ada, default_experiment(fresh(a_run(ada)).project), claimed_user="root")
    assert (run.claimed_user, run.created_by_id) == ("root", ada.user_id)
    assert a_run(ada, tags={"mlflow.user": "somebody"}).claimed_user == "somebody"


def test_source_and_commit_are_taken_from_the_tags(ada):
    tags = {"mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL", "mlflow.source.git.commit": "f" * 40}
    run = fresh(a_run(ada, tags=tags))
    assert (run.source_name, run.source_type, run.git_commit) == ("train.py", "LOCAL", "f" * 40)
    assert tags_of(ada, run)["mlflow.source.name"] == "train.py"


def test_a_child_knows_its_parent_by_a_tag(ada):
    parent = a_run(ada)
    child = a_run(ada, tags={"mlflow.parentRunId": parent.uid.hex})
    assert fresh(child).parent == parent
    late = a_run(ada)
    set_tags(ada, late, tags={"mlflow.parentRunId": parent.uid.hex})
    assert fresh(late).parent == parent


def test_a_parent_that_is_none_of_this_project_stays_a_tag(ada):
    foreign = a_run(a_team().scientist)
    for text in (foreign.uid.hex, "no-uuid", "", uuid.uuid4().hex):
        run = fresh(a_run(ada, tags={"mlflow.parentRunId": text}))
        assert run.parent is None
        assert tags_of(ada, run)["mlflow.parentRunId"] == text


def test_those_who_do_not_write_make_none(team, outsider):
    place = default_experiment(team.project)
    for actor in (team.manager, team.auditor):
        with pytest.raises(Refused):
            a_run(actor, place)
    with pytest.raises(NotFound):
        a_run(outsider, place)
    with pytest.raises(NotFound):
        a_run(team.administrator, place)


# --- Finding


def test_a_run_is_found_by_its_id_in_any_spelling_and_by_what_people_say(ada, run):
    for text in (
        run.uid.hex,
        str(run.uid),
        run.uid.hex.upper(),
        f"{run.project.key}-1",
        f"{run.project.key}-1".lower(),
    ):
        assert get_run(ada, text) == run


@pytest.mark.parametrize("text", ["", "x", "0" * 32, "VIS-0", "VIS-99999999999999999999", "g" * 32, "{" + "0" * 36])
def test_what_is_no_run_is_not_found(ada, run, text):
    with pytest.raises(NotFound):
        get_run(ada, text)


def test_a_run_of_another_project_does_not_exist(ada, team, run):
    stranger = a_team()
    for viewer, project in ((stranger.scientist, None), (ada, stranger.project)):
        with pytest.raises(NotFound):
            get_run(viewer, run.uid.hex, project=project)
    assert search_runs(stranger.scientist).rows == []


def test_a_deleted_run_is_found_and_not_listed(ada, run):
    delete_run(ada, run)
    assert get_run(ada, run.uid.hex).is_deleted
    assert search_runs(ada).rows == []


# --- Updating


def test_a_status_may_follow_any_other(ada, run):
    for status in [*RunStatus, RunStatus.RUNNING, RunStatus.FINISHED]:
        assert fresh(update_run(ada, run, status=status)).status == status


def test_what_is_not_named_stays(ada, run):
    update_run(ada, run, status=RunStatus.FINISHED, ended_ms=5)
    assert fresh(run).name == "first try"
    update_run(ada, run, name="second try")
    assert (fresh(run).status, fresh(run).ended_ms) == ("FINISHED", 5)
    update_run(ada, run, status=RunStatus.RUNNING)
    assert fresh(run).ended_ms == 5


def test_name_and_tag_are_one_thing_in_both_directions(ada, run):
    update_run(ada, run, name="by update")
    assert tags_of(ada, run)["mlflow.runName"] == "by update"
    set_tags(ada, run, tags={"mlflow.runName": "by tag"})
    assert fresh(run).name == "by tag"
    log(ada, run, batch=a_batch(tags={"mlflow.runName": "by batch"}))
    assert fresh(run).name == "by batch"


def test_an_update_that_changes_nothing_leaves_no_event(ada, run):
    assert events_since(lambda: update_run(ada, run, name=run.name, status=RunStatus.RUNNING)) == []


def test_a_time_beyond_64_bits_is_refused(ada, run):
    with pytest.raises(Invalid) as refused:
        update_run(ada, run, ended_ms=2**63)
    assert refused.value.field == "end_time"


def test_a_name_is_its_authors_to_change(team, run):
    with pytest.raises(Refused, match="edit notes and names only where you created them"):
        update_run(team.engineer, run, name="mine now")
    with pytest.raises(Refused):
        set_tags(team.engineer, run, tags={"mlflow.note.content": "scribble"})
    with pytest.raises(Refused):
        log(team.engineer, run, batch=a_batch(tags={"mlflow.runName": "mine now"}))
    assert fresh(run).name == "first try"


def test_another_writer_of_the_project_may_log_to_it(team, run):
    update_run(team.engineer, run, status=RunStatus.FINISHED)
    set_tags(team.engineer, run, tags={"checked": "yes"})
    log(team.engineer, run, batch=a_batch(params={"seed": "1"}, loss=[0.5]))
    assert params_of(team.auditor, run) == {"seed": "1"}


# --- Tags


def test_tags_overwrite_and_the_event_has_old_and_new(ada, run):
    set_tags(ada, run, tags={"stage": "draft", "who": "ada"})
    (kept,) = events_since(lambda: set_tags(ada, run, tags={"stage": "final", "who": "ada"}))
    assert kept.changed("experiments.runtag") == {"stage": ["draft", "final"]}
    assert kept.subject == f"experiments.run {run.uid.hex}"


def test_the_same_tags_again_leave_no_event(ada, run):
    set_tags(ada, run, tags={"stage": "draft"})
    assert events_since(lambda: set_tags(ada, run, tags={"stage": "draft"})) == []


def test_a_tag_that_is_missing_cannot_be_deleted(ada, run):
    set_tags(ada, run, tags={"stage": ""})
    (kept,) = events_since(lambda: delete_tag(ada, run, key="stage"))
    assert kept.changed("experiments.runtag") == {"stage": ["", None]}
    with pytest.raises(NotFound):
        delete_tag(ada, run, key="stage")


def test_a_removed_tag_no_longer_speaks_for_the_run(ada):
    parent = a_run(ada)
    said = {"mlflow.parentRunId": parent.uid.hex, "mlflow.source.git.commit": "abc", "mlflow.source.name": "train.py"}
    run = a_run(ada, name="child", tags=said)
    for key in (*said, "mlflow.runName"):
        delete_tag(ada, run, key=key)
    run.refresh_from_db()
    assert (run.parent, run.git_commit, run.source_name, run.name) == (None, "", "", "child")


def test_keys_tell_case_apart(ada, run):
    set_tags(ada, run, tags={"lr": "1", "LR": "2"})
    assert {key: value for key, value in tags_of(ada, run).items() if key.lower() == "lr"} == {"lr": "1", "LR": "2"}


# --- Deleting


def test_deleting_and_restoring_keep_all_data_and_may_be_repeated(ada, run):
    log(ada, run, batch=a_batch(params={"lr": "0.1"}, tags={"t": "1"}, loss=[1.0]))
    delete_run(ada, run)
    assert fresh(run).deleted_at is not None
    assert events_since(lambda: delete_run(ada, run)) == []
    assert params_of(ada, run) == {"lr": "0.1"}
    restore_run(ada, run)
    assert events_since(lambda: restore_run(ada, run)) == []
    assert (fresh(run).lifecycle, fresh(run).deleted_at) == ("active", None)


def test_writers_delete_only_their_own_and_managers_say_why(team, run):
    with pytest.raises(Refused):
        delete_run(team.engineer, run)
    with pytest.raises(Invalid):
        delete_run(team.manager, run)
    (kept,) = events_since(lambda: delete_run(team.manager, run, reason="personal data in it"))
    assert (kept.reason, kept.event.actor_roles) == ("personal data in it", "project_manager")


# --- Locks


def test_a_lock_says_since_when_and_by_whom(ada, run):
    lock_run(ada, run)
    assert (fresh(run).is_locked, fresh(run).locked_by_id) == (True, ada.user_id)
    assert events_since(lambda: lock_run(ada, run)) == []
    unlock_run(ada, run)
    assert (fresh(run).is_locked, fresh(run).locked_by_id) == (False, None)
    assert events_since(lambda: unlock_run(ada, run)) == []


def test_engineers_lock_any_run_scientists_their_own(team, run):
    lock_run(team.engineer, run)
    theirs = a_run(team.engineer)
    with pytest.raises(Refused):
        lock_run(team.scientist, theirs)
    with pytest.raises(Invalid):
        unlock_run(team.manager, run)
    unlock_run(team.manager, run, reason="locked too early")


def test_a_deleted_run_cannot_be_locked(ada, run):
    delete_run(ada, run)
    with pytest.raises(Conflict, match="Restore it first"):
        lock_run(ada, run)


def test_every_change_has_its_row_of_history(ada, run):
    update_run(ada, run, status=RunStatus.FINISHED)
    lock_run(ada, run)
    rows = list(Run.history.filter(uid=run.uid).order_by("history_id"))
    assert rows[-1].locked_at is not None
    assert {row.history_user_id for row in rows} == {ada.user_id}


def test_an_experiment_groups_its_runs(ada):
    place = an_experiment(ada)
    run = a_run(ada, place)
    assert list(Run.objects.filter(experiment=place)) == [run]
    assert RunTag.objects.get(run=run).experiment_id == place.pk
