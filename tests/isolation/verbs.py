"""What each page that takes a verb in its address can do: the tables that its view itself looks into.

A page that takes verbs and is new makes the tests that use this fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from audit.compliance.pages import findings, keeping, queue, queue_acts, report, rules, run_review
from experiments.pages import experiment_acts, run, saved_views, sheet
from experiments.pages.bulk import BULK
from experiments.pages.slots import runs_pages
from registry.pages import model, version_acts, webhooks
from runner.pages import queue as jobs
from runner.pages import workers
from transfer.pages import transfers

UNKNOWN = "levitate"
"""No page can do that."""

VERBS: Mapping[str, Iterable[str]] = {
    "findings/<uuid:finding>/do/": findings.ACTS,
    "p/<slug:slug>/experiments/<int:experiment>/do/": experiment_acts.ACTS,
    "p/<slug:slug>/keeping/purges/<uuid:purge>/do/": keeping.DECISIONS,
    "p/<slug:slug>/models/<str:name>/do/": model.ACTS,
    "p/<slug:slug>/models/<str:name>/v/<int:number>/do/": version_acts.ACTS,
    "p/<slug:slug>/queue/do/": jobs.ACTS,
    "p/<slug:slug>/reports/<uuid:report>/do/": report.ACTS,
    "p/<slug:slug>/reviews/do/": queue.ACTS,
    "p/<slug:slug>/reviews/many/": queue_acts.MANY,
    "p/<slug:slug>/runs/do/": ("compare", "export", *BULK, *runs_pages),
    "p/<slug:slug>/sheets/<uuid:sheet>/do/": sheet.SHEET_ACTS,
    "p/<slug:slug>/transfers/<uuid:transfer>/do/": transfers.ACTS,
    "p/<slug:slug>/views/<int:view>/do/": saved_views.ACTS,
    "p/<slug:slug>/webhooks/<uuid:webhook>/do/": webhooks.WEBHOOK_ACTS,
    "p/<slug:slug>/workers/<uuid:worker>/": workers.WORKER_ACTS,
    "r/<str:run>/do/": run.ACTS,
    "r/<str:run>/review/do/": run_review.ACTS,
    "r/<str:run>/rules/do/": rules.ACTS,
    "workers/<uuid:worker>/": workers.WORKER_ACTS,
}


def verbs_of(route: str) -> list[str]:
    """What the page at this route can do, and something that it cannot."""
    return [*VERBS[route.partition("<str:verb>")[0]], UNKNOWN]
