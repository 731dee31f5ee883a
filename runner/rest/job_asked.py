"""What was sent to launch a job: everything that is wrong with it is told at once, whichever part finds it."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.models import Project
from accounts.rest.door import RestView, actor_of
from experiments.models import Experiment
from kernel.errors import Invalid, InvalidFields, MledError, NotFound
from runner.checking import checked
from runner.recipes import Draft
from runner.rest.job_fields import JobWanted, experiment_in, wanted_in

Asked = dict[str, Any]


def asked_of(view: RestView, request: Request, project: Project) -> tuple[Asked, Experiment | str, Draft]:
    """The fields of the body, the experiment that they name (its name, where it is to be made), and what is to
    be run.

    Raises InvalidFields with what is wrong in the order of the fields, NotFound where that is all.
    """
    actor, problems, not_found = actor_of(request), list[MledError](), None
    asked: Asked | None = None
    experiment: Experiment | str | None = None
    draft: Draft | None = None
    try:
        asked = view.parsed(JobWanted)
        experiment = experiment_in(actor, project, asked)
    except ValidationError as error:
        problems += _of_fields(error)
    except NotFound as error:
        problems, not_found = [error], error
    except Invalid as error:
        problems = [error]
    told = {one.field for one in problems}
    sent = asked if asked is not None else request.data
    try:
        draft = checked(actor, project, wanted_in(sent if isinstance(sent, Mapping) else {}))
    except InvalidFields as error:
        problems = [*(one for one in error.problems if one.field not in told), *problems]
    if asked is not None and experiment is not None and draft is not None:
        return asked, experiment, draft
    raise not_found if not_found is not None and len(problems) == 1 else InvalidFields(problems)


def _of_fields(error: ValidationError) -> list[MledError]:
    """One for each field of the body that cannot be read."""
    detail: Any = error.detail
    if not isinstance(detail, dict):
        raise error
    return [Invalid(_first_text(told), field=str(field)) for field, told in detail.items()]


def _first_text(told: Any) -> str:
    while isinstance(told, dict | list) and told:
        told = next(iter(told.values())) if isinstance(told, dict) else next((one for one in told if one), "")
    return str(told)
