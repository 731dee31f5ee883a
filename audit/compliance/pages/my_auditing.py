"""On the home page: what waits for those who audit, and reports that one asked for."""

from artifacts.pages.slots import Panel
from audit.compliance.queries.my_work import answers_to, duties_of, is_auditing, reports_lately
from kernel.actor import Actor

SHOWN = 8
REPORTS = 5


def auditing_panel(viewer: Actor) -> Panel | None:
    """What waits in each project that the viewer audits, and answers to their findings; None where nothing does."""
    if not is_auditing(viewer):
        return None
    duties = duties_of(viewer)
    answers = list(answers_to(viewer)[: SHOWN + 1])
    if not duties and not answers:
        return None
    return Panel(
        "compliance/my_auditing.html",
        {
            "duties": duties[:SHOWN],
            "answers": answers[:SHOWN],
            "more": len(duties) > SHOWN or len(answers) > SHOWN,
            "waiting": sum(one.waiting for one in duties),
        },
    )


def reports_panel(viewer: Actor) -> Panel | None:
    """The viewer's reports that are being made or were finished lately; None where there is none."""
    reports = list(reports_lately(viewer)[:REPORTS])
    return Panel("compliance/my_reports.html", {"reports": reports}) if reports else None
