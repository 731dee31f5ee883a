"""Images over REST: asked for, refused at their fields, kept as environments, told by digest, absent to others."""

import pytest

from kernel.actor import system
from runner.actions.jobs import begin_job, start_job
from runner.actions.secrets import keep_secret
from runner.models import Job
from tests.factories import a_person, a_team
from tests.factories_runner import a_worker
from tests.runner.test_rest_jobs import WANTED, Api

pytestmark = pytest.mark.django_db
DIGEST = f"sha256:{'0' * 64}"


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def ada(team):
    return Api(team.scientist)


def test_a_job_is_asked_for_in_an_image_and_told_with_the_digest_that_it_ran_in(team, ada):
    keep_secret(team.engineer, team.project, name="REGISTRY", value="robot:geheim")
    wanted = {**WANTED, "environment": {"image": "ghcr.io/team/train", "secret": "REGISTRY"}}
    made = ada.post(f"projects/{team.project.slug}/jobs/", wanted, 201)
    assert ada.get(f"jobs/{made['id']}/")["image"] == ""
    recipe = ada.get(f"recipes/{Job.objects.get().recipe_id}/")
    told = recipe["environment"]
    assert (told["kind"], told["python"], told["secret"]) == ("image", "", "REGISTRY")
    assert ada.get(f"environments/{told['id']}/")["text"] == "ghcr.io/team/train:latest"
    job = Job.objects.get()
    job.lease = job.pk
    job.save()
    job = start_job(system(), job, lease=job.pk, worker=a_worker(), token=None)
    begin_job(system(), job, lease=job.pk, image=f"ghcr.io/team/train:latest@{DIGEST}")
    assert ada.get(f"jobs/{made['id']}/")["image"] == f"ghcr.io/team/train:latest@{DIGEST}"
    Api(a_person()).get(f"jobs/{made['id']}/", 404)
    Api(a_person()).get(f"environments/{told['id']}/", 404)


@pytest.mark.parametrize(
    ("environment", "field"),
    [
        ({"image": "https://ghcr.io/a"}, "environment.image"),
        ({"image": ""}, "environment.image"),
        ({"image": 7}, "environment.image"),
        ({"image": "ghcr.io/a", "secret": "NONE"}, "environment.secret"),
        ({"image": "ghcr.io/a", "secret": ["NONE"]}, "environment.secret"),
        ({"image": "ghcr.io/a", "lock": "x"}, "environment.lock"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(team, ada, environment, field):
    told = ada.post(f"projects/{team.project.slug}/jobs/", {**WANTED, "environment": environment}, 400)
    assert field in str(told)
    assert not Job.objects.exists()


def test_an_image_is_kept_as_an_environment_once_and_named_by_its_id(team, ada):
    here = f"projects/{team.project.slug}/environments/"
    made = ada.post(here, {"image": "ghcr.io/team/train:1"}, 201)
    assert ada.post(here, {"image": "ghcr.io/team/train:1"}, 201)["id"] == made["id"]
    assert "secret" in str(ada.post(here, {"image": "ghcr.io/team/train:1", "secret": "NONE"}, 400))
    job = ada.post(f"projects/{team.project.slug}/jobs/", {**WANTED, "environment": made["id"]}, 201)
    assert str(Job.objects.get(pk=job["id"]).recipe.environment_id) == made["id"]
    Api(a_person()).post(here, {"image": "ghcr.io/team/train:1"}, 404)
