"""On the home page: reviews that are this viewer's, findings that they have to answer, and what administrators keep."""

from accounts.access import can
from artifacts.pages.slots import Panel
from audit.compliance.pages.findings import is_overdue
from audit.compliance.queries.purges import CARRIES_OUT, purges_waiting
from audit.compliance.queries.reviews import findings_to_answer, reviews_of_mine
from audit.ledger.alarm import troubles
from audit.ledger.queries.health import ledger_lag
from kernel.actor import Actor

SHOWN = 8


def review_panel(viewer: Actor) -> Panel | None:
    """What waits for the viewer, what is due first; None where nothing does."""
    reviews = list(reviews_of_mine(viewer)[: SHOWN + 1])
    findings = list(findings_to_answer(viewer)[: SHOWN + 1])
    if not reviews and not findings:
        return None
    return Panel(
        "compliance/my_work.html",
        {
            "reviews": [(one, is_overdue(one)) for one in reviews[:SHOWN]],
            "findings": [(one, is_overdue(one)) for one in findings[:SHOWN]],
            "more": len(reviews) > SHOWN or len(findings) > SHOWN,
        },
    )


def keeping_panel(viewer: Actor) -> Panel | None:
    """For who keeps the system: purges that wait for them, how the log is, and the way to people and erasing."""
    if not can(viewer, CARRIES_OUT):
        return None
    purges = purges_waiting(viewer)
    return Panel(
        "compliance/my_keeping.html",
        {
            "purges": list(purges[:SHOWN]),
            "more": max(0, purges.count() - SHOWN),
            "troubles": troubles(),
            "lag": ledger_lag(),
            "may_erase": bool(can(viewer, "ledger.erase")),
            "opens_console": bool(can(viewer, "console.use")),
        },
    )
