"""What an as-of question names: a run, a project's members or their rights; and the moment."""

import datetime as dt
from collections.abc import Callable

from accounts.access import require
from accounts.models import Project
from audit.compliance.queries.log import READS
from audit.compliance.queries.log_as_of import State, members_at, run_at
from audit.compliance.queries.log_question import FIRST_YEAR, LAST_YEAR
from audit.compliance.queries.rights_as_of import rights_at
from experiments.models import Run
from experiments.queries.runs import get_run
from kernel.actor import Actor
from kernel.clock import now
from kernel.errors import Invalid, NotFound

MEMBERS, RIGHTS, RUN = "members", "rights", "run:"
At = Callable[[dt.datetime], State]


def states_of(viewer: Actor, project: Project, what: str) -> tuple[At, Run | None]:
    """What tells the state at a moment, and the run where one was named: 'members', 'rights' or 'run:<id>'.

    Raises Invalid, NotFound, Refused.
    """
    require(viewer, READS, project)
    if what == MEMBERS:
        return (lambda at: members_at(viewer, project, at)), None
    if what == RIGHTS:
        return (lambda at: rights_at(viewer, project, at)), None
    if not what.startswith(RUN) or not what.removeprefix(RUN).strip():
        raise Invalid(
            f"'{what[:40]}' cannot be shown as it was.", hint="Give 'members', 'rights' or 'run:<id>'.", field="what"
        )
    run = _run_named(viewer, project, what.removeprefix(RUN).strip())
    return (lambda at: run_at(viewer, run, at)), run


def _run_named(viewer: Actor, project: Project, name: str) -> Run:
    try:
        return get_run(viewer, name, project=project)
    except NotFound:
        words = f"This project has no run '{name[:40]}' that you may see."
        raise NotFound(words, hint=f"Write it as run:{project.key}-1.", field="what") from None


def moment_of(text: str, field: str) -> dt.datetime:
    """An ISO 8601 moment, in UTC where it names no zone. Raises Invalid, also for what is in the future."""
    try:
        found = dt.datetime.fromisoformat(text.replace(" ", "+") if text.count("T") == 1 else text)
        moment = (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"'{text[:40]}' is no time.", hint="Write it as 2026-11-20T12:00.", field=field) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Invalid("The time is outside the log.", hint=f"It is {now():%Y} now.", field=field)
    if moment > now():
        raise Invalid(
            "That is in the future: the log tells what was.", hint=f"It is {now():%Y-%m-%dT%H:%M} UTC now.", field=field
        )
    return moment
