"""Notes and comments on a run's page: written, previewed, edited at once by two, taken back."""

import re
import uuid

import pytest

from experiments.actions.comments import add_comment
from experiments.actions.notes import edit_notes
from experiments.actions.runs import delete_run, lock_run
from experiments.models import Comment, Run
from tests.factories import Team, user_of
from tests.pages.conftest import Browser, Page


def notes(run: Run, rest: str = "notes/") -> str:
    return f"/r/{run.uid.hex}/{rest}"


def hidden(page: Page, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.source)
    assert found, f"no field {name}"
    return found[1]


def test_a_comment_is_drawn_from_markdown_and_names_whom_it_mentions(ada: Browser, emil: Browser, trained: Run):
    page = ada.follow(notes(trained, "comments/"), text="**Look**, @Emil: <img src=x onerror=y>", key=uuid.uuid4().hex)
    assert "<strong>Look</strong>, <strong>@Emil</strong>" in page.source
    assert "<img src=x" not in page.source
    assert "Notes &amp; comments<span" in page.source
    seen = emil.get("/me/notices/")
    assert "Ada mentioned you in a comment on" in seen


def test_a_comment_sent_twice_stands_once(ada: Browser, trained: Run):
    key = hidden(ada.get(notes(trained)), "key")
    for _ in range(2):
        page = ada.follow(notes(trained, "comments/"), text="once", key=key)
    assert page.source.count('id="comment-') == 1


def test_a_comment_that_is_refused_stays_in_its_form(ada: Browser, trained: Run):
    page = ada.post(notes(trained, "comments/"), expecting=200, text="x" * 20_001, key="nonsense")
    assert "at most 20,000" in page
    assert "x" * 20_001 in page.source


def test_who_edits_in_two_windows_is_told_and_keeps_both(ada: Browser, team: Team, trained: Run):
    one = add_comment(team.scientist, trained, text="first\nsecond")
    where = notes(trained, f"comments/{one.pk}/")
    form = ada.get(notes(trained), edit=one.pk.hex)
    assert "first\nsecond</textarea>" in form.source
    version = hidden(form, "version")
    ada.follow(where, text="first\nsecond, changed", version=version)
    late = ada.post(where, expecting=200, text="first\nmine", version=version)
    assert "changed meanwhile, in another window; nothing was saved" in late
    assert "now: − second, changed" in late
    assert "yours: + mine" in late
    assert "first\nmine</textarea>" in late.source
    for link in late.links(f"#comment-{one.pk.hex}"):
        ada.get(link.partition("#")[0] or notes(trained))
    both = ada.follow(where, text="first\nboth", version=hidden(late, "version"))
    assert "both" in both
    assert "edited now" in both


def test_only_ones_own_comment_offers_to_be_edited_and_managers_remove_with_a_reason(
    ada: Browser, emil: Browser, team: Team, trained: Run
):
    one = add_comment(team.engineer, trained, text="rude words")
    where = notes(trained, f"comments/{one.pk}/")
    assert not ada.get(notes(trained)).links("edit=" + one.pk.hex)
    assert "rude words" in ada.get(notes(trained), edit=one.pk.hex)
    ada.post(where, expecting=403, text="mine", version="1")
    ada.post(where + "remove/", expecting=403)
    mona = Browser(team.manager)
    assert "Why?" in mona.get(notes(trained))
    assert "Say why" in mona.follow(where + "remove/")
    gone = mona.follow(where + "remove/", reason="House rules.")
    assert "Removed by Mona, now : House rules." in gone or "Removed by Mona, now: House rules." in gone
    assert "rude" not in emil.get(notes(trained))
    assert "rude" not in emil.get(f"/r/{trained.uid.hex}/history/")


def test_strangers_meet_nothing_and_change_nothing(zoe: Browser, team: Team, trained: Run):
    one = add_comment(team.scientist, trained, text="ours")
    for rest in ("comments/", f"comments/{one.pk}/", f"comments/{one.pk}/remove/", "preview/"):
        zoe.post(notes(trained, rest), expecting=404, text="theirs", version="1")
    zoe.get(notes(trained, "people.json"), expecting=404)
    assert list(Comment.objects.values_list("text", flat=True)) == ["ours"]


def test_people_are_offered_by_the_beginning_of_a_name(ada: Browser, team: Team, trained: Run):
    offered = ada.get(notes(trained, "people.json"), q="em").response.json()["people"]
    assert offered == [{"name": "Emil", "email": user_of(team.engineer).email, "handle": "Emil"}]
    assert {one["name"] for one in ada.get(notes(trained, "people.json")).response.json()["people"]} == {
        *("Ada", "Emil", "Mona", "Otto"),
    }


def test_a_preview_is_what_will_stand_there(ada: Browser, trained: Run):
    page = ada.post(notes(trained, "preview/"), expecting=200, text="# Big\n@Emil <b>no</b>")
    assert "<h3>Big</h3>" in page.source
    assert "<strong>@Emil</strong>" in page.source
    assert "<b>no</b>" not in page.source


def test_the_note_is_drawn_on_overview_and_tab_with_who_wrote_it(ada: Browser, team: Team, trained: Run):
    edit_notes(team.scientist, trained, expected="*", note="48 h gives **more**. <script>x</script>")
    for page in (ada.get(f"/r/{trained.uid.hex}/"), ada.get(notes(trained))):
        assert "48 h gives <strong>more</strong>. &lt;script&gt;" in page.source
        assert "edited by Ada, now" in page


def test_the_note_is_edited_where_it_stands(ada: Browser, trained: Run):
    form = ada.get(notes(trained), edit="note")
    page = ada.follow(
        notes(trained, "edit/"),
        name=trained.name,
        description="Found it.",
        before=form.field("id_before"),
        back="notes",
    )
    assert page.response.redirect_chain == [(notes(trained), 302)]
    assert "Found it." in page


@pytest.mark.parametrize("state", [lock_run, delete_run])
def test_of_locked_and_deleted_runs_only_locked_ones_take_comments(ada: Browser, team: Team, trained: Run, state):
    state(team.scientist, trained)
    page = ada.follow(notes(trained, "comments/"), text="why?") if state is lock_run else ada.get(notes(trained))
    assert ("why?" in page) == (state is lock_run)
    assert ("takes no comment" in page) == (state is delete_run)
