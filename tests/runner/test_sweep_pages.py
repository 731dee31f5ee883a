"""A sweep on the pages of its runs: progress, the best so far, pictures, and Stop."""

import pytest
from django.test import Client

from experiments.values import RunStatus
from runner.models import Job, Sweep
from tests.factories import a_person, a_team, user_of
from tests.runner.test_sweeps import a_sweep, end, open_jobs

pytestmark = pytest.mark.django_db


def signed(actor):
    client = Client()
    client.force_login(user_of(actor), backend="accounts.backends.EmailBackend")
    return client


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def sweep(team):
    found = a_sweep(team.scientist, team.project, space={"lr": "0.1..0.4 real 4 steps", "model": ["svm"]}, at_once=3,
                    metric="accuracy", higher_is_better=True)  # fmt: skip
    for accuracy in (0.5, 0.9, 0.7):
        end(open_jobs(found)[0], accuracy=accuracy)
    found.refresh_from_db()
    return found


def test_the_page_of_the_parent_shows_how_far_it_is_and_the_best_so_far(team, sweep):
    page = signed(team.engineer).get(f"/r/{sweep.parent.readable_id}/").content.decode()
    best = Job.objects.filter(sweep=sweep).order_by("created_at")[1].run
    assert "3 of 4 runs over" in page
    assert f'href="/r/{best.uid.hex}/">{best.readable_id}</a> <span class="num">0.9' in page
    assert "lr against accuracy: 3 runs" in page
    assert "mlflow.parentRunId" in page
    assert "This run executes nothing itself." in page
    assert "Conditions captured" in signed(team.engineer).get(f"/r/{best.uid.hex}/").content.decode()
    for no in ("Record what is missing", f"/r/{sweep.parent.uid.hex}/recreate/", "mled recreate"):
        assert no not in page
    assert f"/r/{best.uid.hex}/recreate/" in signed(team.engineer).get(f"/r/{best.uid.hex}/").content.decode()


def test_whoever_began_it_stops_it_there_and_a_stranger_finds_nothing(team, sweep):
    address = f"/p/{team.project.slug}/sweeps/{sweep.pk}"
    assert signed(a_person()).get(f"{address}/state/").status_code == 404
    assert signed(a_person()).post(f"{address}/stop/").status_code == 404
    assert b"Stop the sweep" not in signed(team.auditor).get(f"{address}/state/").content
    mine = signed(team.scientist)
    assert b"Stop the sweep" in mine.get(f"{address}/state/").content
    said = mine.post(f"{address}/stop/", {"reason": "Wrong data."}, follow=True)
    assert said.redirect_chain[-1][0] == f"/r/{sweep.parent.uid.hex}/"
    assert "Ada stopped it. Wrong data." in said.content.decode()
    sweep.refresh_from_db()
    sweep.parent.refresh_from_db()
    assert (sweep.state, sweep.parent.status) == (Sweep.State.STOPPED, RunStatus.KILLED)
    again = mine.post(f"{address}/stop/", follow=True).content.decode()
    assert "over already" in again
