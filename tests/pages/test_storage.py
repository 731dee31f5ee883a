"""What a project's files take, on its page: administrators set the quota, everybody in the project reads it."""

import pytest

from artifacts.actions.quotas import set_quota
from artifacts.models import ProjectQuota
from tests.factories import Team, a_file, a_person, a_run
from tests.pages.conftest import Browser, address


def limit(team: Team) -> int | None:
    return ProjectQuota.objects.filter(project=team.project).values_list("limit_bytes", flat=True).first()


def test_without_a_quota_the_page_says_so_and_what_is_used(team):
    a_file(team.scientist, a_run(team.scientist), content=b"x" * 1500)
    page = Browser(team.manager).get(address(team.project, "storage/"))
    assert "1.5 kB used." in page
    assert "No quota: files come in as long as the store has room." in page
    assert "An administrator sets it." in page
    assert "<progress" not in page.source
    assert address(team.project, "storage/") in Browser(team.manager).get(address(team.project, "settings/")).links("/")


def test_an_administrator_sets_a_quota_in_words_and_takes_it_away(team):
    root, here = Browser(team.administrator), address(team.project, "storage/")
    assert "may take 10 GB" in root.follow(here, limit_bytes="10 GB", reason="")
    assert limit(team) == 10**10
    assert root.get(here).field("id_limit_bytes") == "10 GB"
    assert "has no quota" in root.follow(here, limit_bytes="", reason="")
    assert limit(team) is None


@pytest.mark.parametrize(
    ("written", "words"),
    [("much", "&#x27;much&#x27; is no size. Write it as 10 GB or 500 MB."), ("0 GB", "A quota is 1 byte to 1,000 PB.")],
)
def test_what_is_no_size_stands_beside_its_field(team, written, words):
    page = Browser(team.administrator).post(
        address(team.project, "storage/"), expecting=200, limit_bytes=written, reason=""
    )
    assert words in page.source
    assert page.field("id_limit_bytes") == written
    assert limit(team) is None


def test_others_read_it_and_a_post_of_theirs_is_refused(team):
    set_quota(team.administrator, team.project, limit_bytes=10_000)
    a_file(team.scientist, a_run(team.scientist), content=b"x" * 9500)
    for who in (team.manager, team.scientist, team.engineer, team.auditor):
        page = Browser(who).get(address(team.project, "storage/"))
        assert "9.5 kB of 10 kB used: 95 % , 500 B free" in page or "9.5 kB of 10 kB used: 95 %, 500 B free" in page
        assert "Nearly full" in page
        assert 'value="9500"' in page.source
        Browser(who).post(address(team.project, "storage/"), expecting=403, limit_bytes="1 GB")
    Browser(a_person()).get(address(team.project, "storage/"), expecting=404)
    assert limit(team) == 10_000


def test_a_full_project_says_what_to_do(team):
    a_file(team.scientist, a_run(team.scientist), content=b"x" * 9500)
    set_quota(team.administrator, team.project, limit_bytes=5000)
    page = Browser(team.manager).get(address(team.project, "storage/"))
    assert "Full" in page
    assert "have deleted runs purged" in page
