"""A board opens to whoever gave an entry, and tells nothing before."""

import dataclasses

import pytest

from boards.actions.boards import set_terms
from boards.actions.entries import submit_entry, withdraw_entry
from boards.actions.moderation import end_claim, hide_entry, keep_claim, show_entry
from boards.claims import SubmissionRequired, new_secret, with_claim
from boards.conditions import read_conditions
from boards.models import Submission
from boards.queries.boards import boards_open_to, claims_of, get_board
from boards.queries.entries import Asked, columns_of, each_told, entries_of, get_entry, own_entries, told
from experiments.actions.runs import delete_run
from kernel.actor import Door, anonymous
from kernel.errors import Conflict, Invalid, NotFound, Refused, Unauthenticated
from tests.boards.making import TERMS, a_board, a_guest, a_reader, an_entry, wanted
from tests.factories import a_person, a_run, a_team, again, nobody


def numbers(viewer, board, **asked):
    return [one.number for one in entries_of(viewer, board, Asked(**asked))]


def test_everybody_meets_a_board_and_nobody_reads_it_without_an_entry(board):
    an_entry(board)
    for who in (nobody(), a_reader(board, new_secret()), a_guest(board), a_person()):
        assert get_board(who, board.project.slug) == board
        for read in (
            lambda w: list(entries_of(w, board)),
            lambda w: get_entry(w, board, 1),
            lambda w: list(each_told(w, board, Asked())),
            lambda w: columns_of(w, board),
        ):
            with pytest.raises(SubmissionRequired, match="opens when you submit"):
                read(who)
        assert not own_entries(who, board).exists()


def test_an_entry_opens_the_board_to_its_claim_token_alone(board):
    an_entry(board)
    _, mine = an_entry(board)
    assert numbers(a_reader(board, mine), board, order="number") == [1, 2]
    with pytest.raises(SubmissionRequired):
        numbers(a_reader(board, new_secret()), board)


def test_a_token_of_one_board_opens_no_other(board):
    other = a_board(a_team())
    _, secret = an_entry(board)
    with pytest.raises(SubmissionRequired):
        numbers(a_reader(other, secret), other)
    with pytest.raises(SubmissionRequired):
        numbers(dataclasses.replace(a_reader(board, secret), memo={}), other)


def test_typing_somebodys_address_opens_nothing(board):
    an_entry(board, email="noor@school.example")
    with pytest.raises(SubmissionRequired):
        numbers(a_reader(board, new_secret()), board, email="noor@school.example")


def test_withdrawing_the_only_entry_closes_it_again_unless_the_manager_lets_it_open(team, board):
    entry, secret = an_entry(board)
    withdraw_entry(a_guest(board, secret), entry)
    with pytest.raises(SubmissionRequired):
        numbers(a_reader(board, secret), board)
    board = set_terms(team.manager, board, terms=dataclasses.replace(TERMS, stays_open=True))
    assert numbers(a_reader(board, secret), board) == []


def test_members_read_as_usual_and_outsiders_with_an_account_do_not(team, board):
    an_entry(board)
    for who in (team.scientist, team.engineer, team.manager, team.auditor):
        assert numbers(who, board) == [1]
    with pytest.raises(SubmissionRequired):
        numbers(a_person(), board)


def test_guests_see_entries_and_nothing_else_of_the_project(team, board):
    _, secret = an_entry(board)
    a_run(team.scientist, name="internal")
    assert numbers(a_reader(board, secret), board) == [1]


def test_a_manager_takes_an_entry_off_with_a_reason_that_its_giver_sees(team, board):
    entry, secret = an_entry(board)
    _, others = an_entry(board)
    with pytest.raises(Invalid, match="Say why"):
        hide_entry(team.manager, entry, reason=" ")
    hide_entry(team.manager, entry, reason="Trained on the test file.")
    assert numbers(a_reader(board, others), board) == [2]
    with pytest.raises(SubmissionRequired):  # it opens the board no more
        numbers(a_reader(board, secret), board)
    assert own_entries(a_reader(board, secret), board).get().state_why == "Trained on the test file."
    show_entry(team.manager, entry)
    assert numbers(a_reader(board, secret), board, order="number") == [1, 2]


def test_only_managers_moderate(team, board):
    entry, secret = an_entry(board)
    for who in (team.scientist, team.engineer, team.auditor, a_person(), a_guest(board, secret)):
        with pytest.raises((Refused, NotFound, Unauthenticated)):
            hide_entry(who, entry, reason="No.")
        with pytest.raises((Refused, NotFound, Unauthenticated)):
            end_claim(who, entry.claim, reason="No.")
    for who in (a_person(), a_guest(board, secret)):
        assert not claims_of(who, board).exists()


def test_entries_wait_where_a_manager_looks_first(team):
    board = a_board(team, checks_first=True)
    entry, secret = an_entry(board)
    _, others = an_entry(board)
    assert entry.state == Submission.State.HELD
    assert numbers(a_reader(board, secret), board) == [1]  # one's own, and the board is open
    assert numbers(a_reader(board, others), board) == [2]
    assert numbers(team.manager, board, states=["held"], order="number") == [1, 2]
    assert numbers(team.scientist, board, states=["held"]) == []
    show_entry(team.manager, entry)
    assert numbers(a_reader(board, others), board, order="number") == [1, 2]


def test_an_ended_claim_token_reads_and_submits_nothing(team, board):
    entry, secret = an_entry(board)
    end_claim(team.manager, entry.claim, reason="Spam.")
    with pytest.raises(Refused, match="ended"):
        numbers(a_reader(board, secret), board)
    with pytest.raises(Refused, match="ended"):
        an_entry(board, secret)
    assert numbers(team.scientist, board) == [1]


def test_a_run_that_a_member_deletes_shows_no_more(team, board):
    _, secret = an_entry(board)
    other, _ = an_entry(board)
    delete_run(team.manager, other.run, reason="Broken.")
    assert numbers(a_reader(board, secret), board) == [1]


def test_an_account_keeps_a_claim_token_and_then_opens_the_board_anywhere(board):
    _, secret = an_entry(board)
    zoe, yan = a_person("Zoe"), a_person("Yan")
    keep_claim(with_claim(zoe, board, secret), board)
    keep_claim(with_claim(again(zoe), board, secret), board)  # once more changes nothing
    assert numbers(with_claim(again(zoe), board, ""), board) == [1]
    with pytest.raises(SubmissionRequired):
        numbers(with_claim(yan, board, ""), board)
    with pytest.raises(Conflict, match="another account"):
        keep_claim(with_claim(yan, board, secret), board)
    with pytest.raises(Invalid, match="no claim token"):
        keep_claim(with_claim(yan, board, new_secret()), board)


def test_entries_are_ranked_by_the_boards_result_and_ties_share_a_place(team, board):
    secrets = [an_entry(board, rmse=value)[1] for value in ("0.7", "0.5", "0.6", "0.5")]
    guest = a_reader(board, secrets[0])
    rows = list(entries_of(guest, board))
    assert [(one.submission.number, one.rank) for one in told(guest, board, rows)] == [(2, 1), (4, 1), (3, 3), (1, 4)]
    assert [one.number for one in entries_of(guest, board, Asked(order="-rank"))] == [1, 3, 2, 4]


def test_orders_go_by_any_column_with_what_has_none_last(board):
    _, secret = an_entry(board, rmse="0.7", params=[("depth", "10")])
    an_entry(board, rmse="0.6", params=[("depth", "9")])
    an_entry(board, rmse="0.5", params=[("other", "1")])
    guest = a_reader(board, secret)
    assert numbers(guest, board, order="depth") == [2, 1, 3]
    assert numbers(guest, board, order="-depth") == [1, 2, 3]
    assert numbers(guest, board, order="new") == [3, 2, 1]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("depth<10", [2]),
        ("depth >= 9", [1, 2]),
        ("depth=9.0", [2]),
        ("kernel=rbf", [3]),
        ("kernel~RB", [3]),
        ("depth!=9", [1]),
        ("rmse<0.65", [2, 3]),
        ("rmse=0.6", [2]),
        ("nothing=1", []),
    ],
)
def test_conditions_on_params_and_results(board, condition, found):
    _, secret = an_entry(board, rmse="0.7", params=[("depth", "10")])
    an_entry(board, rmse="0.6", params=[("depth", "9")])
    an_entry(board, rmse="0.5", params=[("kernel", "rbf")])
    assert numbers(a_reader(board, secret), board, where=read_conditions([condition]), order="number") == found


@pytest.mark.parametrize("text", ["depth", "<5", "depth<", "depth<deep", "a" * 501 + "=1", "a=\x00"])
def test_what_is_no_condition_is_told(text):
    with pytest.raises(Invalid) as told_wrong:
        read_conditions([text])
    assert told_wrong.value.field == "where"


def test_contributors_see_what_stands_before_the_at_and_members_the_whole_label(team, board):
    _, secret = an_entry(board, email="noor@school.example")
    an_entry(board, email="sami@school.example")
    [mine, theirs] = told(a := a_reader(board, secret), board, list(entries_of(a, board, Asked(order="number"))))
    assert (mine.by, theirs.by, theirs.email) == ("noor@school.example", "sami", "")
    assert numbers(a, board, email="SAMI@school.example") == [2]
    [one, _] = told(team.scientist, board, list(entries_of(team.scientist, board, Asked(order="number"))))
    assert one.by == "noor@school.example"


def test_the_statements_do_not_grow_with_the_entries(board, django_assert_max_num_queries):
    _, secret = an_entry(board)
    for _ in range(5):
        an_entry(board)
    guest = a_reader(board, secret)
    with django_assert_max_num_queries(14):
        assert len(told(guest, board, list(entries_of(guest, board)))) == 6


def test_a_private_project_has_no_board_for_anybody_outside(team):
    with pytest.raises(NotFound):
        get_board(anonymous(Door.WEB), team.project.slug)
    assert not boards_open_to(nobody()).filter(project=team.project).exists()


def test_a_guest_may_submit_more_with_the_same_token(board):
    _, secret = an_entry(board)
    assert submit_entry(a_guest(board, secret), board, wanted=wanted("0.5")).number == 2
    assert numbers(a_reader(board, secret), board, mine=True) == [2, 1]


def test_a_test_entry_shows_to_who_gave_it_alone_has_no_rank_and_opens_nothing(team, board):
    an_entry(board)
    secret = new_secret()
    entry = submit_entry(a_guest(board, secret), board, wanted=wanted("0"), is_test=True)
    with pytest.raises(SubmissionRequired):
        numbers(a_reader(board, secret), board)
    mine = a_reader(board, secret)
    assert numbers(mine, board, mine=True) == [entry.number]
    assert [one.rank for one in told(mine, board, [own_entries(mine, board).get()])] == [None]
    assert numbers(team.scientist, board) == [1]
    an_entry(board, secret)
    assert numbers(a_reader(board, secret), board, order="number") == [1, 2, 3]


def test_an_entry_that_was_taken_off_opens_nothing_by_being_withdrawn(team):
    board = a_board(team, stays_open=True)
    entry, secret = an_entry(board)
    hide_entry(team.manager, entry, reason="Spam.")
    withdraw_entry(a_guest(board, secret), entry)
    with pytest.raises(SubmissionRequired):
        numbers(a_reader(board, secret), board)
