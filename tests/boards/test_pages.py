"""Boards on pages: the form, what it opens, and where managers keep a board."""

import re

import pytest
from django.test import Client

from boards.claims import new_secret
from boards.models import Board, ReaderPass, Submission
from tests.boards.making import a_board, an_entry
from tests.factories import a_person, a_team, again, user_of

STORED = ("catboost", "0.5714", "0.0311", "s.ito", "git.example.org", "17.25")
TYPED = {
    "email": "noor@school.example",
    "model": "gradient boosting",
    "result": "0.612",
    "seed": "17",
    "params": '{"learning_rate": 0.05, "max_depth": 5}',
    "further": "",
    "code": "",
    "note": "",
}


def browser(actor=None) -> Client:
    client = Client()
    if actor is not None:
        client.force_login(user_of(again(actor)), backend="accounts.backends.EmailBackend")
    return client


def text_of(answer) -> str:
    return answer.content.decode()


@pytest.fixture
def at(board) -> str:
    """The address of the board, which has an entry of somebody else."""
    an_entry(
        board,
        rmse="0.5714",
        model="catboost",
        email="s.ito@school.example",
        params=[("rate", "0.0311"), ("depth", "17.25")],
        code="https://git.example.org/ito",
    )
    return f"/boards/{board.project.slug}/"


def form_of(client: Client, at: str) -> dict[str, str]:
    """The hidden fields of the form, as a browser sends them."""
    html = text_of(client.get(f"{at}new/"))
    return {name: re.search(rf'name="{name}" value="([^"]*)"', html)[1] for name in ("key", "claim_token")}


def submit(client: Client, at: str, **typed: str):
    return client.post(at, TYPED | form_of(client, at) | typed)


def test_the_list_and_the_invitation_tell_nothing_of_entries(board, at):
    for path in ("/boards/", at, f"{at}new/"):
        answer = browser().get(path)
        assert answer.status_code == 200
        assert board.question in text_of(answer)
        assert not any(text in text_of(answer) for text in STORED), path
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("below", ["entries/1/", "entries/9/", "entries.csv", "news/?after=0"])
def test_before_an_entry_what_lies_below_is_refused(board, at, below):
    for client in (browser(), browser(a_person())):
        answer = client.get(f"{at}{below}")
        assert answer.status_code == 403
        assert not any(text in text_of(answer) for text in STORED)


def test_one_form_opens_the_board_and_shows_the_claim_token_once(board, at):
    client = browser()
    answer = submit(client, at)
    assert (answer.status_code, answer["Location"]) == (302, at)
    cookie = client.cookies[f"mled_claim_{board.project.slug}"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (at, True, "Lax")
    opened = text_of(client.get(at))
    assert "Entry 2 is stored, rank 2 of 2" in opened
    assert cookie.value in opened
    assert all(text in opened for text in ("catboost", "0.5714", "s.ito"))
    assert "s.ito@school.example" not in opened
    assert cookie.value not in text_of(client.get(at))
    assert "No entry of this board" not in opened
    assert client.get(f"{at}entries/1/").status_code == 200
    assert b"catboost" in b"".join(client.get(f"{at}entries.csv").streaming_content)
    assert browser().get(f"{at}entries/1/").status_code == 403


def test_a_double_click_is_one_entry_of_one_contributor(board, at):
    first, second = browser(), browser()
    hidden = form_of(first, at)
    for client in (first, second):
        assert client.post(at, TYPED | hidden).status_code == 302
    assert Submission.objects.filter(board=board).count() == 2  # this one, and the one that was there
    assert ReaderPass.objects.filter(board=board).count() == 2
    assert "Entry 2 is stored" in text_of(second.get(at))


def test_what_is_wrong_stands_at_its_fields_and_what_was_typed_stays(board, at):
    client = browser()
    answer = submit(client, at, email="noor", result="0,6", params='{"a": 1', code="x", further="b: c")
    html = text_of(answer)
    assert answer.status_code == 400
    for words in (
        "is not an e-mail address",
        "Write 0.6 with a point",
        "This is no JSON",
        "This is no link",
        "Not a number",
    ):
        assert words in html, words
    assert "gradient boosting" in html
    assert Submission.objects.filter(board=board).count() == 1


@pytest.mark.parametrize(
    "odd",
    [
        {"key": "x"},
        {"key": ""},
        {"claim_token": "claim_short"},
        {"result": "1e999"},
        {"result": "\x00"},
        {"params": "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")},
        {"model": "x" * 501},
        {"params": "[" * 2000},
        {"website": "https://spam.example"},
        {"email": "a" * 300},
    ],
)
def test_no_input_costs_an_error_of_the_server(board, at, odd):
    assert submit(browser(), at, **odd).status_code in (302, 400, 403)


@pytest.mark.parametrize(
    "query",
    ["order=nothing", "order=-", "page=x", "page=99", "where=depth", "where=a%00=1", "model=%F0%9F%98%80", "mine=1"],
)
def test_no_address_costs_an_error_of_the_server(board, at, query):
    client = browser()
    submit(client, at)
    assert client.get(f"{at}?{query}").status_code in (200, 400)
    assert client.get(f"{at}news/?{query}&after=x").status_code in (200, 400)


def test_the_question_of_the_address_is_kept_in_every_link(board, at):
    client = browser()
    submit(client, at)
    html = text_of(client.get(f"{at}?where=depth%3E10&order=-depth"))
    assert "catboost" in html
    assert "gradient boosting</a>" not in html
    assert "1 of 2" in html
    assert f"{at}entries.csv?where=depth%3E10&amp;order=-depth" in html


def test_news_counts_what_came_since_and_matches(board, at):
    client = browser()
    submit(client, at)
    assert client.get(f"{at}news/?after=2").json() == {"new": 0, "newest": 2}
    an_entry(board, model="ridge")
    assert client.get(f"{at}news/?after=2").json() == {"new": 1, "newest": 3}
    assert client.get(f"{at}news/?after=2&model=cat").json()["new"] == 0


def test_one_edits_and_withdraws_ones_own_entry_and_no_other(board, at):
    client = browser()
    submit(client, at)
    form = text_of(client.get(f"{at}entries/2/change/"))
    assert 'value="0.612"' in form
    assert "learning_rate" in form
    changed = client.post(f"{at}entries/2/change/", TYPED | {"key": "0" * 32, "result": "0.5"})
    assert changed.status_code == 302
    assert "0.5000" in text_of(client.get(f"{at}entries/2/"))
    assert client.get(f"{at}entries/1/change/").status_code == 404
    assert client.post(f"{at}entries/1/withdraw/").status_code == 404
    assert client.post(f"{at}entries/2/withdraw/").status_code == 302
    assert "The board opens when you submit" in text_of(client.get(at))


def test_an_edit_that_changes_nothing_keeps_the_run(board, at):
    client = browser()
    submit(client, at, result="0.1", further="mae: 1e-7")
    before = Submission.objects.get(board=board, number=2).run_id
    html = text_of(client.get(f"{at}entries/2/change/"))
    fields = {name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', html)[1] for name in ("result", "seed", "model")}
    areas = {name: re.search(rf'name="{name}"[^>]*>\s*([^<]*)<', html)[1] for name in ("params", "further")}
    typed = TYPED | fields | {name: text.replace("&quot;", '"') for name, text in areas.items()} | {"key": "0" * 32}
    assert client.post(f"{at}entries/2/change/", typed).status_code == 302
    assert Submission.objects.get(board=board, number=2).run_id == before


def test_another_browser_opens_with_the_claim_token_and_forgets_it_again(board, at):
    _, secret = an_entry(board)
    client = browser()
    for wrong in ("", "claim_x", new_secret()):
        answer = client.post(f"{at}claim/", {"claim_token": wrong})
        assert answer.status_code == 400
        assert 'id="claim_error"' in text_of(answer)
    assert client.post(f"{at}claim/", {"claim_token": f" {secret}\n"}).status_code == 302
    assert "catboost" in text_of(client.get(at))
    client.post(f"{at}claim/leave/")
    assert "catboost" not in text_of(client.get(at))


def test_somebody_signed_in_keeps_the_claim_token_with_the_account(board, at):
    zoe = a_person("Zoe")
    _, secret = an_entry(board)
    client = browser(zoe)
    client.post(f"{at}claim/", {"claim_token": secret})
    assert "Keep it with my account" in text_of(client.get(at))
    assert client.post(f"{at}claim/keep/").status_code == 302
    assert "catboost" in text_of(browser(zoe).get(at))


def test_an_entry_that_was_taken_off_tells_its_giver_why(team, board, at):
    client, manager = browser(), browser(team.manager)
    submit(client, at)
    where = f"/p/{board.project.slug}/board/"
    assert manager.post(f"{where}entries/2/hide/", {"reason": ""}).status_code == 302
    assert Submission.objects.get(board=board, number=2).state == "shown"
    manager.post(f"{where}entries/2/hide/", {"reason": "Trained on the test file."})
    assert "Trained on the test file." in text_of(client.get(at))
    assert "catboost" not in text_of(client.get(at))
    assert "Trained on the test file." in text_of(manager.get(f"{where}?state=hidden"))
    manager.post(f"{where}entries/2/show/", {"state": "hidden"})
    assert "catboost" in text_of(client.get(at))


def test_a_manager_opens_sets_and_ends_a_board(db):
    team = a_team()
    manager, where = browser(team.manager), f"/p/{team.project.slug}/board/"
    assert "Open this project as a board" in text_of(manager.get(where))
    bad = manager.post(where, {"question": "", "result_key": "a//b", "entries_a_day": "0"})
    assert bad.status_code == 400
    terms = {"question": "Which?", "result_key": "auc", "entries_a_day": "5", "is_open": "on"}
    assert manager.post(where, terms).status_code == 302
    board = Board.objects.get(project=team.project)
    assert (board.question, board.entries_a_day, board.is_open) == ("Which?", 5, True)
    assert "Which?" in text_of(browser().get(f"/boards/{team.project.slug}/"))
    assert "Contribution board" in text_of(manager.get(f"/p/{team.project.slug}/"))
    manager.post(where, {name: text for name, text in terms.items() if name != "is_open"})
    assert "takes no more entries" in text_of(browser().get(f"/boards/{team.project.slug}/"))
    manager.post(f"{where}end/", {"reason": "Over."})
    assert browser().get(f"/boards/{team.project.slug}/").status_code == 404
    assert "Contribution board" not in text_of(manager.get(f"/p/{team.project.slug}/"))


def test_a_claim_token_is_ended_on_the_page(team, board, at):
    client, manager, where = browser(), browser(team.manager), f"/p/{board.project.slug}/board/"
    submit(client, at)
    claim = Submission.objects.get(board=board, number=2).claim
    assert claim.pk.hex[:8] in text_of(manager.get(where))
    manager.post(f"{where}claims/{claim.pk}/end/", {"reason": "Spam."})
    html = text_of(client.get(at))
    assert "ended by those who keep the board" in html
    assert "Submit and open" not in html


def test_members_read_and_submit_but_do_not_keep(team, board, at):
    where = f"/p/{board.project.slug}/board/"
    for who in (team.scientist, team.engineer, team.auditor):
        client = browser(who)
        assert "catboost" in text_of(client.get(at))
        assert client.get(where).status_code == 200
        for path in ("", "end/", "entries/1/hide/", "entries/1/show/"):
            assert client.post(f"{where}{path}", {"reason": "No."}).status_code == 403, path
    submit(browser(team.scientist), at)
    assert Submission.objects.get(board=board, number=2).claim_id is None
    assert browser(a_person()).get(where).status_code == 404


def test_two_boards_keep_their_cookies_apart(board, at):
    other = a_board(a_team())
    client = browser()
    submit(client, at)
    assert "The board opens when you submit" in text_of(client.get(f"/boards/{other.project.slug}/"))


def test_results_further_apart_than_a_number_reaches_cost_no_reader_the_page(board, at):
    client = browser()
    for result, kind in (("1e308", "a"), ("-1e308", "b"), ("1", "a"), ("2", "b")):
        assert submit(client, at, result=result, params=f'{{"kind": "{kind}", "wide": {result}}}').status_code == 302
    answer = client.get(at)
    assert answer.status_code == 200
    assert "nan" not in text_of(answer)
