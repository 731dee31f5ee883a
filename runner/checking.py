"""From what is wanted to what can be launched: every door gives the same JSON, and hears of all problems at once.

{"trainer": "tabular", "params": {"target": "died"}, "seed": 7, "inputs": {"train": "icu-vitals v7"}}
{"repository": {"url": "https://…", "commit": "<40 digits>"}, "command": "python train.py --lr {lr}",
 "params": {"lr": 0.1}, "environment": {"requirements": "torch==2.9.0"}, "resources": {"memory_mb": 8192}}
{"template": "<id>", "params": {"lr": 0.05}}
"""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from accounts.models import Project
from kernel.actor import Actor
from kernel.errors import Invalid, InvalidFields, MledError, NotFound
from runner.checking_code import Asking, code_draft
from runner.checking_data import check_beforehand, check_columns, inputs_of
from runner.checking_limits import network_of, resources_of, secrets_of
from runner.checking_secrets import require_secret
from runner.command_words import names_in
from runner.models import Environment, Recipe
from runner.packages import Packages, read_packages
from runner.queries.recipes import find_environment
from runner.queries.templates import find_template
from runner.recipes import Draft
from runner.schemas import Parameter, checked_values, field_of, read_schema
from runner.trainers import Trainer, trainer

MEMBERS: Final = (
    "trainer", "repository", "code", "code_of", "recipe", "template", "code_name", "patch", "folder", "command",
    "words", "params", "seed", "inputs", "environment", "resources", "network", "secrets",
)  # fmt: skip
MERGED: Final = ("params", "inputs", "resources")
SEED_MAX: Final = 2**63 - 1
TRAINER_SEED_MAX: Final = 2**32 - 1
BY_WORDS: Final = ("command", "words")


def checked(viewer: Actor, project: Project, wanted: Mapping[str, Any]) -> Draft:
    """What is wanted, ready to be launched. Raises InvalidFields with every problem, by field; writes nothing."""
    problems: list[MledError] = []
    asking = Asking(viewer, project, dict(wanted), noting(problems))
    schema: list[Parameter] = []
    _check_names(asking)
    if asking.said("template") is not None:
        asking, schema = asking.attempt(lambda: _from_template(asking)) or (asking, [])
    return _whole(asking, schema, problems)


def checked_open(viewer: Actor, project: Project, wanted: Mapping[str, Any], schema: list[Parameter]) -> Draft:
    """The same for what a template keeps, where parameters and data may be left for later. Raises InvalidFields."""
    problems: list[MledError] = []
    asking = Asking(viewer, project, dict(wanted), noting(problems), is_open=True)
    _check_names(asking)
    if asking.said("template") is not None:
        asking.attempt(_no_template_of_templates)
    return _whole(asking, schema, problems)


def _whole(asking: Asking, schema: list[Parameter], problems: list[MledError]) -> Draft:
    """All parts of the draft; raises what was noted meanwhile."""
    draft = code_draft(asking)
    built_in = trainer(draft.trainer) if draft.kind == Recipe.Kind.TRAINER else None
    inputs = inputs_of(asking, built_in)
    params = asking.attempt(lambda: _params(asking, built_in, schema)) or {}
    if built_in:
        check_columns(asking, built_in, params, inputs)
        check_beforehand(asking, built_in, params, inputs)
    seed = asking.attempt(lambda: _seed(asking, built_in))
    draft = _with_packages(asking, replace(draft, params=params, seed=seed, inputs=inputs), built_in)
    draft = replace(draft, resources=resources_of(asking), has_network=network_of(asking), secrets=secrets_of(asking))
    asking.attempt(lambda: _check_placeholders(draft.words, _known(asking, params, schema, seed)))
    if problems:
        declared = [one.name for one in (built_in.schema if built_in else schema)]
        raise InvalidFields(sorted(problems, key=partial(_place, declared)))
    return draft


def _known(asking: Asking, params: Mapping[str, Any], schema: Sequence[Parameter], seed: int | None) -> set[str]:
    """The names that the command may speak of; also of values that are wrong, which is told already."""
    raw = asking.said("params")
    given = {str(name) for name in raw} if isinstance(raw, Mapping) else set()
    has_seed = seed is not None or asking.is_open or asking.said("seed") is not None
    return {*given, *params, *(one.name for one in schema), *({"seed"} if has_seed else ())}


def _place(declared: Sequence[str], problem: MledError) -> tuple[int, int]:
    """Where its field stands among what can be wanted: first what is nothing of it, parameters as they are declared."""
    member, _, inner = problem.field.partition(".")
    order = declared.index(inner) if member == "params" and inner in declared else len(declared)
    return (MEMBERS.index(member) if member in MEMBERS else -1), order


def schema_of(viewer: Actor, project: Project, wanted: Mapping[str, Any]) -> list[Parameter]:
    """The parameters that what is wanted declares: those of its trainer or template; none where nothing does."""
    if wanted.get("template"):
        asking = Asking(viewer, project, dict(wanted), lambda call: call())
        merged, schema = _from_template(asking)
        if schema:
            return schema
        wanted = merged.wanted
    return list(trainer(str(wanted["trainer"])).schema) if wanted.get("trainer") else []


def noting(problems: list[MledError]) -> Callable[[Callable[[], Any]], Any]:
    """What does something and gives its answer, or notes what is wrong with it and gives None."""

    def attempt(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except InvalidFields as several:
            problems.extend(several.problems)
        except MledError as problem:
            problems.append(problem)
        return None

    return attempt


def _check_names(asking: Asking) -> None:
    for name in asking.wanted:
        if name not in MEMBERS:
            asking.attempt(partial(_unknown, str(name)))


def _unknown(name: str) -> None:
    alike = difflib.get_close_matches(name, MEMBERS, n=1)
    hint = f"Did you mean '{alike[0]}'?" if alike else f"There is {', '.join(MEMBERS)}."
    raise Invalid(f"'{name[:60]}' is nothing that can be wanted.", hint=hint, field=name[:60])


def _from_template(asking: Asking) -> tuple[Asking, list[Parameter]]:
    """What is wanted on top of its template, and the parameters that this declares."""
    try:
        uid = UUID(str(asking.wanted["template"]))
    except ValueError:
        raise NotFound("No such template was found in this project.", field="template") from None
    kept = find_template(asking.viewer, uid, project=asking.project)
    if kept.retired_at is not None:
        raise Invalid(f"The template '{kept.name}' was retired.", hint="Use another one.", field="template")
    wanted: dict[str, Any] = dict(kept.draft)
    for name, value in asking.wanted.items():
        if name == "template" or value is None:
            continue
        both = name in MERGED and isinstance(value, Mapping) and isinstance(wanted.get(name), Mapping)
        wanted[name] = {**wanted[name], **value} if both else value
        for other in BY_WORDS:
            if name in BY_WORDS and other != name:
                wanted.pop(other, None)
    return replace(asking, wanted=wanted), read_schema(kept.schema)


def _params(asking: Asking, built_in: Trainer | None, schema: list[Parameter]) -> dict[str, Any]:
    said = asking.said("params") or {}
    if not isinstance(said, Mapping):
        raise Invalid("Parameters are an object of names and values.", hint='{"lr": 0.1}', field="params")
    if len(said) > 1000:
        raise Invalid(f"There are at most 1,000 parameters, not {len(said):,}.", field="params")
    given = {str(name): value for name, value in said.items()}
    declared = list(built_in.schema) if built_in else schema
    return checked_values(declared, given, others=not declared, complete=not asking.is_open)


def _seed(asking: Asking, built_in: Trainer | None) -> int | None:
    said = asking.said("seed")
    if isinstance(said, str) and re.fullmatch(r"\s*[0-9]{1,19}\s*", said):
        said = int(said)
    if said is None:
        return 0 if built_in else None
    most = TRAINER_SEED_MAX if built_in else SEED_MAX
    if isinstance(said, bool) or not isinstance(said, int) or not 0 <= said <= most:
        raise Invalid(f"A seed is a whole number from 0 to {most:,}.", field="seed")
    return said


def _with_packages(asking: Asking, draft: Draft, built_in: Trainer | None) -> Draft:
    if built_in:
        lock = built_in.requirements.encode()
        return replace(draft, environment=None, packages=Packages(Environment.Kind.REQUIREMENTS, built_in.python, lock))
    said = asking.said("environment")
    if said is None:
        return draft
    if isinstance(said, Mapping):
        return replace(draft, environment=None, packages=asking.attempt(lambda: _given_packages(asking, said)))
    return replace(draft, environment=asking.attempt(lambda: _kept_environment(asking, said)))


def _given_packages(asking: Asking, said: Mapping[str, Any]) -> Packages:
    found = read_packages(said)
    require_secret(asking.project, found.secret, "environment.secret")
    return found


def _kept_environment(asking: Asking, said: Any) -> UUID:
    try:
        found = find_environment(asking.viewer, UUID(str(said)), project=asking.project)
    except (ValueError, NotFound):
        raise NotFound("No such environment was found in this project.", field="environment") from None
    require_secret(asking.project, found.secret, "environment")
    return found.pk


def _no_template_of_templates() -> None:
    raise Invalid("A template says itself what is run, and names no other template.", field="template")


def _check_placeholders(words: Sequence[str], known: set[str]) -> None:
    """A {name} in the command that no parameter has would be given to it as it stands: most likely a slip."""
    problems: list[MledError] = []
    for name in (one for one in names_in(words) if one not in known):
        alike = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f"Did you mean '{alike[0]}'?" if alike else f"Give it a value, or write {{{{{name}}}}} to mean itself."
        what = f"The command speaks of a parameter '{name}' that has no value."
        problems.append(Invalid(what, hint=hint, field=field_of(name)))
    if problems:
        raise InvalidFields(problems)
