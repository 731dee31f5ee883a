"""A run's page that is open while its job ends shows the end whole, whatever came between."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from accounts.models import Project, User
from kernel.actor import Actor, ActorKind, Door, system
from runner.actions.jobs import end_job
from runner.models import Job
from tests.browser.conftest import ADA, Logged
from tests.factories import default_experiment
from tests.factories_runner import a_job, a_worker, held_by

PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="session")
def place(logged: Logged) -> str:
    """A project whose runs nobody counts."""
    logged.live.create_project("followed")
    logged.live.add_member("followed", ADA, "data_scientist")
    return "followed"


def running(logged: Logged, place: str) -> Job:
    """A job of Ada's that goes on, as far as anybody knows."""
    with logged.live.in_database():
        user, project = User.objects.get(email=ADA), Project.objects.get(slug=place)
        ada = Actor(ActorKind.USER, Door.WEB, user_id=user.pk, user_name=user.name)
        return held_by(a_job(ada, default_experiment(project)), a_worker())


def end(logged: Logged, job: Job) -> None:
    """As its worker would, whose command ended well."""
    with logged.live.in_database():
        end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)


def test_an_answer_that_is_older_than_the_end_does_not_stay(ada: Page, logged: Logged, place: str):
    job = running(logged, place)
    held: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if route.request.resource_type != "fetch" or held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    ada.goto(f"/r/{job.run.uid.hex}/")
    ada.route(f"**/r/{job.run.uid.hex}/", hold_the_first)
    wait_for(ada, lambda: bool(held))
    end(logged, job)
    expect(ada.locator("#job[data-state=finished]")).to_be_visible(timeout=PATIENCE)
    expect(ada.get_by_role("link", name="Recreate")).to_have_count(0)
    [(route, answer)] = held
    route.fulfill(response=answer)
    expect(ada.get_by_role("link", name="Recreate").first).to_be_visible(timeout=PATIENCE)


def test_a_part_in_which_somebody_marks_words_takes_its_place_when_they_have_done(
    ada: Page, logged: Logged, place: str
):
    job = running(logged, place)
    ada.goto(f"/r/{job.run.uid.hex}/")
    status = ada.locator("[data-part=status]")
    status.evaluate("part => getSelection().selectAllChildren(part)")
    end(logged, job)
    expect(ada.get_by_role("link", name="Recreate").first).to_be_visible(timeout=PATIENCE)
    expect(status).to_have_text("Running")
    ada.evaluate("getSelection().removeAllRanges()")
    expect(status).to_have_text("Finished", timeout=PATIENCE)


def wait_for(page: Page, holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("It did not come to that within a minute.")
