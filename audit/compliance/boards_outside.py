"""A public board and audits keep out of each other's way: what anybody submits is in the scope of none.

What happens on a board is in the log all the same, with the id of the claim token.
"""

from typing import Any, Final

from accounts import hooks
from accounts.access import register_state_check
from accounts.models import Project
from audit.compliance.models import Finding, LegalHold, Report, Review
from experiments.models import Run
from kernel.actor import Actor
from kernel.errors import Conflict, MledError

USUAL_PROFILE: Final = "house"
AUDITS: Final = frozenset(
    {
        "compliance.submit",
        "compliance.assess",
        "compliance.assign",
        "compliance.find",
        "compliance.except_rule",
        "compliance.waive",
        "compliance.set_profile",
    }
)
HINT: Final = "Move it to a project of its members, or have the manager end the board."


def register() -> None:
    """Called once, when the app is ready."""
    register_state_check(Project, refuse_audits)
    register_state_check(Run, refuse_audits)
    register_state_check(Report, refuse_reports)
    hooks.board_opening.append(require_no_audit)


def refuse_audits(actor: Actor, permission: str, subject: Any) -> MledError | None:
    """What is told of reviews, findings, samples and rules while the project is a public board."""
    if permission not in AUDITS:
        return None
    project = subject if isinstance(subject, Project) else subject.project
    return _outside() if project.is_board else None


def refuse_reports(actor: Actor, permission: str, report: Report) -> MledError | None:
    """No report as evidence is asked for of a board; those that were issued before can still be read."""
    is_new = permission == "compliance.report" and report._state.adding
    return _outside() if is_new and report.project.is_board else None


def _outside() -> Conflict:
    return Conflict("This project is a public board, which is outside the scope of audits.", hint=HINT)


def require_no_audit(project: Project) -> None:
    """Before a project becomes a board. Raises Conflict where auditors have a part in it."""
    if project.profile != USUAL_PROFILE:
        raise Conflict(
            f"The project follows the rules '{project.profile}', so it cannot be a public board.",
            hint="Make a project of its own for the board.",
        )
    if LegalHold.objects.filter(project=project, lifted_at=None).exists():
        raise Conflict("A legal hold stands over the project, so it cannot be a public board.")
    if any(model.objects.filter(run__project=project).exists() for model in (Review, Finding)):
        raise Conflict(
            "Auditors reviewed runs of this project, so it cannot be a public board.",
            hint="Make a project of its own for the board.",
        )
