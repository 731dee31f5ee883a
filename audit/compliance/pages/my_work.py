"""On the home page: reviews that are this viewer's, and findings that they have to answer."""

from artifacts.pages.slots import Panel
from audit.compliance.pages.findings import is_overdue
from audit.compliance.queries.reviews import findings_to_answer, reviews_of_mine
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
