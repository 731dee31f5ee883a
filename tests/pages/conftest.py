"""A team, a stranger, and browsers without scripts: what the pages say to each of them."""

import html
import re

import pytest
from django.test import Client

from accounts.models import Project
from artifacts.models import Dataset
from experiments.actions.batches import log_batch
from experiments.actions.files import put_file
from experiments.actions.runs import update_run
from experiments.models import Run
from experiments.values import RunStatus
from kernel.actor import Actor
from tests.factories import Team, a_batch, a_dataset, a_person, a_run, a_team, a_version, user_of
from tests.pages.icu import FIRST, LICENSED, SECOND
from tests.stock import a_team_stands_ready as a_team_stands_ready
from tests.stock import django_db_setup as django_db_setup
from tests.world import stored


class Page:
    """What came back, as a reader sees it: text without tags, links, and what stands in the fields."""

    def __init__(self, response) -> None:
        self.response = response
        self.source = response.content.decode() if not response.streaming else ""
        shown = re.sub(r"<(script|style)\b.*?</\1>", " ", self.source, flags=re.S)
        self.text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())

    def __contains__(self, words: str) -> bool:
        return words in self.text

    def links(self, part: str) -> list[str]:
        return [html.unescape(href) for href in re.findall(r'href="([^"]+)"', self.source) if part in href]

    def field(self, id_: str) -> str:
        tag = re.search(rf'<input[^>]*id="{id_}"[^>]*>', self.source)
        assert tag, f"no field {id_}"
        value = re.search(r'value="([^"]*)"', tag.group(0))
        return html.unescape(value.group(1)) if value else ""

    def area(self, id_: str) -> str:
        found = re.search(rf'<textarea[^>]*id="{id_}"[^>]*>(.*?)</textarea>', self.source, re.S)
        assert found, f"no field {id_}"
        return html.unescape(found.group(1))


class Browser:
    """Somebody at their browser."""

    def __init__(self, who: Actor | None = None) -> None:
        self.client = Client()
        if who is not None:
            self.client.force_login(user_of(who), backend="accounts.backends.EmailBackend")

    def get(self, path: str, expecting: int = 200, **query: object) -> Page:
        return self._page(self.client.get(path, query), expecting)

    def post(self, path: str, expecting: int = 302, **fields: object) -> Page:
        return self._page(self.client.post(path, fields), expecting)

    def follow(self, path: str, **fields: object) -> Page:
        """Post, and the page it leads to."""
        return self._page(self.client.post(path, fields, follow=True), 200)

    def _page(self, response, expecting: int) -> Page:
        page = Page(response)
        assert response.status_code == expecting, f"{response.status_code}: {page.text[:400]}"
        return page


@pytest.fixture
def team(db) -> Team:
    return a_team()


@pytest.fixture
def outsider(db) -> Actor:
    return a_person("Zoe")


@pytest.fixture
def ada(team: Team) -> Browser:
    """The project's scientist at her browser."""
    return Browser(team.scientist)


@pytest.fixture
def zoe(outsider: Actor) -> Browser:
    """A stranger at her browser: signed in, in no project."""
    return Browser(outsider)


@pytest.fixture
def trained(team: Team) -> Run:
    """A finished run of Ada's with params, tags, a curve and two files."""
    run = a_run(team.scientist, name="gru-d-w48", tags={"mlflow.source.git.commit": "9f3c1ab" + "0" * 33})
    curves = {"val/loss": [0.9, 0.5, 0.25], "train/loss": [1.0, 0.4, 0.2]}
    log_batch(
        team.scientist, run, batch=a_batch(params={"lr": "0.01", "seed": "17"}, tags={"stage": "draft"}, **curves)
    )
    put_file(team.scientist, run, path="eval/by_ward.csv", stored=stored(b"ward,auroc\n1,0.87\n2,0.86\n"))
    put_file(team.scientist, run, path="model/requirements.txt", stored=stored(b"numpy==2.4.6\n"))
    return update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=1_700_000_060_000)


def address(project: Project, rest: str = "") -> str:
    """A page of a project."""
    return f"/p/{project.slug}/{rest}"


@pytest.fixture
def icu(team: Team) -> Dataset:
    """A dataset of two versions."""
    dataset = a_dataset(team.scientist, team.project, name="icu-vitals")
    a_version(team.scientist, dataset, files={"data/icu.csv": FIRST, "README.md": b"# icu\n"}, note="As exported.")
    a_version(team.scientist, dataset, files={"data/icu.csv": SECOND, "README.md": b"# icu\n"}, record=LICENSED)
    return dataset


@pytest.fixture
def emil(team: Team) -> Browser:
    return Browser(team.engineer)


@pytest.fixture
def otto(team: Team) -> Browser:
    """The project's auditor: reads, writes nothing."""
    return Browser(team.auditor)
