"""Jobs: whether the code of others can be shut off on this machine. Not whether workers run: see Background work."""

import datetime as dt
import os
import socket
from typing import Final

from django.conf import settings

from kernel.clock import now
from kernel.errors import Invalid
from mled_site.diagnostics.reaching import database_trouble
from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes

HEARD_OF: Final = dt.timedelta(minutes=2)


@check("sandbox", "Jobs can be shut off", seconds=25)
def sandbox(notes: Notes) -> None:
    """Executes a command that does nothing, as jobs are executed, and says why that does not work here."""
    from runner.executors import bubblewrap, chosen
    from runner.executors.sandbox import Sandbox, tried

    notes.figure("MLED_EXECUTOR", settings.MLED_EXECUTOR)
    try:
        chosen()
    except Invalid as error:
        notes.fail("sandbox.unknown", error.message, "Correct it, or take it away: jobs are then shut off.")
        return
    if settings.MLED_EXECUTOR == "plain":
        notes.warn(
            "sandbox.plain",
            "Jobs are not shut off: MLED_EXECUTOR is 'plain', and their code may do all that the worker's user may.",
            "Take MLED_EXECUTOR away, unless you trust whoever may launch jobs with all that this machine holds.",
        )
        return
    notes.figure("Bubblewrap", bubblewrap.where() or "none")
    what, next_step = tried(Sandbox())
    if not what:
        user = "as root, each job as a user of its own" if os.geteuid() == 0 else "as an ordinary user"
        notes.figure("On this machine", f"yes, {user}")
        return
    notes.figure("On this machine", f"no: {what}")
    elsewhere = _workers_elsewhere()
    notes.figure("Workers on other machines", ", ".join(elsewhere) or "none")
    if not elsewhere:
        reason = what.removeprefix("The command could not be kept apart: ")
        notes.fail(
            "sandbox.lacking",
            f"Jobs cannot be shut off on this machine, so that it executes none: {reason}",
            next_step,
        )


def _workers_elsewhere() -> list[str]:
    """Those that were heard of lately: jobs need no sandbox here then."""
    from runner.models import Worker

    if database_trouble():
        return []
    alive = Worker.objects.filter(seen_at__gte=now() - HEARD_OF, left_at=None).order_by("name")
    return [one.name for one in alive if one.about.get("machine") != socket.gethostname()]
