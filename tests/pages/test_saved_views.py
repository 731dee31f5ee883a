"""The menu of kept views above the run table."""

import re

from experiments.actions.saved_views import change_view, save_view, set_default_view
from experiments.models import SavedView
from tests.factories import a_run, a_team
from tests.pages.conftest import Browser


def table(team) -> str:
    return f"/p/{team.project.slug}/runs/"


def keep(team, **more):
    return save_view(team.scientist, team.project, name="my best", query="q=status = 'FINISHED'", **more)


def test_keeping_a_table_leads_back_to_it_under_its_name(team, ada):
    page = ada.follow(f"/p/{team.project.slug}/views/", name="fast ones", query="q=duration < 1000&sort=-created")
    view = SavedView.objects.get()
    assert view.query == "q=duration+%3C+1000&sort=-created"
    assert "fast ones" in page
    assert page.field("query") == "duration < 1000"


def test_a_table_that_differs_from_its_view_says_so_and_offers_to_update_it(team, ada):
    view = keep(team)
    assert "data-view-changed hidden" in ada.get(table(team), q="status = 'FINISHED'", saved=view.pk).source
    page = ada.get(table(team), q="status = 'FAILED'", saved=view.pk)
    assert "data-view-changed>" in page.source
    assert f"/views/{view.pk}/do/update/" in page.source
    ada.follow(f"/p/{team.project.slug}/views/{view.pk}/do/update/", version=1, query="q=status = 'FAILED'")
    view.refresh_from_db()
    assert view.query == "q=status+%3D+%27FAILED%27"


def test_the_view_goes_along_when_the_table_is_sorted_and_filtered(team, ada):
    a_run(team.scientist)
    view = keep(team)
    page = ada.get(table(team), saved=view.pk)
    assert all(f"saved={view.pk}" in link for link in page.links("sort="))


def test_who_comes_second_is_told_and_keeps_what_they_had(team, ada):
    view = keep(team)
    change_view(team.scientist, view, version=1, query="q=first")
    page = ada.follow(f"/p/{team.project.slug}/views/{view.pk}/do/update/", version=1, query="q=second")
    assert "was changed meanwhile" in page
    assert page.field("query") == "second"


def test_the_bare_address_opens_with_the_default_and_all_runs_stay_reachable(team, ada):
    view = keep(team, is_shared=True)
    set_default_view(team.scientist, team.project, view=view)
    page = ada._page(ada.client.get(table(team), follow=True), 200)
    assert page.field("query") == "status = 'FINISHED'"
    assert ada.get(table(team), view="active").field("query") == ""


def test_a_taken_name_is_told_and_the_table_stays(team, ada):
    keep(team)
    page = ada.follow(f"/p/{team.project.slug}/views/", name="my best", query="q=loss")
    assert "You have a view 'my best'" in page
    assert page.field("query") == "loss"


def test_others_see_shared_views_without_the_buttons_of_the_owner(team):
    view = keep(team, is_shared=True)
    page = Browser(team.auditor).get(table(team), saved=view.pk)
    assert "my best" in page
    assert "Delete view" not in page
    assert "Make default" not in page


def test_a_deleted_view_is_gone_and_the_table_stays(team, ada):
    view = keep(team)
    assert "is gone" in ada.follow(f"/p/{team.project.slug}/views/{view.pk}/do/delete/")
    assert ada.get(table(team), saved=view.pk)
    ada.post(f"/p/{team.project.slug}/views/{view.pk}/do/delete/", expecting=404)


def test_strangers_get_nothing_of_views(team, zoe):
    view = keep(team, is_shared=True)
    zoe.post(f"/p/{team.project.slug}/views/{view.pk}/do/delete/", expecting=404)
    zoe.post(f"/p/{team.project.slug}/views/", name="x", query="", expecting=404)
    Browser(a_team().scientist).post(f"/p/{team.project.slug}/views/{view.pk}/do/share/", version=1, expecting=404)


def test_names_of_views_are_escaped(team, ada):
    save_view(team.scientist, team.project, name="<script>alert(1)</script>", query="")
    assert not re.search("<script>alert", ada.get(table(team)).source)
