"""What one does with experiments."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction

from accounts.access import require
from accounts.decorators import action
from accounts.models import Project, User
from artifacts.locations import checked_location
from audit.ledger.acting import current_act
from experiments import hooks
from experiments.actions.writable import active_experiment
from experiments.gone import without_gone
from experiments.models import Experiment, ExperimentTag, ExperimentUserObjectPermission, MetricDirection, Run
from experiments.values import (
    EXPERIMENT_NAME_MAX,
    EXPERIMENT_TAG_MAX,
    Lifecycle,
    checked_int64,
    checked_key,
    checked_text,
)
from kernel.actor import Actor
from kernel.clock import now, now_ms
from kernel.errors import AlreadyExists, Invalid, Locked, NotFound

_TAG_KIND = "experiments.experimenttag"


def checked_name(name: str) -> str:
    """An experiment's name, or Invalid: not blank, at most 500 characters, any Unicode, slashes too."""
    if not name.strip():
        raise Invalid("An experiment needs a name that is not blank.", field="name")
    return checked_text(name, "name", EXPERIMENT_NAME_MAX)


@action("experiments.create", on="project")
def create_experiment(
    actor: Actor,
    project: Project,
    *,
    name: str,
    artifact_location: str = "",
    tags: Mapping[str, str] | None = None,
    is_default: bool = False,
    created_ms: int | None = None,
) -> Experiment:
    """Make an experiment. created_ms: when, where it was made elsewhere.

    Raises Invalid, or AlreadyExists also where a deleted one has the name.
    """
    location = checked_location(artifact_location, allow_outside=not project.refuses_outside_locations)
    experiment = Experiment(
        project=project,
        name=checked_name(name),
        artifact_location=location,
        is_default=is_default,
        created_by_id=actor.user_id,
    )
    if created_ms is not None:
        experiment.created_ms = experiment.updated_ms = checked_int64(created_ms, "creation_time")
    _save_named(experiment)
    for key, value in (tags or {}).items():
        _write_tag(experiment, key, value)
    return experiment


def make_default_experiment(actor: Actor, project: Project) -> None:
    """Part of making a project: the experiment of scripts that set none. Joins the act that makes the project."""
    experiment = Experiment(project=project, name="Default", is_default=True, created_by_id=actor.user_id)
    experiment.save()


@action("experiments.create", on="experiment")
def rename_experiment(actor: Actor, experiment: Experiment, *, name: str) -> Experiment:
    """Give an active experiment another name. Nothing moves: artifacts stay where they are."""
    experiment = active_experiment(experiment)
    if experiment.name != name:
        experiment.name = checked_name(name)
        experiment.updated_ms = now_ms()
        _save_named(experiment)
    return experiment


def _save_named(experiment: Experiment) -> None:
    try:
        with transaction.atomic():
            experiment.save()
    except IntegrityError:
        raise AlreadyExists(
            f"An experiment named '{experiment.name}' exists in this project, maybe a deleted one.",
            hint="Choose another name, or restore it.",
            field="name",
        ) from None


@action("experiments.delete_experiment", on="experiment")
def delete_experiment(actor: Actor, experiment: Experiment, *, reason: str = "") -> Experiment:
    """Delete softly, with all its runs. Refused as a whole if a run in it is locked."""
    experiment = _locked_row(experiment)
    if experiment.lifecycle == Lifecycle.DELETED:
        raise NotFound("This experiment is deleted already.")
    runs = Run.objects.select_for_update(no_key=True).filter(experiment=experiment).order_by("pk")
    held = sum(locked_at is not None for locked_at in runs.values_list("locked_at", flat=True))
    if held:
        raise Locked(
            f"{held} of its runs {'is' if held == 1 else 'are'} locked, so the experiment stays.",
            hint="Unlock them first.",
        )
    for check in hooks.run_deletion:
        check(actor, Run.objects.filter(experiment=experiment, lifecycle=Lifecycle.ACTIVE))
    _set_lifecycle(experiment, Lifecycle.DELETED)
    Run.objects.filter(experiment=experiment, lifecycle=Lifecycle.ACTIVE).change_all(
        lifecycle=Lifecycle.DELETED, deleted_at=now()
    )
    return experiment


@action("experiments.delete_experiment", on="experiment")
def restore_experiment(actor: Actor, experiment: Experiment, *, reason: str = "") -> Experiment:
    """Bring back a deleted experiment with every run in it, also those deleted singly before."""
    experiment = _locked_row(experiment)
    if experiment.lifecycle == Lifecycle.ACTIVE:
        raise NotFound("This experiment is not deleted.")
    _set_lifecycle(experiment, Lifecycle.ACTIVE)
    deleted = without_gone(Run.objects.filter(experiment=experiment, lifecycle=Lifecycle.DELETED))
    deleted.change_all(lifecycle=Lifecycle.ACTIVE, deleted_at=None)
    return experiment


def _locked_row(experiment: Experiment) -> Experiment:
    fresh: Experiment = Experiment.objects.select_for_update(no_key=True).get(pk=experiment.pk)
    return fresh


def _set_lifecycle(experiment: Experiment, lifecycle: Lifecycle) -> None:
    experiment.lifecycle = lifecycle
    experiment.updated_ms = now_ms()
    experiment.save()


@action("experiments.create", on="experiment")
def set_experiment_tag(actor: Actor, experiment: Experiment, *, key: str, value: str) -> None:
    """Set or overwrite a tag of an active experiment."""
    _write_tag(active_experiment(experiment), key, value)


def _write_tag(experiment: Experiment, key: str, value: str) -> None:
    checked_key(key, "key")
    checked_text(value, "value", EXPERIMENT_TAG_MAX)
    before = ExperimentTag.objects.filter(experiment=experiment, key=key).values_list("value", flat=True).first()
    if before == value:
        return
    ExperimentTag.objects.update_or_create(experiment=experiment, key=key, defaults={"value": value})
    current_act().record(_TAG_KIND, experiment.ledger_id, "set", {key: (before, value)})


@action("experiments.create", on="experiment")
def delete_experiment_tag(actor: Actor, experiment: Experiment, *, key: str) -> None:
    """Remove a tag. Raises NotFound where there is none."""
    experiment = active_experiment(experiment)
    tag = ExperimentTag.objects.filter(experiment=experiment, key=key).first()
    if tag is None:
        raise NotFound(f"The experiment has no tag '{key}'.")
    tag.delete()
    current_act().record(_TAG_KIND, experiment.ledger_id, "set", {key: (tag.value, None)})


@action("experiments.set_direction", on="project")
def set_metric_direction(actor: Actor, project: Project, *, key: str, higher_is_better: bool) -> MetricDirection:
    """Say once for the project whether a metric is better high or low."""
    direction = MetricDirection.objects.filter(project=project, key=checked_key(key, "key")).first()
    if direction is None:
        direction = MetricDirection(project=project, key=key)
    direction.higher_is_better = higher_is_better
    direction.save()
    return direction


@action("experiments.grant_access", on="experiment")
def grant_access(actor: Actor, experiment: Experiment, *, user: User, reason: str = "") -> None:
    """Let one more person see one experiment, as an exception beside the roles."""
    require(actor, "experiments.see", experiment)
    ExperimentUserObjectPermission.objects.assign_perm("view_experiment", user, experiment)


@action("experiments.grant_access", on="experiment")
def withdraw_access(actor: Actor, experiment: Experiment, *, user: User, reason: str = "") -> None:
    """Take such an exception back."""
    grants = ExperimentUserObjectPermission.objects.filter(user=user, content_object=experiment)
    for grant in grants:
        grant.delete()
