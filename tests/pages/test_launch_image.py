"""An image in the form that launches: beside the lock and the requirements file, its problems at its own fields."""

from __future__ import annotations

import re

import pytest

from experiments.models import Run
from runner.actions.secrets import keep_secret
from runner.models import Environment, Job
from runner.packages import image_of
from tests.factories import Team
from tests.pages.conftest import Browser, address

FIELDS = {
    "what": "repository",
    "url": "https://git.example.org/team/code.git",
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "command": "python train.py",
    "experiment": "icu/here",
    "environment": "image",
}
DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture
def here(team: Team) -> str:
    return address(team.project, "launch/")


def test_an_image_is_launched_with_its_secret_offered_again_and_shown_with_the_job(ada: Browser, team: Team, here: str):
    keep_secret(team.engineer, team.project, name="REGISTRY", value="robot:geheim")
    ada.follow(here, **FIELDS, image="ghcr.io/team/train:1", image_secret="REGISTRY", key="k1")
    job = Job.objects.get()
    kept = job.recipe.environment
    assert kept is not None
    assert (kept.kind, image_of(kept), kept.secret) == (Environment.Kind.IMAGE, "ghcr.io/team/train:1", "REGISTRY")
    shown = ada.get(address(team.project, f"jobs/{job.pk}/"))
    assert "ghcr.io/team/train:1" in shown
    assert "geheim" not in shown
    form = ada.post(here, expecting=200, **{**FIELDS, "environment": str(kept.pk)}, do="change")
    assert re.search(rf'<option value="{kept.pk}" selected>Image ghcr.io/team/train:1, ', form.source)
    like = ada.get(f"{here}?like={Run.objects.get().readable_id}")
    assert re.search(rf'<option value="{kept.pk}" selected>', like.source)


def test_a_template_keeps_an_image_and_opens_with_it(emil: Browser, team: Team, here: str):
    told = emil.follow(
        here, **FIELDS, image=f"ghcr.io/team/train@{DIGEST}", key="k2", template_name="In an image", do="template"
    )
    assert "The template is kept" in told
    kept = Environment.objects.get(project=team.project)
    assert image_of(kept) == f"ghcr.io/team/train@{DIGEST}"


def test_what_is_wrong_with_an_image_stands_at_its_own_fields(ada: Browser, team: Team, here: str, settings):
    page = ada.post(here, expecting=200, **FIELDS, image="No Image", image_secret="NONE", key="k3")
    assert 'href="#image"' in page.source
    assert "is no name of an image" in page
    assert page.field("image") == "No Image"
    page = ada.post(here, expecting=200, **FIELDS, image="ghcr.io/a:1", image_secret="NONE", key="k3")
    assert 'href="#image_secret"' in page.source
    assert "This project keeps no secret" in page
    settings.MLED_IMAGE_REGISTRIES = ["registry.example.org"]
    page = ada.post(here, expecting=200, **FIELDS, image="ghcr.io/a:1", key="k3")
    assert "Images from ghcr.io are not taken here" in page
    assert not Job.objects.exists()


def test_what_is_known_of_an_image_before_it_starts_says_what_its_tag_means(ada: Browser, here: str):
    look = {**FIELDS, "do": "look", "key": "k4"}
    assert "name an image" in ada.post(here, expecting=200, **look, image="")
    assert "the run keeps the digest" in ada.post(here, expecting=200, **look, image="ghcr.io/a:1")
    assert "an image by its digest" in ada.post(here, expecting=200, **look, image=f"ghcr.io/a@{DIGEST}")
