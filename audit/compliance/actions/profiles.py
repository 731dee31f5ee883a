"""Which rules a project follows, what it adds to them, and how long it keeps its records."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.decorators import action
from accounts.models import Project
from audit.compliance.models import ProfileCopy
from audit.compliance.profile import profile_named, profile_of
from audit.compliance.retention import CLASSES
from experiments.compare.tolerance import Tolerance
from experiments.values import checked_key
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Conflict, Invalid

NAMES_MAX = 100


@action("compliance.set_profile", on="project")
def choose_profile(actor: Actor, project: Project, *, profile: str, reason: str = "") -> Project:
    """Let a project follow another profile. Raises Invalid, also where it gets milder without a reason."""
    wanted, held = profile_named(profile), _held(project)
    before = profile_of(held.profile)
    if len(wanted.rules) < len(before.rules) and not reason.strip():
        raise Invalid(
            f"Say why: {wanted.title} asks {len(wanted.rules)} rules, {before.title} {len(before.rules)}.",
            field="reason",
        )
    held.profile = wanted.name
    held.save()
    return held


@action("compliance.set_profile", on="project")
def choose_retention(actor: Actor, project: Project, *, retention_class: str) -> Project:
    """Set how long records are kept at least: only upward, never shorter. Raises Invalid, Conflict."""
    wanted, held = CLASSES.get(retention_class), _held(project)
    if wanted is None:
        raise Invalid(
            f"There is no retention class '{retention_class[:40]}'.",
            hint=f"Use {', '.join(CLASSES)}.",
            field="retention_class",
        )
    before = CLASSES.get(held.retention_class)
    if before and (wanted.record_days < before.record_days or wanted.log_days < before.log_days):
        raise Conflict(f"Records are kept as “{before.title}”, and never shorter than that.", field="retention_class")
    held.retention_class = wanted.name
    held.save()
    return held


@action("compliance.set_profile", on="project")
def change_copy(
    actor: Actor,
    project: Project,
    *,
    version: int,
    required_params: Sequence[str],
    required_tags: Sequence[str],
    required_metrics: Sequence[str],
    tolerances: Mapping[str, Any],
) -> ProfileCopy:
    """Set what every run of the project has to have besides. version: the one that was seen, 0 before the first;
    tolerances: by metric, as `Tolerance.said` reads them.

    Raises Invalid, Conflict where somebody else changed it meanwhile.
    """
    _held(project)
    held = ProfileCopy.objects.filter(project=project).first() or ProfileCopy(project=project, version=0)
    if held.version != version:
        raise Conflict("Somebody changed these rules meanwhile; nothing was saved.", hint="Look at them again.")
    held.required_params = _names(required_params, "required_params")
    held.required_tags = _names(required_tags, "required_tags")
    held.required_metrics = _names(required_metrics, "required_metrics")
    held.tolerances = _tolerances(tolerances)
    held.version, held.changed_at = version + 1, now()
    held.save()
    return held


def _held(project: Project) -> Project:
    return Project.objects.select_for_update(no_key=True).get(pk=project.pk)


def _names(given: Sequence[str], field: str) -> list[str]:
    names = [checked_key(name.strip(), field) for name in given if name.strip()]
    if len(names) > NAMES_MAX:
        raise Invalid(f"At most {NAMES_MAX} names can be asked for.", field=field)
    return list(dict.fromkeys(names))


def _tolerances(given: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in given.items():
        try:
            found[checked_key(name, "tolerances")] = Tolerance.said(value).as_json
        except ValueError:
            raise Invalid(
                f"The tolerance of '{name[:80]}' is a number from 0 on.",
                hint='Say 0.002, {"relative": 0.01} or {"seeds": 2}.',
                field="tolerances",
            ) from None
    if len(found) > NAMES_MAX:
        raise Invalid(f"At most {NAMES_MAX} tolerances can be set.", field="tolerances")
    return found
