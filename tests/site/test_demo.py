"""The demonstration: what `make demo` fills an empty installation with."""

from __future__ import annotations

import secrets

import pytest
from django.core.management import call_command
from django.db.models import Q

from accounts.models import Project, User
from artifacts.models import DatasetVersion, VersionProfile, VersionRecord
from boards.models import Board
from experiments.models import Decision, MetricSeries, Run, RunInput
from kernel.actor import Actor, ActorKind, Door
from mled_site.demo.boards import TRIED
from mled_site.demo.world import PEOPLE, build
from registry.models import LoggedModel, ModelAlias, ModelVersion, PromotionRequest
from registry.queries.lineage import Flag, lineage_of
from runner.models import Job

pytestmark = pytest.mark.once


@pytest.fixture
def told(committed_db, settings) -> list[str]:
    """What building it said."""
    words: list[str] = []
    build(secrets.token_urlsafe(12), words.append)
    return words


def test_a_demonstration_fills_every_room_and_its_log_verifies(told):
    assert len(told) == 4
    assert User.objects.filter(email__endswith="@demo.mled").count() == len(PEOPLE)
    assert Run.objects.filter(status="FINISHED").count() >= 17
    assert not LoggedModel.objects.exclude(status=LoggedModel.Status.READY).exists()

    states = {str(version): version.record.state for version in DatasetVersion.objects.select_related("record")}
    withdrawn = {name for name, state in states.items() if state == VersionRecord.State.WITHDRAWN}
    assert withdrawn == {"pump-vibration v1"}
    assert {"pump-vibration v2", "bed-census v1", "bed-export v1"} <= set(states)
    assert {profile.state for profile in VersionProfile.objects.all()} == {VersionProfile.State.DONE}
    assert (
        not Run.objects.filter(Q(status="FINISHED", submission=None) & ~Q(pk__in=RunInput.objects.values("run")))
        .exclude(name="sweep-width-lr")
        .exists()
    )

    assert list(Decision.objects.order_by("number").values_list("replaces__number", flat=True)) == [None, 1, None]

    board = Board.objects.select_related("project").get()
    assert board.project.is_board
    results = dict(
        MetricSeries.objects.filter(run__submission__board=board, key="rmse").values_list("run", "last_value")
    )
    assert len(results) == len(TRIED)
    assert all(0.4 < value < 1.2 for value in results.values())
    assert len(set(results.values())) > 10

    governed = Project.objects.get(slug="pump-alarms")
    assert governed.is_governed
    requests = list(PromotionRequest.objects.order_by("created_at"))
    assert [(one.version.number, one.state) for one in requests] == [(2, "approved"), (3, "asked")]
    assert requests[0].effective_at is not None
    assert ModelAlias.objects.get(model__name="bearing-alarm", name="champion").version.number == 2

    linear = ModelVersion.objects.get(model__name="bearing-alarm", number=1)
    ada = User.objects.get(email="ada@demo.mled")
    viewer = Actor(ActorKind.USER, Door.WEB, user_id=ada.pk, user_name=ada.name)
    graph = lineage_of(viewer, ("version", linear), up=3)
    assert {node.label: node.flag for node in graph.nodes}["pump-vibration v1"] == Flag.RECALLED
    assert graph.node(graph.start).flag == Flag.BUILT_ON

    jobs = list(Job.objects.select_related("run", "recipe").order_by("created_at"))
    assert [(job.state, job.run.status) for job in jobs] == [(Job.State.QUEUED, "SCHEDULED")] * 3
    assert {job.recipe.params["target"] for job in jobs} == {"y"}

    call_command("sequencer", once=True)
    call_command("verify_ledger")
