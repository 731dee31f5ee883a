"""Where the packages that MLED is built on do their work: each has its place, and does something there."""

from __future__ import annotations

import ast
import re

import pytest
import redis
from celery import Task
from django.conf import settings
from django.core.cache import caches
from django.test import Client
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from guardian.models import UserObjectPermissionBase
from rest_framework.views import APIView
from simple_history.models import HistoricalRecords

from accounts.actions.projects import grant_sight
from accounts.models import ProjectUserObjectPermission, User
from audit.ledger.tracking import tracked_models
from experiments.actions.runs import update_run
from experiments.models import Run
from experiments.rest.runs import Runs
from experiments.tasks import seal
from experiments.values import RunStatus
from mled_site.supervise.broker import redis_cache
from tests.factories import a_person, a_run, a_team, a_token, again, user_of
from tests.services.processes import ROOT

# requirement -> (module it is imported as, the file where it does its main work here)
PLACES = {
    "django": ("django", "mled_site/urls.py"),
    "djangorestframework": ("rest_framework", "experiments/rest/runs.py"),
    "django-filter": ("django_filters", "experiments/rest/filters.py"),
    "django-guardian": ("guardian", "accounts/models/projects.py"),
    "django-simple-history": ("simple_history", "audit/ledger/tracking.py"),
    "celery": ("celery", "experiments/tasks.py"),
    "redis": ("redis", "mled_site/supervise/broker.py"),
    "pytest-django": ("pytest_django", "tests/services/fixtures.py"),
}


def required() -> set[str]:
    lines = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    return set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==[\d.]+", lines, re.MULTILINE))


def test_each_is_required_in_one_version():
    assert set(PLACES) <= required()


@pytest.mark.parametrize("package", [name for name in PLACES if name not in ("redis", "pytest-django")])
def test_each_is_imported_where_it_works(package):
    module, place = PLACES[package]
    tree = ast.parse((ROOT / place).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert any(name.split(".")[0] == module for name in imported), place


@pytest.mark.django_db
def test_django_serves_pages_to_our_own_users():
    assert User._meta.label == settings.AUTH_USER_MODEL
    assert Client().get("/login/").status_code == 200


@pytest.mark.django_db
def test_rest_framework_and_filters_serve_the_list_of_runs():
    team = a_team()
    done, going = a_run(team.scientist, status=RunStatus.FINISHED), a_run(team.scientist)
    assert issubclass(Runs, APIView)
    assert issubclass(Runs.filterset_class, FilterSet)
    assert DjangoFilterBackend in Runs.filter_backends
    _, token = a_token(team.scientist)
    answer = Client().get("/api/v1/runs/?status=FINISHED", headers={"Authorization": f"Bearer {token}"}).json()
    found = str(answer["results"])
    assert done.uid.hex in found
    assert going.uid.hex not in found


@pytest.mark.django_db
def test_guardian_keeps_exceptions_on_single_projects():
    team, guest = a_team(), a_person()
    assert issubclass(ProjectUserObjectPermission, UserObjectPermissionBase)
    grant_sight(team.manager, team.project, user=user_of(guest))
    assert ProjectUserObjectPermission.objects.get(user=user_of(guest)).content_object == team.project
    assert user_of(guest).has_perm("accounts.view_project", team.project) is True
    assert again(guest).is_person


@pytest.mark.django_db
def test_simple_history_keeps_each_state_of_every_tracked_row():
    team = a_team()
    run = a_run(team.scientist)
    update_run(team.scientist, run, status=RunStatus.FINISHED)
    assert list(Run.history.filter(uid=run.uid).order_by("history_id").values_list("status", flat=True)) == [
        "RUNNING",
        "FINISHED",
    ]
    for model in tracked_models():
        assert isinstance(model._meta.simple_history_manager_attribute, str), model
    assert HistoricalRecords.__module__ == "simple_history.models"


def test_celery_runs_work_in_the_background_and_by_the_clock():
    assert isinstance(seal, Task)
    assert seal.app.conf.task_serializer == "json"
    seal.app.loader.import_default_modules()  # as a worker does when it starts
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(seal.app.tasks)


def test_redis_holds_what_all_processes_share(valkey_url, settings):
    """Throttles and Celery's messages: a real server, spoken to by redis-py."""
    settings.CACHES = {"default": redis_cache(valkey_url)}
    cache = caches.create_connection("default")
    cache.set("shared", 1, timeout=60)
    assert cache.incr("shared") == 2
    client = redis.Redis.from_url(valkey_url)
    assert [key for key in client.keys("*") if b"shared" in key]
    cache.delete("shared")


def test_pytest_django_runs_the_tests(pytestconfig, django_assert_num_queries, db):
    assert pytestconfig.pluginmanager.hasplugin("django")
    assert (ROOT / PLACES["pytest-django"][1]).read_text().count("django_db_setup") > 0
    with django_assert_num_queries(1):
        assert not User.objects.exists()
