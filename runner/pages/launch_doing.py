"""From the form to a job, a sweep or a template: checked as a whole first, then done once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.core.cache import cache
from django.http import QueryDict

from accounts.models import Project
from experiments.models import Experiment, Run
from experiments.queries.reproductions import LIKE
from experiments.queries.runs import get_run
from experiments.values import EXPERIMENT_NAME_MAX
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid, InvalidFields, MledError
from runner.actions.jobs import launch
from runner.actions.placing import in_experiment
from runner.actions.recreating import recreate
from runner.actions.sweeps import begin_sweep
from runner.actions.templates import change_template, keep_template
from runner.checking import checked, noting
from runner.models import Recipe, Template
from runner.names import checked_queue
from runner.pages.launch_form import FOLDER, Typed
from runner.pages.launch_offers import Chosen, chosen_in
from runner.queries.rules import rules_of
from runner.recipes import DEFAULT_QUEUE, Draft
from runner.recreating.likeness import Change, changes
from runner.schemas import plain_schema
from runner.sweep_checking import checked_sweep
from runner.sweeping import Plan, form_name, readable_part, sweep_from_form

KEY_SECONDS: Final = 24 * 3600
TAKEN: Final = "-"
NAME_MAX: Final = 250


@dataclass(frozen=True, slots=True)
class Ready:
    """A form of which all is right. plan: of a sweep, None for a single run."""

    draft: Draft
    plan: Plan | None
    tags: Mapping[str, str]
    experiment: str
    name: str
    queue: str


def read(viewer: Actor, project: Project, typed: Typed, post: QueryDict) -> tuple[Ready | None, list[MledError]]:
    """All of the form, and everything that is wrong with it. Nothing is written."""
    problems: list[MledError] = []
    attempt = noting(problems)
    chosen = chosen_in(viewer, project, typed)
    wanted = chosen.wanted(typed)
    experiment = attempt(lambda: _experiment(typed))
    name = attempt(lambda: _name(typed))
    queue = attempt(lambda: checked_queue(typed.text("queue") or DEFAULT_QUEUE))
    asked = attempt(lambda: sweep_from_form(post)) or readable_part(post)
    draft, plan = attempt(lambda: _checked(viewer, project, wanted, asked)) or (None, None)
    tags = attempt(lambda: typed.tags)
    for problem in problems:
        problem.field = form_name(problem.field)
        if problem.field == "trainer" and typed.kind == FOLDER:
            problem.field, problem.message = "code_file", "Choose the file of your code."
            problem.hint = "A zip or tar of its folder, a git bundle, a notebook or a script."
    if problems or draft is None:
        return None, problems
    return Ready(draft, plan, tags or {}, experiment or "", name or "", queue or DEFAULT_QUEUE), []


def _checked(
    viewer: Actor, project: Project, wanted: Mapping[str, Any], plan: Plan | None
) -> tuple[Draft, Plan | None]:
    return (checked(viewer, project, wanted), None) if plan is None else checked_sweep(viewer, project, wanted, plan)


def launch_once(viewer: Actor, project: Project, typed: Typed, post: QueryDict) -> Run:
    """The run of the job, or the parent of the sweep. The same form sent twice gives that of the first time.

    Raises InvalidFields with everything that is wrong, Conflict; then nothing is launched.
    """
    ready, problems = read(viewer, project, typed, post)
    if ready is None:
        raise InvalidFields(problems)
    key = f"launch:{viewer.user_id}:{typed.text('key')[:100]}"
    if typed.text("key") and not cache.add(key, TAKEN, KEY_SECONDS):
        return _of_before(viewer, project, key)
    try:
        run = _launched(viewer, project, typed, ready)
    except BaseException:
        cache.delete(key)
        raise
    cache.set(key, run.uid.hex, KEY_SECONDS)
    return run


def _of_before(viewer: Actor, project: Project, key: str) -> Run:
    known = cache.get(key)
    if not known or known == TAKEN:
        raise Conflict("This form is being launched right now.", hint="The queue shows it in a moment.")
    return get_run(viewer, known, project=project)


def _launched(viewer: Actor, project: Project, typed: Typed, ready: Ready) -> Run:
    chosen, retries = chosen_in(viewer, project, typed), rules_of(project).retries
    likeness = chosen.likeness
    is_as_then = likeness is not None and likeness.can_be_met and not changes_in(typed, chosen, ready.draft)
    if likeness is not None and is_as_then and ready.plan is None:
        return recreate(viewer, likeness.run, queue=ready.queue, name=ready.name).run
    tags = {**ready.tags, **({LIKE: likeness.run.uid.hex} if likeness is not None else {})}
    shared: dict[str, Any] = {"name": ready.name, "tags": tags, "queue": ready.queue, "retries": retries}

    def begun(experiment: Experiment) -> Run:
        if ready.plan is not None:
            return begin_sweep(viewer, experiment, draft=ready.draft, plan=ready.plan, **shared).parent
        return launch(viewer, experiment, draft=ready.draft, **shared).run

    return in_experiment(viewer, project, ready.experiment, begun)


def changes_in(typed: Typed, chosen: Chosen, draft: Draft) -> list[Change]:
    """What differs from the run that the form is like. A parameter that there was not then differs where it is not as
    it is by itself."""
    if chosen.likeness is None:
        return []
    asked = as_asked(draft, chosen.wanted(typed))
    by_itself = {one.name: one.default for one in chosen.schema if one.name not in chosen.params_before}
    asked["params"] = {
        name: value for name, value in draft.params.items() if name not in by_itself or by_itself[name] != value
    }
    return changes(chosen.likeness, asked)


def as_asked(draft: Draft, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What the form asks for, with values as the check made them: what differs from another wish differs in effect."""
    asked = {name: value for name, value in wanted.items() if name not in ("command", "words")}
    asked |= {
        "params": dict(draft.params),
        "seed": draft.seed,
        "inputs": {one.name: str(one.version) for one in draft.inputs},
        "resources": asdict(draft.resources),
    }
    return asked if draft.kind == Recipe.Kind.TRAINER else {**asked, "words": list(draft.words)}


def keep_as_template(viewer: Actor, project: Project, typed: Typed) -> Template:
    """What stands in the form as a new template: it may be unfinished. Raises InvalidFields, AlreadyExists."""
    with _fields_of_the_form():
        return keep_template(viewer, project, **_template_in(viewer, project, typed))


def change_the_template(viewer: Actor, project: Project, typed: Typed) -> Template:
    """What stands in the form in place of the template that it is from. Raises as `keep_as_template`, Conflict."""
    template = chosen_template(viewer, project, typed)
    with _fields_of_the_form():
        return change_template(viewer, template, **_template_in(viewer, project, typed))


def chosen_template(viewer: Actor, project: Project, typed: Typed) -> Template:
    """The template that the form is from. Raises Invalid where it is from none, or that was retired meanwhile."""
    found = chosen_in(viewer, project, typed).template
    if found is None:
        raise Invalid("This form is from no template.", hint="Choose one under What to run.", field="what")
    return found


def _template_in(viewer: Actor, project: Project, typed: Typed) -> dict[str, Any]:
    chosen = chosen_in(viewer, project, typed)
    wanted = chosen.wanted(typed)
    if chosen.template is not None:
        wanted = {**chosen.template.draft, **{name: value for name, value in wanted.items() if name != "template"}}
    return {
        "name": typed.text("template_name"),
        "description": typed.text("template_description"),
        "draft": wanted,
        "schema": plain_schema(chosen.schema) if chosen.template and not chosen.trainer else None,
    }


@contextmanager
def _fields_of_the_form() -> Iterator[None]:
    """What is wrong is said at the field of the form."""
    try:
        yield
    except MledError as error:
        if error.field in ("name", "description"):
            error.field = f"template_{error.field}"
        raise


def _experiment(typed: Typed) -> str:
    name = typed.text("experiment")
    if not name:
        raise Invalid("Choose an experiment, or name a new one.", field="experiment")
    if len(name) > EXPERIMENT_NAME_MAX:
        raise Invalid(f"A name has at most {EXPERIMENT_NAME_MAX} characters.", field="experiment")
    return name


def _name(typed: Typed) -> str:
    if len(typed.text("name")) > NAME_MAX:
        raise Invalid(f"A name has at most {NAME_MAX} characters.", field="name")
    return typed.text("name")
