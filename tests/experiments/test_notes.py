"""Names and notes of runs: changed by their authors, who see what they change."""

import time

import pytest

from experiments.actions.notes import NOTE, NOTE_MAX, edit_notes, state_of
from experiments.actions.runs import set_tags
from experiments.models import Run
from experiments.pages.notes import differences
from experiments.queries.notes import note_of
from experiments.queries.runs import tags_of
from kernel.errors import Conflict, Invalid, NotFound, Refused
from tests.factories import events_since


def now(run: Run, note: str = "") -> str:
    return state_of(Run.objects.get(pk=run.pk).name, note)


def test_of_two_who_edit_the_second_is_told_and_nothing_is_lost(ada, run):
    seen = now(run)
    edit_notes(ada, run, expected=seen, note="first")
    with pytest.raises(Conflict, match="nothing was saved"):
        edit_notes(ada, run, expected=seen, note="second")
    with pytest.raises(Conflict):
        edit_notes(ada, run, expected=seen, name="other")
    assert tags_of(ada, run)[NOTE] == "first"
    edit_notes(ada, run, expected=now(run, "first"), note="both", name="other")
    fresh = Run.objects.get(pk=run.pk)
    assert (fresh.name, tags_of(ada, run)[NOTE]) == ("other", "both")


def test_what_a_client_wrote_meanwhile_counts_as_well(ada, run):
    seen = now(run)
    set_tags(ada, run, tags={NOTE: "from a script"})
    with pytest.raises(Conflict):
        edit_notes(ada, run, expected=seen, note="mine")
    edit_notes(ada, run, expected="*", note="mine")


def test_saying_the_same_again_changes_nothing(ada, run):
    seen = now(run)
    edit_notes(ada, run, expected=seen, note="first")
    assert not events_since(lambda: edit_notes(ada, run, expected=seen, note="first"))


def test_only_the_author_writes(team, run, outsider):
    for who in (team.engineer, team.manager, team.auditor):
        with pytest.raises(Refused):
            edit_notes(who, run, expected="*", note="theirs")
    with pytest.raises(NotFound):
        edit_notes(outsider, run, expected="*", note="theirs")


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"name": "x" * 501}, {"note": "x" * (NOTE_MAX + 1)}, {"note": "\x00"}]
)
def test_what_cannot_be_kept_is_refused(ada, run, wrong):
    with pytest.raises(Invalid):
        edit_notes(ada, run, expected="*", **wrong)


def test_a_note_tells_who_wrote_it_last_whatever_else_happened_since(team, ada, run):
    assert note_of(ada, run).edited is None
    edit_notes(ada, run, expected="*", note="mine")
    set_tags(team.engineer, run, tags={"other": "1"})
    note = note_of(team.auditor, run)
    assert (note.text, note.edited.who) == ("mine", "Ada")


def test_two_long_notes_are_told_apart_at_once():
    began = time.process_time()
    found = list(
        differences("\n".join(f"line {n} abc" for n in range(2_000)), "\n".join(f"lime {n} abd" for n in range(2_000)))
    )
    assert time.process_time() - began < 15
    assert [(one.sign, one.text) for one in found[1_999:2_001]] == [("-", "line 1999 abc"), ("+", "lime 0 abd")]


def test_of_two_texts_the_lines_that_differ_are_told():
    assert [(one.sign, one.text) for one in differences("a\nb\nc", "a\nx\nc")] == [
        (" ", "a"),
        ("-", "b"),
        ("+", "x"),
        (" ", "c"),
    ]
