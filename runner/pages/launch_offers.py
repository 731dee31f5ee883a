"""What the form that launches offers, and what is chosen in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from accounts.models import Project
from experiments.models import Run
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.errors import MledError, NotFound
from runner.amounts import memory_words, time_words
from runner.checking_data import ONE_COLUMN, columns_of
from runner.checking_limits import most_of
from runner.models import Environment, RunnerRules, Template
from runner.packages import image_of
from runner.pages.launch_fields import VersionOption, version_options
from runner.pages.launch_form import REPOSITORY, TEMPLATE, TRAINER, Typed
from runner.queries.launching import QueueOffer, queues_offered, versions_by_id, versions_to_use
from runner.queries.templates import find_template, templates_of
from runner.recipes import DEFAULT_QUEUE, Resources
from runner.recreating.likeness import Likeness, like
from runner.schemas import Parameter, read_schema
from runner.trainers import Trainer, TrainerInput, trainer, trainers

TEMPLATES_SHOWN: Final = 50
STAYING: Final = ("what", "name", "experiment", "tags", "queue", "key", "like")
COLUMNS_OFFERED: Final = 500
HOUR: Final = 3600
TIMES: Final = (600, 1800, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR, 72 * HOUR)
MEMORY: Final = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)


@dataclass(frozen=True, slots=True)
class WhatOption:
    """One thing to run."""

    value: str
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen, and what it declares. before: values and data that it starts from, of a template or a run."""

    trainer: Trainer | None = None
    template: Template | None = None
    schema: Sequence[Parameter] = ()
    inputs: Sequence[TrainerInput] = ()
    likeness: Likeness | None = None

    @property
    def params_before(self) -> Mapping[str, Any]:
        """Of the run that it is like: changed fields are told from these."""
        said = self.likeness.wanted.get("params") if self.likeness else None
        return said if isinstance(said, Mapping) else {}

    @property
    def inputs_before(self) -> Mapping[str, Any]:
        """Of the run that it is like."""
        said = self.likeness.wanted.get("inputs") if self.likeness else None
        return said if isinstance(said, Mapping) else {}

    def wanted(self, typed: Typed) -> dict[str, Any]:
        """What the form asks for, as `runner.checking` reads it; packages are for the interpreter of the run that it is
        like."""
        wanted = typed.wanted(has_schema=bool(self.schema), declared_inputs=bool(self.inputs))
        then, now = (one.get("environment") for one in (self.likeness.wanted if self.likeness else {}, wanted))
        if isinstance(then, Mapping) and isinstance(now, Mapping) and then.get("python"):
            return {**wanted, "environment": {**now, "python": then["python"]}}
        return wanted


def chosen_in(viewer: Actor, project: Project, typed: Typed) -> Chosen:
    """What stands in the form. What is not there any more is as if nothing were chosen; the check names it."""
    likeness = _likeness(viewer, project, typed)
    if typed.kind == TRAINER:
        try:
            found = trainer(typed.chosen)
        except NotFound:
            return Chosen(likeness=likeness)
        return Chosen(found, None, found.schema, found.inputs, likeness)
    if typed.kind == TEMPLATE:
        template = template_of(viewer, project, typed.chosen)
        return Chosen(likeness=likeness) if template is None else _of_template(template, likeness)
    return Chosen(likeness=likeness)


def _of_template(template: Template, likeness: Likeness | None) -> Chosen:
    named = str(template.draft.get("trainer") or "")
    try:
        built_in = trainer(named) if named else None
    except NotFound:
        built_in = None
    schema = read_schema(template.schema) or (built_in.schema if built_in else ())
    return Chosen(built_in, template, schema, built_in.inputs if built_in else (), likeness)


def template_of(viewer: Actor, project: Project, uid: str) -> Template | None:
    """One that is not retired."""
    try:
        found = find_template(viewer, UUID(uid), project=project)
    except (ValueError, NotFound):
        return None
    return found if found.retired_at is None else None


def as_chosen(viewer: Actor, project: Project, typed: Typed) -> Typed:
    """The form once another thing to run was chosen in it: that of the template, or without the values of the one
    before. What says where the run goes stays."""
    if typed.text("what") == typed.text("what_was"):
        return typed
    kept = template_of(viewer, project, typed.chosen) if typed.kind == TEMPLATE else None
    if kept is None:
        return replace(typed, params={})
    return Typed.like(kept.draft, {name: typed.texts.get(name, "") for name in STAYING})


def _likeness(viewer: Actor, project: Project, typed: Typed) -> Likeness | None:
    run = run_like(viewer, project, typed.text("like"))
    return like(viewer, run, queue=typed.text("queue")) if run else None


def run_like(viewer: Actor, project: Project, ref: str) -> Run | None:
    """The run that the form is like."""
    try:
        return get_run(viewer, ref, project=project) if ref else None
    except MledError:
        return None


def what_options(viewer: Actor, project: Project) -> list[WhatOption]:
    """Everything that can be run: built-in trainers, code of one's own, templates of the project."""
    own = [WhatOption(f"{TRAINER}:{one.name}", one.title, "Built-in trainer, scikit-learn") for one in trainers()]
    code = [
        WhatOption(REPOSITORY, "Git repository", "Your entry point at a commit"),
        WhatOption("folder", "Uploaded code", "A folder, a git bundle, a notebook, a script"),
    ]
    kept = templates_of(viewer, project)[:TEMPLATES_SHOWN]
    templates = [
        WhatOption(f"{TEMPLATE}:{one.pk}", one.name, one.description[:120] or "Template of the project") for one in kept
    ]
    return [*own, *code, *templates]


def version_offers(viewer: Actor, project: Project, chosen: Iterable[str]) -> dict[str, VersionOption]:
    """Dataset versions by their ids: those that may be used, and those that stand in the form already."""
    options = {one.id: one for one in version_options(versions_to_use(viewer, project))}
    missing = [uid for uid in chosen if uid and uid not in options]
    return {**options, **{one.id: one for one in version_options(versions_by_id(viewer, project, missing))}}


def environment_words(kept: Environment) -> str:
    """An environment that was used before, in the list of those to choose from."""
    since = f"{kept.digest[:8]}, {kept.created_at:%-d %b %Y}"
    if image := image_of(kept):
        return f"Image {image}, {since}"
    return f"{kept.get_kind_display()}, Python {kept.python}, {since}"


def column_offers(
    viewer: Actor, typed: Typed, chosen: Chosen, options: Mapping[str, VersionOption]
) -> dict[str, list[str]]:
    """By parameter that names one column: those of the chosen data, as far as they were read."""
    place = chosen.trainer.columns.get(ONE_COLUMN) if chosen.trainer else None
    if place is None:
        return {}
    version = typed.inputs.get(place, "")
    return {ONE_COLUMN: columns_of(viewer, UUID(version))[:COLUMNS_OFFERED] if version in options else []}


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues to choose from with what is said of each, the one that is chosen, and what they are told from."""

    options: list[tuple[str, str]]
    chosen: str
    offers: list[QueueOffer]


def queues_for(typed: Typed) -> Queues:
    """Those that workers serve, the default, and what stands in the form. Where nothing does: one that is served."""
    offers = queues_offered()
    labels = {one.name: f"{one.name}, {one.free} of {one.slots} free" for one in offers}
    served = [one.name for one in offers]
    chosen = typed.text("queue") or (served[0] if served else DEFAULT_QUEUE)
    for name in (DEFAULT_QUEUE, chosen):
        labels.setdefault(name, f"{name}, no worker now")
    return Queues(list(labels.items()), chosen, offers)


def by_itself(rules: RunnerRules, name: str) -> float:
    """How much of a resource a job has where nobody says: the usual, as far as the project allows it."""
    return min(float(getattr(Resources(), name)), most_of(rules, name))


def limit_options(rules: RunnerRules, typed: Typed, name: str) -> list[tuple[str, str]]:
    """Times or amounts of memory to choose from, as far as the project allows, with what stands in the form."""
    steps, say = (TIMES, time_words) if name == "seconds" else (MEMORY, memory_words)
    most = most_of(rules, name)
    values = {step for step in steps if step <= most} | {int(most), int(by_itself(rules, name))}
    typed_one = typed.text(name)
    if typed_one.isdigit():
        values.add(int(typed_one))
    offered = [(str(value), say(value)) for value in sorted(values)]
    return offered if not typed_one or typed_one.isdigit() else [(typed_one, typed_one), *offered]
