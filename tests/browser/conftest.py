"""A team at its browsers, and runs that a real MLflow client logged to the live server."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.looking import NARROW as NARROW
from tests.services.live import LiveMled

expect.set_options(timeout=30_000)  # milliseconds: a page may share the machine with whatever other tests run

ADA, OTTO, ZOE = "ada.browser@example.org", "otto.browser@example.org", "zoe.browser@example.org"
PROJECT = "sepsis"


@dataclasses.dataclass(frozen=True)
class Logged:
    """What is on the live server: passwords by address, ids of runs by name."""

    live: LiveMled
    passwords: dict[str, str]
    runs: dict[str, str]


@pytest.fixture(scope="session")
def logged(live_mled: LiveMled) -> Iterator[Logged]:
    """A project with three runs in it, logged by a script that knows only MLflow's client."""
    live_mled.create_project(PROJECT, name="Sepsis early warning")
    roles = {ADA: "data_scientist", OTTO: "auditor", ZOE: ""}
    passwords = {
        email: live_mled.create_user(
            email, name=email.split(".")[0].capitalize(), role=role, project=PROJECT if role else ""
        )
        for email, role in roles.items()
    }
    live_mled.create_project("extremes")
    live_mled.add_member("extremes", ADA, "data_scientist")
    token = live_mled.issue_token(ADA)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", token)
        yield Logged(live_mled, passwords, _log_runs(live_mled.tracking_uri(PROJECT)))


def _log_runs(uri: str) -> dict[str, str]:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client, made = MlflowClient(uri), {}
    experiment = client.create_experiment("icu/early-warning")
    for number, name in enumerate(("gru-d-w24", "gru-d-w48", "tcn-w48")):
        run = client.create_run(experiment, run_name=name).info.run_id
        client.log_param(run, "lr", str(10**-number))
        client.log_param(run, "arch", name.split("-w")[0])
        client.set_tag(run, "mlflow.note.content", "Attention on lactate.")
        steps = 3000 if name == "gru-d-w48" else 40
        for start in range(0, steps, 1000):
            points = [
                Metric("val/loss", _loss(step, steps, number), 1_700_000_000_000 + 1000 * step, step)
                for step in range(start, min(steps, start + 1000))
            ]
            client.log_batch(run, metrics=points)
        client.log_metric(run, "val/auroc", 0.8 + number / 100)
        client.log_text(run, "ward,auroc\n1,0.87\n", "eval/by_ward.csv")
        client.set_terminated(run)
        made[name] = run
    return made


def _loss(step: int, steps: int, number: int) -> float:
    if number == 2 and step == 20:
        return math.nan
    return math.exp(-3 * step / steps) + number / 10


@pytest.fixture(scope="session")
def extreme(logged: Logged) -> str:
    """The id of a run with names and values as long as they may be."""
    from mlflow import MlflowClient

    client = MlflowClient(logged.live.tracking_uri("extremes"))
    experiment = client.create_experiment("x" * 240 + "/" + "a long folder name " * 10 + "/日本語")
    run = client.create_run(experiment, run_name="W" * 300).info.run_id
    client.log_param(run, "p" * 250, "v" * 6000)
    client.set_tag(run, "t" * 250, "v" * 5000)
    client.set_tag(run, "mlflow.user", "u" * 200)
    client.set_tag(run, "mlflow.source.name", "/home/" + "d" * 500)
    client.set_tag(run, "mlflow.note.content", "https://example.org/" + "n" * 500)
    for step in range(3):
        client.log_metric(run, "m" * 250, 1e300 / (step + 1), step=step)
    client.log_text(run, "one " * 2000, "f" * 200 + "/" + "g" * 200 + ".txt")
    return run


@pytest.fixture(scope="session")
def sessions() -> dict[tuple[str, str], Any]:
    """The cookies of those who signed in, by address and password."""
    return {}


@pytest.fixture
def sign_in(new_context: Callable[..., BrowserContext], logged: Logged, sessions) -> Callable[..., Page]:
    """A page at home on which somebody is signed in, each in a browser of their own.

    Who signed in once through the page comes back with the cookies of then, as long as the server knows them.
    `page.complaints`: what its console says of errors and of the policy.
    """

    def signed_in(email: str = ADA, password: str = "") -> Page:
        who = email, password or logged.passwords[email]
        page = new_context(storage_state=sessions.get(who)).new_page()
        page.complaints = []  # type: ignore[attr-defined]
        page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
        page.goto("/")
        if "/login/" in page.url:
            enter(page, *who)
            sessions[who] = page.context.storage_state()
        return page

    return signed_in


def enter(page: Page, email: str, password: str) -> None:
    """Sign in by the form."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login/" not in url)


def copied(page: Page, words: str) -> str:
    """What lies in the clipboard as soon as these words are in it: a click that copies does not wait for it."""
    page.wait_for_function("async words => (await navigator.clipboard.readText()).includes(words)", arg=words)
    return str(page.evaluate("navigator.clipboard.readText()"))


def names(page: Page) -> list[str]:
    """Of the runs in the table of the page, from the top."""
    return page.locator("tbody a.name").all_inner_texts()


@pytest.fixture
def ada(sign_in) -> Page:
    """The project's scientist at her browser."""
    return sign_in(ADA)


@pytest.fixture
def plain(browser: Browser, logged: Logged) -> Iterator[Page]:
    """Ada in a browser that runs no scripts."""
    context = browser.new_context(base_url=logged.live.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/")
    page.fill("[name=login]", ADA)
    page.fill("[name=password]", logged.passwords[ADA])
    page.click("text=Sign in >> nth=-1")
    page.wait_for_url(lambda url: "/login/" not in url)
    yield page
    context.close()
