"""No action without a permission, no write without an act, no act without its event."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction

from accounts.decorators import ACTIONS, ActionWithoutPermission, action
from accounts.models import ApiToken, Group, Membership, Project
from accounts.roles import PERMISSIONS
from audit.ledger.acting import NoOpenAct, acting
from audit.ledger.models import AuditEvent
from audit.ledger.tracking import Evidence, Quiet, Tracked, TrackedQuerySet, UnrecordedWrite, tracked_models
from experiments.models import Experiment, Param, Run, RunTag
from kernel.actor import Actor, operator, system
from tests.factories import a_run, a_team, a_token, events, events_since


@pytest.fixture
def undeclared():
    """The register as it was, whatever a test declares."""
    before = dict(ACTIONS)
    yield
    ACTIONS.clear()
    ACTIONS.update(before)


# --- Declaring


def test_an_action_without_a_known_permission_cannot_be_declared():
    for permission in ("", "experiments.do_anything", "EXPERIMENTS.SEE"):
        with pytest.raises(ActionWithoutPermission):
            action(permission)


def test_the_permission_has_to_be_said():
    with pytest.raises(TypeError):
        action()
    with pytest.raises((TypeError, ActionWithoutPermission)):

        @action
        def sly(actor: Actor) -> None: ...


def test_an_action_takes_its_actor_first_and_its_subject_second():
    with pytest.raises(TypeError, match="must take"):

        @action("experiments.log_run", on="run")
        def sly(run: Run, actor: Actor) -> None: ...

    with pytest.raises(TypeError, match="must take"):

        @action("experiments.log_run", on="run")
        def slyer(actor: Actor, experiment: Experiment) -> None: ...


def test_every_declared_action_states_a_permission_and_takes_an_actor():
    assert len(ACTIONS) > 40
    for verb, one in ACTIONS.items():
        assert one.permission in PERMISSIONS, verb
        names = list(inspect.signature(one.function).parameters)
        assert names[0] == "actor", verb
        assert one.on is None or names[1] == one.on, verb


def test_an_action_on_nothing_is_one_of_the_site_or_of_ones_own_account():
    for verb, one in ACTIONS.items():
        if one.on is None:
            assert PERMISSIONS[one.permission].site, verb


@pytest.mark.django_db
def test_a_declared_action_asks_before_it_writes(undeclared):
    reached = []

    @action("projects.edit", on="project")
    def paint(actor: Actor, project: Project) -> None:
        reached.append(actor)

    team = a_team()
    with pytest.raises(Exception, match="Project manager"):
        paint(team.scientist, team.project)
    assert reached == []
    paint(team.manager, team.project)
    assert reached == [team.manager]


@pytest.mark.django_db
def test_an_act_that_fails_halfway_leaves_neither_rows_nor_event(undeclared):
    @action("groups.manage")
    def stumble(actor: Actor) -> None:
        Group(name="half").save()
        raise RuntimeError("a bug")

    def fail() -> None:
        with pytest.raises(RuntimeError):
            stumble(operator())

    assert events_since(fail) == []
    assert not Group.objects.filter(name="half").exists()


@pytest.mark.django_db
def test_an_action_called_by_another_belongs_to_its_event(undeclared):
    @action("groups.manage")
    def inner(actor: Actor) -> None:
        Group(name="inner").save()

    @action("groups.manage")
    def outer(actor: Actor) -> None:
        inner(actor)
        Group(name="outer").save()

    (kept,) = events_since(lambda: outer(operator()))
    assert kept.verb.endswith(".outer")
    assert [change["fields"]["name"][1] for change in kept.changes] == ["inner", "outer"]


# --- Writing


@pytest.mark.django_db
def test_a_tracked_row_does_not_change_outside_an_act():
    team = a_team()
    team.project.name = "sly"
    with pytest.raises(NoOpenAct):
        team.project.save()
    with pytest.raises(NoOpenAct):
        Group(name="sly").save()
    with pytest.raises(NoOpenAct):
        Membership.objects.filter(project=team.project).first().delete()
    assert Project.objects.get(pk=team.project.pk).name == team.project.slug


@pytest.mark.django_db
def test_rows_of_evidence_do_not_change_outside_an_act():
    run = a_run(a_team().scientist)
    tag = RunTag.objects.filter(run=run).first()
    for write in (
        tag.save,
        tag.delete,
        lambda: RunTag.objects.filter(run=run).update(value="sly"),
        lambda: RunTag.objects.filter(run=run).delete(),
        lambda: Param.objects.bulk_create([Param(run=run, experiment_id=run.experiment_id, key="sly")]),
    ):
        with pytest.raises(NoOpenAct):
            write()


@pytest.mark.django_db
def test_bulk_writes_of_tracked_rows_are_refused_even_in_an_act():
    team = a_team()
    runs = Run.objects.filter(pk=a_run(team.scientist).pk)
    with acting(system(), "test.sly"):
        for write in (
            lambda: runs.update(name="sly"),
            runs.delete,
            lambda: Run.objects.bulk_create([]),
            lambda: Run.objects.bulk_update([], ["name"]),
            lambda: team.project.runs.all().update(name="sly"),
            lambda: Group.objects.all().delete(),
        ):
            with pytest.raises(UnrecordedWrite):
                write()


@pytest.mark.django_db
def test_what_is_quiet_changes_without_an_event_and_nothing_else_with_it():
    token, _ = a_token(a_team().scientist)
    token = ApiToken.objects.get(pk=token.pk)
    token.last_used_at = token.created_at
    assert events_since(token.save) == []
    token.name = "sly"
    with pytest.raises(NoOpenAct):
        token.save()


@pytest.mark.django_db
def test_an_event_is_kept_in_the_transaction_of_its_act():
    """Rolled back with it, too."""
    before = AuditEvent.objects.count()
    with transaction.atomic():
        a_team()
        assert AuditEvent.objects.count() > before
        transaction.set_rollback(True)
    assert AuditEvent.objects.count() == before


@pytest.mark.django_db
def test_every_verb_that_was_kept_is_one_of_an_action():
    team = a_team()
    a_run(team.scientist)
    assert {kept.verb for kept in events()} <= set(ACTIONS)


# --- Kinds of tables


def our_models() -> list[Any]:
    ours = (
        "accounts",
        "artifacts",
        "experiments",
        "registry",
        "runner",
        "boards",
        "compliance",
        "transfer",
        "mled_site",
    )
    return [model for model in apps.get_models() if model._meta.app_label in ours]


def is_outside_the_ledger(model: Any) -> bool:
    """Neither tracked, nor evidence, nor quiet; a simple-history table counts with the model that it follows."""
    if hasattr(model, "instance_type"):
        return not issubclass(model.instance_type, Tracked)
    kinds = [kind for kind in (Tracked, Evidence, Quiet) if issubclass(model, kind)]
    return len(kinds) != 1 or model.ledger_kind != kinds[0].ledger_kind


def test_every_table_of_ours_says_how_the_ledger_knows_it():
    assert len(our_models()) > 30
    assert [model._meta.label for model in our_models() if is_outside_the_ledger(model)] == []


def test_every_tracked_table_has_its_history_and_its_guarded_queryset():
    for model in tracked_models():
        assert hasattr(model, "history"), model
        assert isinstance(model._default_manager.all(), TrackedQuerySet), model
        assert isinstance(model._base_manager.all(), models.QuerySet), model


def test_quiet_tables_say_why():
    quiet = [model for model in our_models() if issubclass(model, Quiet)]
    assert [model.__name__ for model in quiet if "Quiet" not in (model.__doc__ or "")] == []


def test_a_table_outside_the_ledger_is_caught(monkeypatch):
    monkeypatch.setattr(apps, "all_models", {**apps.all_models, "accounts": dict(apps.all_models["accounts"])})

    class Diary(models.Model):
        text = models.TextField()

        class Meta:
            app_label = "accounts"

        def __str__(self) -> str:
            return self.text

    class Confused(Tracked, Quiet):
        class Meta:
            app_label = "accounts"

        def __str__(self) -> str:
            return ""

    class Sly(Evidence):
        ledger_kind = "quiet"

        class Meta:
            app_label = "accounts"

        def __str__(self) -> str:
            return ""

    assert is_outside_the_ledger(Diary)
    assert is_outside_the_ledger(Confused)
    assert is_outside_the_ledger(Sly)


def test_only_the_ledger_itself_leaves_no_foreign_key():
    """Evidence outlives what it speaks of: its tables point at nothing."""
    for model in apps.get_app_config("ledger").get_models():
        assert [field.name for field in model._meta.get_fields() if field.is_relation] == [], model


def test_foreign_keys_of_ours_keep_what_they_point_at():
    """Nothing is deleted along with something else."""
    cascading = [
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        if not hasattr(model, "instance_type")
        for field in model._meta.concrete_fields
        if field.is_relation and field.remote_field.on_delete is not models.PROTECT
    ]
    assert cascading in ([], cascading_of_guardian())


def cascading_of_guardian() -> list[str]:
    """guardian's own columns, which its base class defines."""
    return [
        f"{label}.{name}"
        for label in ("accounts.ProjectUserObjectPermission", "experiments.ExperimentUserObjectPermission")
        for name in ("permission", "user")
    ]


@pytest.mark.django_db
def test_the_database_itself_refuses_to_change_what_happened():
    a_team()
    with pytest.raises(Exception, match=r"(?i)ledger|refus|append|may not|never"), connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_auditevent SET verb = 'sly'")
