"""What the form that launches shows: what was typed, what is wrong, what is offered, and what is known beforehand."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest

from accounts.access import can
from accounts.models import Project
from artifacts.pages.new_version import PLAIN_MAX_BYTES
from experiments.queries.recorded import experiments_offered
from kernel.actor import Actor
from kernel.errors import MledError
from runner.pages.launch_checks import (
    Check,
    data_check,
    environment_check,
    expected_words,
    fields_check,
    likeness_checks,
    sweep_check,
    worker_check,
)
from runner.pages.launch_doing import Ready, changes_in, read
from runner.pages.launch_fields import InputField, free_input_fields, input_fields, param_groups, param_rows
from runner.pages.launch_form import FIELDS, FOLDER, FREE_INPUTS, REPOSITORY, Typed
from runner.pages.launch_offers import (
    Chosen,
    by_itself,
    chosen_in,
    column_offers,
    environment_words,
    limit_options,
    queues_for,
    version_offers,
    what_options,
)
from runner.queries.launching import expected_time
from runner.queries.recipes import visible_environments
from runner.queries.rules import rules_of
from runner.queries.secrets import secrets_of
from runner.recipes import Draft, Resources
from runner.recreating.likeness import Change

ENVIRONMENTS_SHOWN: Final = 30
LABELS: Final = {
    "trainer": "What to run",
    "template": "What to run",
    "what": "What to run",
    "experiment": "Experiment",
    "name": "Name of the run",
    "url": "Repository",
    "url_secret": "Secret that opens it",
    "commit": "Commit",
    "command": "Command",
    "folder": "Folder",
    "code_file": "Code",
    "environment": "Environment",
    "requirements": "Requirements",
    "lock": "uv.lock",
    "project_file": "pyproject.toml",
    "image": "Image",
    "image_secret": "Secret that opens it",
    "seed": "Seed",
    "queue": "Queue",
    "seconds": "Time limit",
    "memory_mb": "Memory limit",
    "disk_mb": "Disk",
    "cpus": "Processors",
    "processes": "Processes",
    "gpus": "Graphics cards",
    "network": "Network",
    "secrets": "Secrets",
    "tags": "Tags",
    "params_json": "Parameters as JSON",
    "template_name": "Name of the template",
    "sweep_space": "Parameters that change",
    "sweep_runs": "Runs at most",
    "sweep_at_once": "At the same time",
    "sweep_minutes": "Minutes in all",
}
_PLACES: Final = {
    "trainer": "what",
    "template": "what",
    "code": "code_file",
    "code_of": "code_file",
    "code_name": "code_file",
    "words": "command",
    "repository": "url",
    "repository.secret": "url_secret",
    "environment.secret": "image_secret",
    "digest": "inputs",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """A link of the list of problems: the id of its field, what it is called, and what is wrong."""

    anchor: str
    label: str
    words: str


def place_of(field: str) -> str:
    """Where in the form a problem is shown: params.lr, inputs.train, or the name of a single field."""
    if field.startswith(("params.", "inputs.")):
        return field
    if field in _PLACES:
        return _PLACES[field]
    last = re.sub(r"^(?:repository|resources|environment)\.", "", field)
    return _PLACES.get(last, last)


def shown(
    request: HttpRequest,
    viewer: Actor,
    project: Project,
    typed: Typed,
    problems: Sequence[MledError] = (),
    *,
    more: bool = False,
) -> dict[str, Any]:
    """The context of the form, and of its right column alone."""
    chosen, rules = chosen_in(viewer, project, typed), rules_of(project)
    wrong = {place_of(one.field): beside(one, chosen) for one in problems}
    options = version_offers(viewer, project, [*typed.inputs.values(), *(one for _, one in typed.free_inputs)])
    if chosen.inputs:
        inputs = input_fields(chosen.inputs, typed, chosen.inputs_before, options, wrong)
    else:
        inputs = free_input_fields(typed, options, wrong, at_most=FREE_INPUTS)
    columns = column_offers(viewer, typed, chosen, options)
    queues = queues_for(typed)
    environments = list(visible_environments(viewer, project)[:ENVIRONMENTS_SHOWN])
    ready, missing = read(viewer, project, typed, request.POST)
    changed = _changed(chosen, typed, ready.draft if ready else None)
    checks = [
        *filter(None, [fields_check(_told(request, missing)), sweep_check(ready.plan if ready else None)]),
        data_check(inputs),
        environment_check(typed, chosen.trainer, environments),
        *_likeness(chosen, changed),
        worker_check(queues.chosen, queues.offers, ready.draft.resources.gpus if ready else 0),
    ]
    return {
        "at": "runs",
        "looked": request.POST.get("do") == "look",
        "project": project,
        "typed": {**dict.fromkeys(FIELDS, ""), **typed.texts},
        "network": typed.network,
        "chosen": chosen,
        "kind": typed.kind,
        "is_code": typed.kind in (REPOSITORY, FOLDER),
        "likeness": chosen.likeness,
        "changed": changed,
        "wrong": wrong,
        "summary": [_summary(one, inputs, typed) for one in problems],
        "what_options": what_options(viewer, project),
        "experiments": experiments_offered(viewer, project),
        "inputs": inputs,
        "versions": list(options.values()),
        "groups": param_groups(chosen.schema, typed, chosen.params_before, wrong, columns),
        "columns": columns,
        "rows": [] if chosen.schema else param_rows(typed, wrong, more=more),
        "row_group": ROW_GROUP,
        "params_json": typed.text("params_json") or json.dumps(_json(chosen, typed), indent=2, ensure_ascii=False),
        "environments": [(str(one.pk), environment_words(one)) for one in environments],
        "queues": queues.options,
        "queue": queues.chosen,
        "times": limit_options(rules, typed, "seconds"),
        "memories": limit_options(rules, typed, "memory_mb"),
        "limits": {name: typed.text(name) or f"{by_itself(rules, name):.10g}" for name in Resources.__slots__},
        "rules": rules,
        "secrets": [(one.name, one.name in typed.secrets) for one in secrets_of(viewer, project)],
        "checks": checks,
        "expected": _expected(viewer, project, ready),
        "may_keep": bool(can(viewer, "runner.keep_templates", project)),
        "is_kept": "kept" in request.GET,
        "is_retired": "retired" in request.GET,
        "template_name": typed.text("template_name") or (chosen.template.name if chosen.template else ""),
        "template_description": typed.text("template_description")
        or (chosen.template.description if chosen.template else ""),
        "max_bytes": PLAIN_MAX_BYTES,
        "sweep_asked": request.POST,
        "sweep_params": [one.name for one in chosen.schema],
    }


ROW_GROUP: Final = {
    "kind": "param",
    "plural": "params",
    "one": "parameter",
    "key_example": "learning_rate",
    "value_example": "0.001",
}


def _json(chosen: Chosen, typed: Typed) -> dict[str, Any]:
    """The parameters as JSON, as far as they are filled in; for a schema with its defaults."""
    said = typed.declares(bool(chosen.schema))
    if not chosen.schema:
        return dict(said)
    found: dict[str, Any] = {}
    for one in chosen.schema:
        value = said.get(one.name, one.default)
        if value is None:
            continue
        try:
            found[one.name] = one.value_of(value)
        except MledError:
            found[one.name] = value
    return found


def _expected(viewer: Actor, project: Project, ready: Ready | None) -> str:
    if ready is None:
        return expected_words(None, None)
    return expected_words(expected_time(viewer, project, ready.draft), ready.plan)


def _changed(chosen: Chosen, typed: Typed, draft: Draft | None) -> list[Change]:
    return [] if draft is None else changes_in(typed, chosen, draft)


def _likeness(chosen: Chosen, changed: Sequence[Change]) -> list[Check]:
    if chosen.likeness is None:
        return []
    name = chosen.likeness.run.readable_id
    if changed:
        return [*likeness_checks(name, (), chosen.likeness.differs)] if chosen.likeness.differs else []
    return likeness_checks(name, chosen.likeness.cannot, chosen.likeness.differs)


def _summary(problem: MledError, inputs: Sequence[InputField], typed: Typed) -> Summary:
    return Summary(anchor_of(problem, inputs, typed), label_of(problem), words_of(problem))


def words_of(problem: MledError) -> str:
    """What is wrong, without the name of the field, which stands there already."""
    name, words = problem.field.rpartition(".")[2], problem.message
    for before in (f"{name}: ", f"{label_of(problem)}: "):
        words = words.removeprefix(before)
    if words.startswith(f"'{name}' is "):
        words = words.replace(f"'{name}'", "It", 1)
    return words[:1].upper() + words[1:]


def beside(problem: MledError, chosen: Chosen) -> str:
    """What is wrong, as it stands at its field, where what a parameter is for stands anyway."""
    known = {one.words for one in chosen.schema}
    return words_of(problem) if problem.hint in known else f"{words_of(problem)} {problem.hint}".strip()


def _told(request: HttpRequest, problems: Sequence[MledError]) -> list[tuple[str, str]]:
    """Names of fields and what is wrong. A file that is chosen is no problem: it comes once the form is sent."""
    is_chosen = bool(request.POST.get("code_file"))
    return [(label_of(one), words_of(one)) for one in problems if not (is_chosen and one.field == "code_file")]


def anchor_of(problem: MledError, inputs: Sequence[InputField], typed: Typed) -> str:
    """The id of a field in the page."""
    place = place_of(problem.field)
    head, _, name = place.partition(".")
    if head == "inputs":
        return next((one.id for one in inputs if one.name == name), "data-h")
    if head == "params":
        rows = [number for number, (key, _) in enumerate(typed.rows, start=1) if key == name]
        return f"param-value-{rows[0]}" if rows and not typed.params else f"param-{name}" if name else "params-h"
    return place if place in LABELS else "launch-form"


def label_of(problem: MledError) -> str:
    """What a field is called in the list of problems."""
    place = place_of(problem.field)
    head, _, name = place.partition(".")
    if head == "inputs":
        return f"Data: {name}" if name else "Data"
    if head == "params":
        return name or "Hyperparameters"
    return LABELS.get(place, "The form")
