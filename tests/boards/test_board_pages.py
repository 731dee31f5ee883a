"""A public board in the browser: the invitation, the form, the table that an entry opens."""

import dataclasses
import uuid

import pytest
from django.conf import settings
from django.test import Client

from boards.actions.boards import end_board, set_terms
from boards.actions.moderation import end_claim, hide_entry, show_entry
from boards.claims import new_secret
from boards.models import ReaderPass, Submission
from boards.queries.entries import get_entry, told
from tests.boards.making import TERMS, a_guest, an_entry
from tests.boards.visiting import TYPED, Browser, text_of, value_of
from tests.factories import a_person, a_token

# What an entry of somebody else says; none of it shows before an entry of one's own.
STORED = {
    "model": "catboost ordered",
    "email": "s.ito@school.example",
    "rmse": "0.5714",
    "params": [("bagging_temperature", "0.7319"), ("grow_policy", "Lossguide")],
    "code": "https://git.example.org/ito",
    "note": "Ordered boosting won.",
}
WORDS = ("catboost", "s.ito", "0.5714", "bagging_temperature", "0.7319", "Lossguide", "example.org/ito", "won")
BELOW = ("entries.csv", "news/?after=0", "entries/1/", "entries/1/change/", "entries/1/withdraw/")


@pytest.fixture
def stored(board) -> Submission:
    return an_entry(board, **STORED)[0]


@pytest.fixture
def visitor(board, stored) -> Browser:
    return Browser(board)


def tells_nothing(page: str) -> bool:
    return not [word for word in WORDS if word in page] and str(Submission.objects.get(number=1).pk) not in page


# --- Before an entry


def test_before_an_entry_there_is_the_form_and_nothing_of_the_board(visitor):
    page = visitor.get()
    assert "The board opens when you submit" in page
    assert "Predict the rating of a wine" in page
    assert tells_nothing(page)
    assert "no-store" in visitor.response["Cache-Control"]
    assert "--board" in page
    assert value_of(page, "claim_token").startswith("claim_")


@pytest.mark.parametrize("query", ["model=cat", "where=bagging_temperature<1", "mine=1", "order=new", "page=1"])
def test_no_filter_opens_it(visitor, query):
    assert tells_nothing(visitor.get(f"?{query}"))


@pytest.mark.parametrize("below", BELOW)
def test_what_lies_below_is_the_invitation(visitor, below):
    expecting = 404 if "change" in below or "withdraw" in below else 403
    page = visitor.get(below, expecting=expecting)
    assert tells_nothing(page)
    assert expecting == 404 or "SUBMISSION_REQUIRED" in page


def test_an_unknown_claim_token_or_somebodys_email_opens_nothing(board, visitor):
    for secret in (new_secret(), "claim_", "", "x" * 3000, "claim_" + "é" * 43):
        assert tells_nothing(Browser(board, secret=secret).get())
    assert tells_nothing(visitor.get("?email=s.ito@school.example"))
    visitor.post("claim/", expecting=400, claim_token="s.ito@school.example")
    assert "This is no claim token" in visitor.post("claim/", expecting=400, claim_token="nonsense")
    assert "No entry of this board" in visitor.post("claim/", expecting=400, claim_token=new_secret())
    assert tells_nothing(visitor.get())


# --- Submitting


def test_one_page_leads_from_nothing_to_the_table_without_a_password(board, visitor):
    page = visitor.get()
    assert "password" not in page.replace("no account, no password", "")
    visitor.submit()
    assert visitor.response["Location"] == visitor.at
    opened = visitor.get()
    shown = text_of(opened)
    assert "Entry 2 is stored, rank 2 of 2." in shown
    assert visitor.secret in opened
    assert "catboost ordered" in shown
    assert "You" in shown
    assert visitor.secret not in visitor.get(), "the claim token is shown once"
    [entry] = told(a_guest(board, visitor.secret), board, [get_entry(a_guest(board, visitor.secret), board, 2)])
    assert entry.params == {"learning_rate": "0.050", "max_depth": "5", "seed": "17"}
    assert (entry.results, entry.code, entry.note) == (
        {"rmse": 0.612},
        "https://git.example.org/noor",
        "First *try*.",
    )


def test_the_claim_token_lies_in_a_cookie_of_this_board_alone(visitor):
    visitor.submit()
    cookie = visitor.response.cookies[f"mled_claim_{visitor.board.project.slug}"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (visitor.at, True, "Lax")
    assert bool(cookie["secure"]) == settings.SESSION_COOKIE_SECURE
    assert cookie["max-age"] == 365 * 24 * 3600
    assert "mled_session" not in visitor.client.cookies


def test_a_double_click_is_one_entry_of_one_contributor(board, visitor):
    typed = TYPED | visitor.form()
    visitor.post(**typed)
    other_tab = Browser(board)
    other_tab.post(**typed)
    assert Submission.objects.count() == 2
    assert ReaderPass.objects.filter(submissions__number=2).count() == 1
    assert other_tab.secret == visitor.secret


def test_the_same_form_with_other_words_is_another_entry(visitor):
    typed = TYPED | visitor.form()
    visitor.post(**typed)
    visitor.post(**(typed | {"result": "0.6"}))
    assert list(Submission.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3]


def test_further_results_are_kept_beside_the_boards_own(board, visitor):
    visitor.submit(further='{"mae": 0.45, "rmse": 0.612}')
    [entry] = told(a_guest(board, visitor.secret), board, [get_entry(a_guest(board, visitor.secret), board, 2)])
    assert entry.results == {"rmse": 0.612, "mae": 0.45}


def test_a_bad_form_keeps_what_was_typed_and_says_what_is_wrong(visitor):
    page = visitor.submit(expecting=400, email="noor", result="0,6", params="{broken", code="ftp://x")
    shown = text_of(page)
    for words in ("is not an e-mail address", "Write 0.6 with a point", "This is no JSON", "This is no link"):
        assert words in shown
    assert value_of(page, "result") == "0,6"
    assert "{broken" in page
    assert tells_nothing(page)
    assert Submission.objects.count() == 1


def test_an_empty_form_says_what_it_needs(visitor):
    page = visitor.submit(expecting=400, **dict.fromkeys(TYPED, ""))
    shown = text_of(page)
    for words in ("Whose entry is it?", "What was it made with?", "The result is missing: RMSE on the test file"):
        assert words in shown


def test_who_fills_in_the_hidden_field_is_no_person(visitor):
    page = visitor.submit(expecting=403, website="https://spam.example")
    assert "looks like a machine" in page
    assert 'name="website" tabindex="-1" autocomplete="off">' in page
    assert Submission.objects.count() == 1


@pytest.mark.parametrize(
    "typed",
    [
        {"params": "[" * 500},
        {"params": "a: &x 1\nb: *x"},
        {"params": '{"a": ' * 100},
        {"params": "x" * 99_999},
        {"params": '{"' + "k" * 300 + '": 1}'},
        {"further": '{"mae": "nan"}'},
        {"result": "1e999"},
        {"email": "a\x00b@example.org"},
        {"model": "m" * 5000},
        {"key": "x"},
        {"note": "n" * 70_000},
        {"code": "http://["},
        {"seed": "\x00"},
        {"params": '{"seed": 3}', "seed": "4"},
        {"email": "é" * 200 + "@example.org"},
    ],
)
def test_no_input_breaks_it(visitor, typed):
    response = visitor.client.post(visitor.at, TYPED | visitor.form() | typed)
    assert response.status_code in (400, 413), text_of(response.content.decode())
    assert Submission.objects.count() == 1
    assert 'role="alert"' in response.content.decode()


@pytest.mark.parametrize("token", ["", "x", "\x00", "claim_short", "é"])
def test_a_hidden_claim_token_of_any_kind_does_no_harm(visitor, token):
    response = visitor.client.post(visitor.at, TYPED | visitor.form() | {"claim_token": token})
    assert response.status_code in (302, 400)


def test_a_form_from_elsewhere_is_refused(visitor):
    client = Client(enforce_csrf_checks=True)
    assert client.post(visitor.at, TYPED).status_code == 403
    assert Submission.objects.count() == 1


def test_too_many_entries_are_told_on_the_form(team, board, visitor):
    set_terms(team.manager, board, terms=dataclasses.replace(TERMS, entries_a_day=1))
    visitor.submit()
    page = visitor.post(expecting=429, **(TYPED | {"result": "0.5"}))
    assert "Try again tomorrow" in page
    assert value_of(page, "result") == "0.5"


# --- After it


def test_another_browser_opens_the_board_by_the_claim_token(board, visitor):
    visitor.submit()
    other = Browser(board)
    assert tells_nothing(other.get())
    other.post("claim/", claim_token=f"  {visitor.secret}\n")
    assert "catboost" in other.get()
    other.post("claim/leave/")
    assert tells_nothing(other.get())


def test_the_filter_and_the_order_are_in_the_address(board, visitor):
    an_entry(board, rmse="0.7", model="ridge", params=[("alpha", "3"), ("max_depth", "9")])
    visitor.submit()
    assert "1 of 3" in text_of(visitor.get(model="BOOSTING"))
    page = visitor.get(where="max_depth<6")
    assert "gradient boosting" in page
    assert "ridge" not in page
    assert "1 of 3" in text_of(visitor.get(email="s.ito@school.example"))
    page = visitor.get(order="-rank")
    assert page.index("ridge") < page.index("catboost ordered")
    assert 'aria-sort="descending"' in page
    assert "alpha" in visitor.get(columns="params.alpha")
    assert "No entry matches" in visitor.get(model="zzz")
    page = visitor.get(where="nonsense")
    assert "is no condition" in text_of(page)
    assert "ridge" in page


@pytest.mark.parametrize(
    "query",
    [
        {"page": "x"},
        {"page": "99999999999999999999"},
        {"order": "-"},
        {"order": "'; drop table"},
        {"order": "y" * 900},
        {"where": ["a<b", "=", "x" * 900]},
        {"where": [f"a<{n}" for n in range(40)]},
        {"model": "%_\\" * 200},
        {"email": "e" * 5000},
        {"columns": ["nothing", "params.", "results.rmse"]},
        {"mine": "2"},
    ],
)
def test_no_address_breaks_it(visitor, query):
    visitor.submit()
    visitor.get(**query)
    status = visitor.client.get(f"{visitor.at}news/", query | {"after": "x", "known": "9" * 30}).status_code
    assert status == 200
    assert visitor.client.get(f"{visitor.at}entries.csv", query).status_code in (200, 400)


def test_an_open_page_hears_of_what_is_new_and_matches(board, visitor):
    visitor.submit()
    known = {"after": 2, "known": 2}
    assert '"new": 0' in visitor.get("news/", **known)
    an_entry(board, model="ridge", rmse="0.5")
    assert '"new": 1' in visitor.get("news/", **known)
    assert '"new": 0' in visitor.get("news/", **known, model="zzz")


def test_a_table_has_fifty_rows_and_leads_on(board, visitor):
    for number in range(52):
        an_entry(board, model=f"forest {number:02}", rmse=f"0.9{number:02}")
    visitor.submit()
    page = visitor.get()
    assert page.count("data-ref=") == 50
    assert "1 to 50 of 54" in text_of(page)
    assert visitor.get(page=2).count("data-ref=") == 4


def test_the_table_asks_as_much_of_many_entries_as_of_few(board, visitor, django_assert_max_num_queries):
    visitor.submit()
    visitor.get()
    for number in range(20):
        an_entry(board, model=f"forest {number}", rmse=f"0.9{number:02}")
    with django_assert_max_num_queries(45):
        visitor.get()


def test_correlations_need_a_few_entries_and_say_how_many(board, visitor):
    visitor.submit()
    assert "At least 3 entries are needed" in text_of(visitor.get())
    for number in range(6):
        an_entry(
            board, rmse=f"0.9{number}", params=[("depth", str(number)), ("kernel", "rbf" if number % 2 else "poly")]
        )
    shown = text_of(visitor.get())
    assert "Spearman, n = 8" in shown
    assert "depth +1.00" in shown
    assert "chance alone" in shown
    assert "Spearman, n = 3" in text_of(visitor.get(where="depth>2"))


def test_ones_own_entry_stands_beside_the_best(visitor):
    visitor.submit()
    assert "Your entry against the best Field Entry 1 You RMSE on the test file ↓ 0.5714 0.612" in text_of(
        visitor.get()
    )


def test_the_file_is_a_table_of_what_matches(board, visitor):
    an_entry(board, model="=HYPERLINK(1)", rmse="0.9")
    visitor.submit()
    text = visitor.get("entries.csv")
    assert visitor.response["Content-Type"].startswith("text/csv")
    assert "catboost ordered" in text
    assert "'=HYPERLINK" in text
    assert "catboost" not in visitor.get("entries.csv", model="gradient")


# --- One entry


def test_an_entry_says_all_that_it_holds_and_its_links_vouch_for_nothing(board, visitor):
    an_entry(board, note="![x](https://spy.example/p.png) <script>alert(1)</script> **bold**", rmse="0.8")
    visitor.submit()
    page = visitor.get("entries/1/")
    for word in WORDS:
        assert word in page, word
    assert "s.ito@school.example" not in page
    assert '<a href="https://git.example.org/ito" rel="nofollow ugc noopener' in page
    assert "Change" not in text_of(page)
    note = visitor.get("entries/2/")
    assert "<img" not in note
    assert "<script>alert" not in note
    assert "<strong>bold</strong>" in note


def test_ones_own_entry_is_changed_by_the_same_form(board, visitor):
    visitor.submit()
    form = visitor.get("entries/2/change/")
    assert value_of(form, "result") == "0.612"
    assert value_of(form, "email") == "noor@school.example"
    assert "&quot;learning_rate&quot;: 0.050" in form
    visitor.post("entries/2/change/", **(TYPED | {"result": "0.6", "params": '{"max_depth": 7}'}))
    shown = text_of(visitor.get("entries/2/"))
    assert "Entry 2 is changed." in shown
    assert "max_depth 7" in shown
    page = visitor.post("entries/2/change/", expecting=400, **(TYPED | {"result": "x"}))
    assert "is not a number" in text_of(page)


def test_withdrawing_asks_first_and_the_only_entry_closes_the_board(visitor):
    visitor.submit()
    assert "Withdraw entry 2?" in visitor.get("entries/2/withdraw/")
    assert Submission.objects.get(number=2).state == "shown"
    visitor.post("entries/2/withdraw/")
    assert tells_nothing(visitor.get())
    visitor.get("entries/1/", expecting=403)


def test_entries_of_others_are_neither_changed_nor_withdrawn(visitor):
    visitor.submit()
    for verb in ("change", "withdraw"):
        visitor.get(f"entries/1/{verb}/", expecting=404)
        visitor.post(f"entries/1/{verb}/", expecting=404, **TYPED)
    visitor.get("entries/99999999999999999999999/", expecting=404)


def test_who_was_taken_off_reads_why_and_nothing_else(team, board, visitor):
    visitor.submit()
    hide_entry(team.manager, Submission.objects.get(number=2), reason="The test file was used to train.")
    page = visitor.get()
    assert tells_nothing(page)
    assert "The test file was used to train." in page
    assert "The test file was used to train." in visitor.get("entries/2/")


def test_a_claim_token_that_ended_says_so(team, board, visitor):
    visitor.submit()
    end_claim(team.manager, ReaderPass.objects.get(submissions__number=2), reason="Spam.")
    page = visitor.get()
    assert tells_nothing(page)
    assert "was ended by those who keep the board" in page
    visitor.get("entries/1/", expecting=403)
    visitor.post("claim/leave/")
    assert "Submit and open the board" in visitor.get()


def test_a_closed_board_takes_nothing_and_is_still_read(team, board, visitor):
    visitor.submit()
    set_terms(team.manager, board, terms=dataclasses.replace(TERMS, is_open=False))
    assert "catboost" in visitor.get()
    assert "Another entry" not in text_of(visitor.get())
    fresh = Browser(board)
    assert "It takes no more entries" in fresh.get()
    fresh.post(expecting=409, **TYPED)


def test_an_ended_board_is_not_there(team, board, visitor):
    visitor.submit()
    end_board(team.manager, board)
    for below in ("", "entries/1/", "entries.csv", "new/"):
        visitor.get(below, expecting=404)
    assert board.project.name not in visitor.get("/boards/")


# --- The list, the sign-in page, people who are signed in


def test_boards_are_listed_for_everybody_also_where_people_sign_in(board, visitor):
    for path in ("/boards/", "/login/"):
        page = visitor.get(path)
        assert board.project.name in page
        assert tells_nothing(page)
    assert board.question in visitor.get("/boards/")


def test_without_a_board_the_list_says_whom_to_ask(team):
    page = Client().get("/boards/").content.decode()
    assert "No board is open" in page
    assert "Open boards" not in Client().get("/login/").content.decode()


def test_members_read_by_their_login(team, board, stored):
    page = Browser(board, who=team.scientist).get()
    assert "catboost" in page
    assert "s.ito@school.example" in page
    assert "Keep the board" not in page
    assert "Keep the board" in Browser(board, who=team.manager).get()


def test_a_member_submits_in_their_own_name(team, board, stored):
    browser = Browser(board, who=team.scientist)
    browser.post(**(TYPED | {"key": str(uuid.uuid4())}))
    entry = Submission.objects.get(number=2)
    assert (entry.claim, entry.run.created_by_id) == (None, team.scientist.user_id)
    assert browser.secret == ""
    assert "Entry 2 is stored" in browser.get()


def test_a_stranger_with_an_account_keeps_the_claim_token_with_it(board, visitor):
    visitor.submit()
    person = a_person("kim")
    browser = Browser(board, who=person, secret=visitor.secret)
    assert "Keep it with my account" in browser.get()
    browser.post("claim/keep/")
    elsewhere = Browser(board, who=person)
    page = elsewhere.get()
    assert "catboost" in page
    assert "Keep it with my account" not in page
    assert tells_nothing(Browser(board, who=a_person("lee")).get())


def test_a_token_of_an_account_opens_no_page(team, board, stored):
    _, token = a_token(team.scientist)
    response = Client().get(f"/boards/{board.project.slug}/", headers={"Authorization": f"Bearer {token}"})
    assert tells_nothing(response.content.decode())


def test_every_page_of_the_project_says_that_it_is_a_board(team, board, stored):
    browser, line = Browser(board, who=team.manager), "Contribution board: open to all, outside the scope of audits."
    for path in ("", "runs/", "settings/", "members/", "board/"):
        assert line in browser.get(f"/p/{team.project.slug}/{path}"), path
    assert "m-boardstrip" not in browser.get()
    end_board(team.manager, board)
    assert line not in browser.get(f"/p/{team.project.slug}/runs/")


def test_what_waits_is_told_on_the_overview_and_is_shown_first_where_the_board_is_kept(team, board, visitor):
    set_terms(team.manager, board, terms=dataclasses.replace(TERMS, checks_first=True))
    visitor.submit()
    assert "It shows once a manager has let it in" in text_of(visitor.get())
    browser = Browser(board, who=team.manager)
    assert "1 entry, 1 waiting" in text_of(browser.get(f"/p/{team.project.slug}/"))
    kept = text_of(browser.get(f"/p/{team.project.slug}/board/"))
    assert "Let in entry 2" in kept
    browser.post(f"/p/{team.project.slug}/board/entries/2/show/", state="held")
    assert Submission.objects.get(number=2).state == "shown"


def test_what_a_manager_lets_in_later_is_news_too(team, board, visitor):
    visitor.submit()
    hide_entry(team.manager, Submission.objects.get(number=1), reason="To be looked at.")
    known = {"after": 2, "known": 1}
    assert '"new": 0' in visitor.get("news/", **known)
    show_entry(team.manager, Submission.objects.get(number=1))
    assert '"new": 1' in visitor.get("news/", **known)


def test_a_member_acts_in_their_own_name_whatever_their_browser_keeps(team, board, visitor):
    visitor.submit()
    browser = Browser(board, who=team.scientist, secret=visitor.secret)
    browser.submit(model="mine")
    entry = Submission.objects.get(number=3)
    assert (entry.claim, entry.run.created_by_id) == (None, team.scientist.user_id)
