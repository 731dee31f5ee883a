"""Comments on runs: who may say, change and take back what, who is told, and what stays on record."""

import uuid

import pytest

from accounts.models import Notice
from accounts.roles import Role
from experiments.actions.comments import COMMENT_MAX, add_comment, edit_comment, remove_comment
from experiments.actions.runs import delete_run, lock_run, restore_run, update_run
from experiments.actions.seals import seal_run
from experiments.mentions import handle_of, mentioned
from experiments.models import Comment, Run
from experiments.queries.comments import comments_of, get_comment, people_to_mention
from experiments.queries.history import history_of_run
from experiments.values import ReviewState, RunStatus
from kernel.actor import operator, system
from kernel.errors import AlreadyExists, Conflict, Invalid, MledError, NotFound, Refused
from tests.factories import (
    a_group,
    a_member,
    a_person,
    a_run,
    a_team,
    acting_as,
    events_since,
    join,
    user_of,
)


def said(viewer, run):
    return [comment.text for comment in comments_of(viewer, run)]


def told(person):
    return [notice.text for notice in Notice.objects.filter(user=person.user_id).order_by("at")]


# --- Saying


def test_everybody_who_sees_a_run_may_comment_also_who_only_reads(team, run):
    for who in (team.scientist, team.engineer, team.manager, team.auditor):
        add_comment(who, run, text=f"I am {who.user_name}.")
    assert said(team.auditor, run) == ["I am Ada.", "I am Emil.", "I am Mona.", "I am Otto."]


def test_for_outsiders_and_administrators_there_is_no_run_to_comment_on(team, run, outsider):
    comment = add_comment(team.scientist, run, text="mine")
    for who in (outsider, team.administrator, a_team().scientist):
        for act in (
            lambda who: add_comment(who, run, text="hello"),
            lambda who: edit_comment(who, comment, text="hello", version=1),
            lambda who: remove_comment(who, comment, reason="why not"),
            lambda who: list(comments_of(who, run)) or get_comment(who, run, comment.pk),
        ):
            with pytest.raises(NotFound):
                act(who)
    assert said(team.scientist, run) == ["mine"]


def test_a_comment_changes_nothing_in_a_run_so_locked_submitted_and_sealed_ones_take_it(team, run, submitted):
    submitted(run)
    update_run(team.scientist, run, status=RunStatus.FINISHED)
    sealed = seal_run(system(), run)
    lock_run(team.scientist, sealed)
    before = Run.objects.values().get(pk=run.pk)
    locked = Run.objects.get(pk=run.pk)
    (kept,) = events_since(lambda: add_comment(team.engineer, locked, text="Why is it locked?"))
    assert [change["type"] for change in kept.changes] == ["experiments.comment"]
    comment = edit_comment(team.engineer, comments_of(team.engineer, run)[0], text="I see.", version=1)
    remove_comment(team.engineer, comment)
    assert Run.objects.values().get(pk=run.pk) == before


@pytest.fixture
def submitted():
    """Puts a run under review, as the room that reviews does."""

    def submit(run):
        Run.objects.filter(pk=run.pk)
        from audit.ledger.acting import acting

        with acting(system(), "test.submit"):
            run.review_state = ReviewState.IN_REVIEW
            run.save()

    return submit


def test_a_deleted_run_takes_no_comment_until_it_is_restored(team, run):
    comment = add_comment(team.scientist, run, text="before")
    delete_run(team.scientist, run)
    with pytest.raises(Conflict, match="is deleted"):
        add_comment(team.scientist, run, text="after")
    with pytest.raises(Conflict, match="is deleted"):
        edit_comment(team.scientist, comment, text="after", version=1)
    assert said(team.scientist, run) == ["before"]
    restore_run(team.scientist, run)
    add_comment(team.scientist, run, text="after")


@pytest.mark.parametrize("text", ["", " \r\n ", "x" * (COMMENT_MAX + 1), "nul\x00", "lone \ud800"])
def test_a_comment_that_says_nothing_or_cannot_be_kept_is_refused(team, run, text):
    comment = add_comment(team.scientist, run, text="good")
    for act in (
        lambda: add_comment(team.scientist, run, text=text),
        lambda: edit_comment(team.scientist, comment, text=text, version=1),
    ):
        with pytest.raises(Invalid) as refused:
            act()
        assert refused.value.field == "text"
    assert said(team.scientist, run) == ["good"]


def test_sending_a_comment_twice_says_it_once(team, run):
    key = uuid.uuid4()
    first = add_comment(team.scientist, run, text="once @Emil", key=key)
    assert not events_since(lambda: add_comment(team.scientist, run, text="once @Emil", key=key))
    assert said(team.scientist, run) == ["once @Emil"]
    assert len(told(team.engineer)) == 1
    for who, where in ((team.engineer, run), (team.scientist, a_run(team.scientist))):
        with pytest.raises(AlreadyExists):
            add_comment(who, where, text="theirs", key=first.pk)


# --- Changing and taking back


def test_only_who_wrote_a_comment_changes_it(team, run):
    comment = add_comment(team.scientist, run, text="mine")
    for who in (team.engineer, team.manager, team.auditor, operator()):
        with pytest.raises(Refused, match="Ada's"):
            edit_comment(who, comment, text="theirs", version=1)
    assert edit_comment(team.scientist, comment, text="better", version=1).version == 2


def test_of_two_windows_with_one_comment_the_second_is_told_and_nothing_is_lost(team, run):
    comment = add_comment(team.scientist, run, text="first")
    edit_comment(team.scientist, comment, text="from one window", version=1)
    with pytest.raises(Conflict, match="changed meanwhile"):
        edit_comment(team.scientist, comment, text="from the other", version=1)
    assert said(team.scientist, run) == ["from one window"]
    edit_comment(team.scientist, comment, text="both", version=2)
    assert not events_since(lambda: edit_comment(team.scientist, comment, text="both", version=2))  # sent again


def test_taking_back_empties_a_comment_and_keeps_its_place(team, run):
    first = add_comment(team.scientist, run, text="oops")
    add_comment(team.engineer, run, text="what?")
    remove_comment(team.scientist, first)
    assert not events_since(lambda: remove_comment(team.scientist, first))
    gone, _ = comments_of(team.engineer, run)
    assert (gone.text, gone.removed_by_id, gone.removed_why) == ("", team.scientist.user_id, "")
    with pytest.raises(Conflict, match="was removed"):
        edit_comment(team.scientist, first, text="no, wait", version=2)


def test_a_manager_removes_what_others_said_with_a_reason_that_is_shown(team, run):
    comment = add_comment(team.scientist, run, text="rude")
    for who in (team.engineer, team.auditor):
        with pytest.raises(Refused):
            remove_comment(who, comment, reason="I do not like it")
    with pytest.raises(Invalid) as refused:
        remove_comment(team.manager, comment)
    assert refused.value.field == "reason"
    (kept,) = events_since(lambda: remove_comment(team.manager, comment, reason="Against our rules."))
    assert kept.reason == "Against our rules."
    gone = get_comment(team.scientist, run, comment.pk)
    assert (gone.removed_by_id, gone.removed_why) == (team.manager.user_id, "Against our rules.")


def test_the_history_of_the_run_tells_of_comments_but_not_what_a_removed_one_said(team, run):
    kept = add_comment(team.scientist, run, text="stays")
    rude = add_comment(team.engineer, run, text="rude")
    edit_comment(team.scientist, kept, text="stays better", version=1)
    edit_comment(team.engineer, rude, text="ruder", version=1)
    remove_comment(team.manager, rude, reason="Rude.")
    events = history_of_run(team.auditor, run, limit=5)
    assert [one.past.event.verb.partition(".")[2] for one in events] == [
        *("remove_comment", "edit_comment", "edit_comment", "add_comment", "add_comment"),
    ]
    texts = str([change.fields for one in events for change in one.past.changes])
    assert "stays better" in texts
    assert "rude" not in texts


# --- Mentions


def test_who_is_mentioned_is_told_once_and_nobody_tells_themselves(team, run):
    comment = add_comment(team.scientist, run, text="@Emil and @emil, and I, @Ada. Not `@Mona`, nor x@Mona.")
    (line,) = told(team.engineer)
    assert line == f"Ada mentioned you in a comment on {run.readable_id} 'first try'."
    assert Notice.objects.get(user=team.engineer.user_id).url == f"/r/{run.uid.hex}/notes/#comment-{comment.pk.hex}"
    assert told(team.scientist) == told(team.manager) == []
    edit_comment(team.scientist, comment, text="@Emil and @Mona", version=1)
    edit_comment(team.scientist, comment, text="nobody", version=2)
    edit_comment(team.scientist, comment, text="@Mona and @Emil", version=3)
    assert (len(told(team.engineer)), len(told(team.manager))) == (1, 1)


def test_only_people_who_see_the_run_are_told_also_those_of_a_group(team, run, outsider):
    eve = a_person("Eve")
    join(team.project, a_group(eve), Role.ML_ENGINEER)
    site = a_person("Sita", site_role=Role.AUDITOR)
    add_comment(team.scientist, run, text=f"@Zoe @{user_of(outsider).email} @Eve @Sita @Root")
    assert told(outsider) == told(team.administrator) == []
    assert len(told(eve)) == len(told(site)) == 1
    assert {"Ada", "Emil", "Mona", "Otto", "Eve", "Sita"} == {user.name for user in people_to_mention(eve, run)}
    with pytest.raises(NotFound):
        people_to_mention(outsider, run)


def test_people_of_one_name_are_meant_by_their_addresses(team, run):
    twin = a_member(team.project, name="Ada")
    add_comment(team.engineer, run, text=f"@Ada, @{user_of(twin).email}: look")
    assert (len(told(team.scientist)), len(told(twin))) == (0, 1)
    people = people_to_mention(team.engineer, run)
    assert handle_of(user_of(twin), people) == user_of(twin).email
    assert handle_of(user_of(team.engineer), people) == "Emil"


def test_the_longest_name_that_fits_is_meant(team, run):
    longer = a_person("Emil Ada-Berg (ÖAW)", email="emil.ada@example.org")
    join(team.project, longer, Role.AUDITOR)
    people = people_to_mention(team.scientist, run)
    found = mentioned("@emil ada-berg (öaw): and @Emile, @Emily?", people)
    assert [user.pk for user in found] == [longer.user_id]


def test_what_another_action_refuses_leaves_no_notice(team, run):
    delete_run(team.scientist, run)
    with pytest.raises(MledError):
        add_comment(acting_as(user_of(team.scientist)), run, text="@Emil")
    assert told(team.engineer) == []
    assert not Comment.objects.filter(run=run).exists()
