"""Boards over REST: without an account, by a claim token, and by those who keep them."""

import json
import uuid

import pytest
from django.test import Client

from accounts.roles import Scope
from boards.actions.boards import end_board
from boards.claims import new_secret
from boards.models import Submission
from boards.queries.entries import entries_of, told
from tests.boards.making import a_board, a_guest, an_entry, wanted
from tests.factories import a_person, a_team, a_token, again, events_since, user_of

BODY = {
    "email": "noor@school.example",
    "model": "gradient boosting, 300 trees",
    "results": {"rmse": 0.612},
    "params": {"learning_rate": 0.05, "max_depth": 5},
}
STORED = ("catboost", "0.5714", "0.0311", "s.ito", "https://git.example.org/ito")


class Caller:
    """One who calls, with a credential or none."""

    def __init__(self, credential: str = "") -> None:
        self.client, self.headers = Client(), {"Authorization": f"Bearer {credential}"} if credential else {}

    def ask(self, method: str, path: str, body: object = None):
        data = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, f"/api/v1/{path}", data, "application/json", headers=self.headers)


@pytest.fixture
def at(board) -> str:
    """The address of the board, which has an entry of somebody else."""
    an_entry(
        board,
        rmse="0.5714",
        model="catboost",
        email="s.ito@school.example",
        params=[("rate", "0.0311")],
        code="https://git.example.org/ito",
    )
    return f"boards/{board.project.slug}/"


def reads(at: str) -> list[str]:
    return [f"{at}entries/", f"{at}entries/?model=cat", f"{at}entries/1/", f"{at}entries/export/", f"{at}entries/9/"]


def test_everybody_finds_boards_and_what_they_ask_for(board, at):
    listed = Caller().ask("GET", "boards/").json()["results"]
    assert board.project.slug in [one["slug"] for one in listed]
    told_to_all = Caller().ask("GET", at).json()
    assert (told_to_all["question"], told_to_all["takes_entries"], told_to_all["reads"]) == (
        board.question,
        True,
        False,
    )
    assert not any(text in json.dumps(told_to_all) for text in STORED)


def test_before_an_entry_nothing_is_told(board, at):
    stranger, _ = a_token(a_person())
    for caller in (Caller(), Caller(new_secret())):
        for path in reads(at):
            answer = caller.ask("GET", path)
            assert (answer.status_code, answer.json()["code"]) == (403, "SUBMISSION_REQUIRED"), path
            assert not any(text in answer.content.decode() for text in STORED)
    assert stranger


def test_one_call_submits_and_the_board_is_open_at_once(board, at):
    made = Caller().ask("POST", f"{at}entries/", BODY)
    assert made.status_code == 201
    entry, secret = made.json(), made.json()["claim_token"]
    assert (entry["number"], entry["rank"], entry["is_mine"], secret[:6]) == (2, 2, True, "claim_")
    mine = Caller(secret)
    for path in reads(at)[:4]:
        assert mine.ask("GET", path).status_code == 200, path
    assert [one["by"] for one in mine.ask("GET", f"{at}entries/").json()["results"]] == ["noor@school.example", "s.ito"]
    assert mine.ask("GET", f"{at}").json()["reads"]
    assert mine.ask("GET", f"{at}entries/9/").status_code == 404
    assert Caller(new_secret()).ask("GET", f"{at}entries/").status_code == 403


def test_form_and_call_give_the_same_record(board, at):
    from boards.actions.entries import submit_entry

    secret = Caller().ask("POST", f"{at}entries/", BODY).json()["claim_token"]
    submit_entry(a_guest(board, secret), board, wanted=wanted("0.612"))
    first, second = told(a := a_guest(board, secret), board, list(entries_of(a, board).filter(number__gt=1)))
    same = ("params", "results", "by", "code", "note", "result")
    assert [getattr(first, name) for name in same] == [getattr(second, name) for name in same]


def test_a_token_of_ones_own_making_makes_a_lost_answer_no_second_entry(board, at):
    caller, key = Caller(new_secret()), str(uuid.uuid4())
    first = caller.ask("POST", f"{at}entries/", BODY | {"key": key}).json()
    again_sent = caller.ask("POST", f"{at}entries/", BODY | {"key": key}).json()
    assert (first["number"], first["claim_token"]) == (again_sent["number"], "")
    assert Caller(new_secret()).ask("POST", f"{at}entries/", BODY | {"key": key}).status_code == 409


def test_what_is_wrong_is_told_field_by_field(board, at):
    answer = Caller().ask("POST", f"{at}entries/", {"email": "noor", "results": {"rmse": "0,6"}, "params": {"a": None}})
    assert answer.status_code == 400
    assert {one["field"] for one in answer.json()["problems"]} == {"email", "model", "results.rmse"}
    for body in (
        {"params": []},
        [],
        "text",
        {"results": {"rmse": [1]}},
        BODY | {"key": "x"},
        BODY | {"params": {"a" * 300: 1}},
    ):
        assert Caller().ask("POST", f"{at}entries/", body).status_code == 400, body
    assert Submission.objects.filter(board=board).count() == 1


def test_own_entries_are_changed_and_withdrawn_by_their_token_alone(board, at):
    secret = Caller().ask("POST", f"{at}entries/", BODY).json()["claim_token"]
    mine, other = Caller(secret), Caller(an_entry(board)[1])
    changed = mine.ask("PUT", f"{at}entries/2/", BODY | {"results": {"rmse": 0.5}})
    assert (changed.status_code, changed.json()["results"], changed.json()["rank"]) == (200, {"rmse": 0.5}, 1)
    for caller, status in ((other, 403), (Caller(), 403), (Caller(new_secret()), 403)):
        assert caller.ask("PUT", f"{at}entries/2/", BODY).status_code == status
        assert caller.ask("DELETE", f"{at}entries/2/").status_code == status
    assert mine.ask("DELETE", f"{at}entries/2/").status_code == 204
    assert mine.ask("DELETE", f"{at}entries/2/").status_code == 204
    assert mine.ask("GET", f"{at}entries/").json()["code"] == "SUBMISSION_REQUIRED"
    assert mine.ask("GET", f"{at}entries/2/").json()["state"] == "withdrawn"


def test_filters_and_the_file(board, at):
    secret = Caller().ask("POST", f"{at}entries/", BODY | {"model": "=SUM(A1)"}).json()["claim_token"]
    mine = Caller(secret)
    for asked, found in (
        ("where=max_depth%3C6", [2]),
        ("mine=true", [2]),
        ("email=s.ito@school.example", [1]),
        ("model=CAT", [1]),
    ):
        assert [one["number"] for one in mine.ask("GET", f"{at}entries/?{asked}").json()["results"]] == found, asked
    assert mine.ask("GET", f"{at}entries/?where=depth").status_code == 400
    table = b"".join(mine.ask("GET", f"{at}entries/export/").streaming_content).decode().splitlines()
    assert table[0].startswith("rank,entry,model,by,results.rmse,")
    assert table[1].startswith("1,1,catboost,s.ito,0.5714")
    assert "'=SUM(A1)" in table[2]


def test_taking_entries_out_is_on_record_with_the_claim_token(board, at):
    entry, secret = an_entry(board)
    [event] = events_since(lambda: Caller(secret).ask("GET", f"{at}entries/export/?format=csv&where=max_depth%3C6"))
    assert (event.verb, event.reason) == ("boards.note_entries_taken", "Exported 1 entry as CSV, filter: max_depth<6")
    assert (event.event.actor_kind, event.event.token_id) == ("guest", entry.claim_id)
    assert not events_since(lambda: Caller(new_secret()).ask("GET", f"{at}entries/export/"))


def test_members_read_and_submit_by_their_tokens_and_keep_the_board(team, board, at):
    entry = Submission.objects.get(board=board)
    _, scientist = a_token(team.scientist, scopes=[Scope.READ, Scope.LOG])
    _, manager = a_token(team.manager, scopes=list(Scope))
    assert Caller(scientist).ask("GET", f"{at}entries/").json()["results"][0]["by"] == "s.ito@school.example"
    made = Caller(scientist).ask("POST", f"{at}entries/", BODY).json()
    assert (made["claim_token"], made["is_mine"]) == ("", True)
    assert Caller(scientist).ask("POST", f"{at}entries/1/hide/", {"reason": "No."}).status_code == 403
    hidden = Caller(manager).ask("POST", f"{at}entries/1/hide/", {"reason": "Wrong file."}).json()
    assert (hidden["state"], hidden["state_why"], hidden["rank"]) == ("hidden", "Wrong file.", None)
    assert len(Caller(manager).ask("GET", f"{at}entries/?state=hidden").json()["results"]) == 1
    assert Caller(manager).ask("POST", f"{at}entries/1/show/").json()["state"] == "shown"
    [claim] = Caller(manager).ask("GET", f"{at}claims/").json()["results"]
    assert (claim["id"], claim["entries"]) == (str(entry.claim_id), 1)
    ended = Caller(manager).ask("POST", f"{at}claims/{claim['id']}/end/", {"reason": "Spam."})
    assert ended.json()["revoked_why"] == "Spam."
    assert Caller(scientist).ask("POST", f"{at}claims/{claim['id']}/end/", {"reason": "Spam."}).status_code == 403


def test_an_account_keeps_a_claim_token(board, at):
    _, secret = an_entry(board)
    zoe = a_person("Zoe")
    _, token = a_token(zoe, scopes=list(Scope))
    assert Caller(token).ask("GET", f"{at}entries/").json()["code"] == "SUBMISSION_REQUIRED"
    assert Caller(token).ask("POST", f"{at}claims/keep/", {"claim_token": secret}).json()["user"] == "Zoe"
    assert Caller(token).ask("GET", f"{at}entries/").status_code == 200
    assert Caller(secret).ask("POST", f"{at}claims/keep/", {"claim_token": secret}).status_code == 400
    assert Caller(token).ask("POST", f"{at}claims/keep/", {"claim_token": "x"}).status_code == 400


def test_a_manager_opens_and_ends_a_board(db):
    team = a_team()
    _, manager = a_token(team.manager, scopes=list(Scope))
    _, scientist = a_token(team.scientist, scopes=list(Scope))
    where, terms = f"projects/{team.project.slug}/board/", {"question": "Which?", "result_key": "auc"}
    assert Caller(manager).ask("GET", where).status_code == 404
    assert Caller(scientist).ask("PUT", where, terms).status_code == 403
    opened = Caller(manager).ask("PUT", where, terms).json()
    assert (opened["question"], opened["is_lower_better"], opened["takes_entries"]) == ("Which?", False, True)
    closed = Caller(manager).ask("PUT", where, terms | {"is_open": False}).json()
    assert not closed["takes_entries"]
    assert Caller().ask("POST", f"boards/{team.project.slug}/entries/", BODY).status_code == 400
    assert Caller(manager).ask("DELETE", where, {"reason": "Over."}).status_code == 204
    assert Caller().ask("GET", f"boards/{team.project.slug}/").status_code == 404
    assert Caller(manager).ask("GET", where).status_code == 200


def test_what_an_ended_board_kept_is_not_there_for_anybody_outside(team, board, at):
    _, secret = an_entry(board)
    end_board(team.manager, board, reason="Over.")
    for path in (at, *reads(at)):
        assert Caller(secret).ask("GET", path).status_code == 404, path


def test_too_many_calls_from_an_address_wait(board, at, settings):
    settings.MLED_REST_A_MINUTE = settings.MLED_REST_A_MINUTE | {"unknown": 2}
    assert [Caller().ask("GET", at).status_code for _ in range(3)][-1] == 429


def test_a_call_is_one_event(board, at):
    assert [one.verb for one in events_since(lambda: Caller().ask("POST", f"{at}entries/", BODY))] == [
        "boards.submit_entry"
    ]


def test_a_signed_in_page_session_works_too(team, board, at):
    client = Client()
    client.force_login(user_of(again(team.scientist)), backend="accounts.backends.EmailBackend")
    assert client.get(f"/api/v1/{at}entries/").status_code == 200


def test_two_boards_of_two_teams_are_apart(board, at):
    other = a_board(a_team())
    _, secret = an_entry(other)
    assert Caller(secret).ask("GET", f"{at}entries/").status_code == 403


def test_a_malformed_claim_token_stores_nothing(board, at):
    before = Submission.objects.count()
    answer = Caller("claim_x").ask("POST", f"{at}entries/", BODY)
    assert (answer.status_code, answer.json()["field"]) == (400, "claim_token")
    assert Submission.objects.count() == before
