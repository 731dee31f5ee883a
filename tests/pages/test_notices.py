"""Notices: the bell, the list, opening one, marking as read; each for oneself alone."""

import pytest

from accounts.models import Notice, Project
from kernel.actor import Actor
from tests.factories import Team, a_person, user_of
from tests.pages.conftest import Browser, address


def told(who: Actor, text: str = "Version 1 was recalled.", project: Project | None = None, url: str = "") -> Notice:
    notice: Notice = Notice.objects.create(
        user=user_of(who), project=project, kind="dataset.recalled", text=text, url=url
    )
    return notice


def test_the_bell_counts_what_is_not_read(ada: Browser, team: Team):
    assert "not read" not in ada.get("/me/")
    told(team.scientist)
    told(team.scientist, "Version 2 was recalled.")
    page = ada.get("/me/")
    assert "Notices, 2 not read" in page
    assert "Version 2 was recalled." in page
    assert "2 not read" in ada.get("/")


def test_opening_a_notice_leads_to_its_page_and_marks_it_read(ada: Browser, team: Team):
    notice = told(team.scientist, project=team.project, url=address(team.project, "members/"))
    answer = ada.post(f"/me/notices/{notice.pk}/open/").response
    assert answer.url == address(team.project, "members/")
    notice.refresh_from_db()
    assert notice.read_at is not None
    again = ada.post(f"/me/notices/{notice.pk}/open/").response
    assert again.url == address(team.project, "members/")


def test_all_are_marked_as_read_at_once_and_stay_listed(ada: Browser, team: Team):
    told(team.scientist)
    page = ada.follow("/me/notices/read/")
    assert "1 notice marked as read." in page
    assert "Nothing new." in page
    assert "Version 1 was recalled." in page
    assert "0 notices marked as read." in ada.follow("/me/notices/read/")


def test_reading_leads_back_to_a_page_and_never_to_a_word_or_another_site(ada: Browser):
    assert ada.post("/me/notices/read/", next="/projects/").response["Location"] == "/projects/"
    for wrong in ("NaN", '{"a": [', "evil.example", "//evil.example", "\r\n<b>"):
        assert ada.post("/me/notices/read/", next=wrong).response["Location"] == "/me/notices/"


def test_other_peoples_notices_are_not_there(zoe: Browser, team: Team):
    notice = told(team.scientist)
    zoe.post(f"/me/notices/{notice.pk}/open/", expecting=404)
    zoe.post("/me/notices/read/")
    notice.refresh_from_db()
    assert notice.read_at is None
    assert "Version 1 was recalled." not in zoe.get("/me/notices/")


def test_a_notice_of_a_project_that_one_left_is_gone(team: Team):
    outsider = a_person("Lena")
    notice = told(outsider, project=team.project)
    lena = Browser(outsider)
    assert "Version 1 was recalled." not in lena.get("/me/notices/")
    lena.post(f"/me/notices/{notice.pk}/open/", expecting=404)


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_nothing_leads_away_from_here(ada: Browser, team: Team, url):
    notice = told(team.scientist, url=url)
    assert ada.post(f"/me/notices/{notice.pk}/open/").response.url == "/me/notices/"
    assert ada.post("/me/notices/read/", next=url).response.url == "/me/notices/"


def test_many_notices_come_in_pages(ada: Browser, team: Team):
    for number in range(55):
        told(team.scientist, f"Notice number {number}.")
    page = ada.get("/me/notices/")
    assert "Notice number 54." in page
    assert "Notice number 3." not in page
    assert "Notice number 3." in ada.get("/me/notices/", start="50")
    for odd in ("x", "-1", "9" * 40):
        ada.get("/me/notices/", start=odd)


def test_an_empty_list_says_what_will_be_here(ada: Browser):
    assert "No notice yet" in ada.get("/me/notices/")


def test_marking_is_done_by_posts_only(ada: Browser, team: Team):
    ada.get("/me/notices/read/", expecting=405)
    ada.get(f"/me/notices/{told(team.scientist).pk}/open/", expecting=405)
