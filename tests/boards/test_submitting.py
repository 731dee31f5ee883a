"""Whoever comes gives an entry without an account; the claim token is the key to it."""

import dataclasses
import datetime as dt
import uuid

import pytest

from accounts.models import User
from boards.actions.boards import end_board, set_terms
from boards.actions.entries import change_entry, submit_entry, withdraw_entry
from boards.claims import as_contributor, digest_of, new_secret
from boards.models import ReaderPass, Submission
from boards.queries.boards import get_board
from boards.queries.entries import get_entry, own_entries, told
from boards.wanted import SIZE_MAX
from experiments.models import Run
from experiments.values import Lifecycle
from kernel.clock import now
from kernel.errors import (
    AlreadyExists,
    Conflict,
    Invalid,
    InvalidFields,
    NotFound,
    Refused,
    TooLarge,
    TooMany,
    Unauthenticated,
)
from tests.boards.making import TERMS, a_guest, a_reader, an_entry, wanted
from tests.factories import a_person, again, an_administrator, events_since


def test_an_entry_is_a_finished_run_of_the_board_by_nobody_who_has_an_account(team, board):
    people = User.objects.count()
    entry, _ = an_entry(board, code="https://example.org/code", note="First try.", seed="17")
    run = Run.objects.get(pk=entry.run_id)
    assert (entry.number, entry.state, run.status, run.created_by_id) == (1, "shown", "FINISHED", None)
    assert (run.experiment, run.project) == (board.experiment, team.project)
    [said] = told(team.scientist, board, [get_entry(team.scientist, board, 1)])
    assert said.params == {"learning_rate": "0.05", "max_depth": "5", "seed": "17"}
    assert (said.results, said.rank) == ({"rmse": 0.612}, 1)
    assert (said.code, said.note) == ("https://example.org/code", "First try.")
    assert (said.by, said.submission.run.name) == ("noor@school.example", "gradient boosting, 300 trees")
    assert User.objects.count() == people


def test_the_log_says_guest_and_the_claim_tokens_id(board):
    guest = a_guest(board)
    [event] = events_since(lambda: submit_entry(guest, board, wanted=wanted()))
    entry = Submission.objects.get()
    assert (event.verb, event.subject) == ("boards.submit_entry", f"boards.submission {entry.pk.hex}")
    assert (event.event.actor_kind, event.event.actor_id) == ("guest", None)
    assert event.event.token_id == guest.claim.id == entry.claim_id
    assert event.event.project_id == board.project_id


def test_only_the_digest_of_a_claim_token_is_kept_and_no_event_tells_it(board):
    secret = new_secret()
    [event] = events_since(lambda: an_entry(board, secret))
    held = ReaderPass.objects.get()
    assert held.digest == digest_of(secret)
    assert secret not in str(event.changes)
    assert held.digest not in str(event.changes)


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_kept(board):
    bad = wanted("0,6", email="noor", model=" ", code="ftp://x", params=[("a", ""), ("b", "1"), ("b", "2")])
    with pytest.raises(InvalidFields) as told_wrong:
        submit_entry(a_guest(board), board, wanted=bad)
    fields = {one.field for one in told_wrong.value.problems}
    assert fields == {"email", "model", "results.rmse", "params", "params.a", "code"}
    assert not Submission.objects.exists()
    assert not ReaderPass.objects.exists()


@pytest.mark.parametrize("text", ["", "javascript:alert(1)", "https://", "http://[", "https://a b", "x\x00y", "\ud800"])
def test_a_link_leads_to_a_page_or_is_refused(board, text):
    if not text:
        assert an_entry(board, code=text)[0].number == 1
        return
    with pytest.raises(InvalidFields) as refused:
        an_entry(board, code=text)
    assert {one.field for one in refused.value.problems} == {"code"}


def test_the_boards_own_result_is_needed(board):
    with pytest.raises(InvalidFields, match="The result is missing: RMSE on the test file"):
        submit_entry(a_guest(board), board, wanted=wanted(results=[("mae", "0.4")]))


def test_a_field_that_no_person_sees_gives_machines_away(board):
    with pytest.raises(Refused, match="machine"):
        an_entry(board, website="https://spam.example")


def test_an_entry_has_a_size(board):
    large = [(f"p{number}", "x" * 1900) for number in range(SIZE_MAX // 1900 + 1)]
    with pytest.raises(TooLarge, match="bytes"):
        an_entry(board, params=large)


def test_a_claim_token_gives_so_many_entries_a_day(team, board):
    set_terms(team.manager, board, terms=terms_with(entries_a_day=2))
    secret = new_secret()
    an_entry(board, secret)
    an_entry(board, secret)
    with pytest.raises(TooMany, match="2 entries"):
        an_entry(board, secret)
    assert an_entry(board)[0].number == 3


def test_an_address_gives_so_many_entries_an_hour(board, settings):
    settings.MLED_BOARD_ENTRIES_AN_HOUR = 2
    address = f"2001:db8::{uuid.uuid4().int % 0xFFFF:x}:{uuid.uuid4().int % 0xFFFF:x}"

    def come() -> None:
        submit_entry(dataclasses.replace(a_guest(board), ip=address), board, wanted=wanted())

    come()
    come()
    with pytest.raises(TooMany, match="address"):
        come()


def test_the_same_key_is_the_same_entry_and_anothers_is_refused(board):
    key, secret = uuid.uuid4(), new_secret()
    first = submit_entry(a_guest(board, secret), board, wanted=wanted(), key=key)
    assert submit_entry(a_guest(board, secret), board, wanted=wanted(), key=key).pk == first.pk
    with pytest.raises(AlreadyExists):
        submit_entry(a_guest(board), board, wanted=wanted(), key=key)
    assert Submission.objects.count() == 1
    assert ReaderPass.objects.count() == 1


def test_two_calls_with_the_same_new_claim_token_at_once_are_one_contributor(board):
    key, secret = uuid.uuid4(), new_secret()
    first, second = a_guest(board, secret), a_guest(board, secret)  # neither knows of the other
    made = submit_entry(first, board, wanted=wanted(), key=key)
    assert submit_entry(second, board, wanted=wanted(), key=key).pk == made.pk
    [event] = events_since(lambda: submit_entry(second, board, wanted=wanted()))
    assert event.event.token_id == ReaderPass.objects.get().pk


def test_a_closed_board_takes_no_entry_and_one_that_ended_is_not_there(team, board):
    entry, secret = an_entry(board)
    set_terms(team.manager, board, terms=terms_with(is_open=False))
    with pytest.raises(Conflict, match="no more entries"):
        an_entry(board)
    assert get_entry(a_reader(board, secret), board, 1) == entry
    end_board(team.manager, board, reason="The course is over.")
    with pytest.raises(Unauthenticated):
        submit_entry(a_guest(board), board, wanted=wanted())
    with pytest.raises(NotFound):
        get_board(a_reader(board, secret), board.project.slug)


def test_a_board_closes_by_itself(team, board):
    with pytest.raises(Invalid, match="is over"):
        set_terms(team.manager, board, terms=terms_with(closes_at=now() - dt.timedelta(minutes=1)))
    set_terms(team.manager, board, terms=terms_with(closes_at=now() + dt.timedelta(days=1)))
    board.refresh_from_db()
    assert board.takes_entries
    board.closes_at = now() - dt.timedelta(seconds=1)
    assert not board.takes_entries


def test_one_changes_ones_own_words_in_place_and_results_by_another_run(board):
    entry, secret = an_entry(board)
    guest = a_guest(board, secret)
    changed = change_entry(guest, entry, wanted=wanted(model="boosting", note="Better said."))
    assert (changed.run_id, changed.changed_at is not None) == (entry.run_id, True)
    other = change_entry(guest, entry, wanted=wanted("0.58", model="boosting"))
    before = Run.objects.get(pk=entry.run_id)
    assert other.run_id != before.pk
    assert before.lifecycle == Lifecycle.DELETED
    [said] = told(guest, board, [get_entry(a_reader(board, secret), board, 1)])
    assert (said.results, said.note, said.submission.number) == ({"rmse": 0.58}, "", 1)


def test_nobody_else_changes_or_withdraws_it(team, board):
    entry, _ = an_entry(board)
    _, others = an_entry(board)
    for who in (a_guest(board, others), team.scientist, team.manager, team.auditor, a_person(), an_administrator()):
        for act in (lambda w: change_entry(w, entry, wanted=wanted()), lambda w: withdraw_entry(w, entry)):
            with pytest.raises((Refused, NotFound)):
                act(who)
    assert Submission.objects.get(pk=entry.pk).state == "shown"


def test_a_withdrawn_entry_is_gone_from_the_board_and_stays_withdrawn(board):
    entry, secret = an_entry(board)
    an_entry(board, secret)
    withdraw_entry(a_guest(board, secret), entry)
    assert not events_since(lambda: withdraw_entry(a_guest(board, secret), entry))
    assert Run.objects.get(pk=entry.run_id).lifecycle == Lifecycle.DELETED
    with pytest.raises(NotFound):
        get_entry(a_reader(board, secret), board, 1)
    with pytest.raises(Conflict, match="withdrawn"):
        change_entry(a_guest(board, secret), entry, wanted=wanted())
    assert [one.number for one in own_entries(a_reader(board, secret), board)] == [2, 1]


def test_members_submit_in_their_own_name_and_auditors_do_not(team, board):
    mine = submit_entry(team.scientist, board, wanted=wanted())
    assert (mine.claim_id, Run.objects.get(pk=mine.run_id).created_by_id) == (None, team.scientist.user_id)
    withdraw_entry(again(team.scientist), mine)
    for who in (team.auditor, an_administrator()):
        with pytest.raises((Refused, NotFound)):
            submit_entry(who, board, wanted=wanted())


def test_somebody_signed_in_without_a_part_in_the_project_contributes_as_a_guest_and_keeps_the_token(board):
    zoe = a_person("Zoe")
    entry = submit_entry(as_contributor(zoe, board, new_secret()), board, wanted=wanted())
    assert entry.claim.user_id == zoe.user_id
    assert Run.objects.get(pk=entry.run_id).created_by_id == zoe.user_id


def terms_with(**more):
    return dataclasses.replace(TERMS, **more)
