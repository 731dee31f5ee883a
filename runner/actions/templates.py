"""Templates: ways to start that a project keeps, checked as far as they go."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from accounts.decorators import action
from accounts.models import Project
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import AlreadyExists, Conflict, Invalid
from runner.actions.environments import keep_packages
from runner.actions.recipes import keep_recipe
from runner.checking import checked_open
from runner.models import Recipe, Template
from runner.recipes import Draft, Resources
from runner.schemas import Parameter, guessed, plain_schema, read_schema
from runner.trainers import NAMES, trainer

NAME_MAX: Final = 120
DESCRIPTION_MAX: Final = 5000
_CODE: Final = ("repository", "code", "code_name", "code_of", "patch")


@action("runner.keep_templates", on="project")
def keep_template(
    actor: Actor,
    project: Project,
    *,
    name: str,
    description: str = "",
    draft: Mapping[str, Any],
    schema: Sequence[Mapping[str, Any]] | None = None,
) -> Template:
    """Keep what shall be run as `runner.checking` reads it, with data and parameters left open where one likes.

    schema: the parameters that it takes; without one they are guessed from those of the draft. Uploaded code is kept
    as a recipe, which the draft then names. Raises InvalidFields, AlreadyExists.
    """
    template = Template(project=project, created_by_id=actor.user_id)
    _write(actor, template, name=name, description=description, draft=draft, schema=schema)
    template.save()
    return template


@action("runner.keep_templates", on="template")
def change_template(
    actor: Actor,
    template: Template,
    *,
    name: str | None = None,
    description: str | None = None,
    draft: Mapping[str, Any] | None = None,
    schema: Sequence[Mapping[str, Any]] | None = None,
) -> Template:
    """Change what is given; runs that were started from it stay as they are. Raises as `keep_template`, Conflict."""
    held = _held(template)
    if held.retired_at is not None:
        raise Conflict(f"The template '{held.name}' was retired.", hint="Keep a new one.")
    _write(
        actor,
        held,
        name=held.name if name is None else name,
        description=held.description if description is None else description,
        draft=held.draft if draft is None else draft,
        schema=held.schema if schema is None and draft is None else schema,
    )
    held.save()
    return held


@action("runner.keep_templates", on="template")
def retire_template(actor: Actor, template: Template) -> Template:
    """Take it off the list; its name is free again. A second time changes nothing."""
    held = _held(template)
    if held.retired_at is None:
        held.retired_at = now()
        held.save()
    return held


def _held(template: Template) -> Template:
    rows = Template.objects.select_for_update(of=("self",), no_key=True).select_related("project")
    found: Template = rows.get(pk=template.pk)
    return found


def _write(
    actor: Actor,
    template: Template,
    *,
    name: str,
    description: str,
    draft: Mapping[str, Any],
    schema: Sequence[Mapping[str, Any]] | None,
) -> None:
    template.name = _free_name(template, name)
    if len(description) > DESCRIPTION_MAX:
        raise Invalid(f"A description has at most {DESCRIPTION_MAX:,} characters.", field="description")
    template.description = description.strip()
    given = {key: value for key, value in draft.items() if value not in (None, "", {}, [])}
    declared = _schema_for(given, schema)
    found = checked_open(actor, template.project, given, declared)
    template.draft = _kept(actor, template.project, given, found)
    template.schema = plain_schema(declared)


def _free_name(template: Template, said: str) -> str:
    name = said.strip()
    if not name or len(name) > NAME_MAX:
        raise Invalid(f"A template has a name of 1 to {NAME_MAX} characters.", hint="Say what it is for.", field="name")
    same = Template.objects.filter(project=template.project, name=name, retired_at=None).exclude(pk=template.pk)
    if same.exists():
        raise AlreadyExists(f"There is a template '{name}' already.", hint="Choose another name.", field="name")
    return name


def _schema_for(given: Mapping[str, Any], schema: Sequence[Mapping[str, Any]] | None) -> list[Parameter]:
    """The parameters that a template declares itself; those of a trainer are the trainer's."""
    declared = read_schema(list(schema)) if schema else []
    if given.get("trainer"):
        named = str(given["trainer"])
        if declared and named in NAMES and declared != list(trainer(named).schema):
            hint = "Give values for them in the params of the draft."
            raise Invalid("A built-in trainer declares its parameters itself.", hint=hint, field="schema")
        return []
    params = given.get("params")
    return declared or (guessed(params) if schema is None and isinstance(params, Mapping) else [])


def _kept(actor: Actor, project: Project, given: Mapping[str, Any], found: Draft) -> dict[str, Any]:
    """The draft with what would not stay by itself kept: uploads become a recipe, packages an environment."""
    draft = dict(given)
    if found.packages is not None and found.kind != Recipe.Kind.TRAINER:
        draft["environment"] = str(keep_packages(actor, project, found.packages).pk)
    if found.code or found.patch:
        code = replace(
            found, params={}, seed=None, inputs=(), environment=None, packages=None, resources=Resources(),
            has_network=False, secrets=(),
        )  # fmt: skip
        draft = {key: value for key, value in draft.items() if key not in _CODE}
        draft["recipe"] = str(keep_recipe(actor, project, code).pk)
    return draft
