"""What is shown of a job wherever it is shown: its state in words, what may be done, and why it failed."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.urls import reverse

from accounts.access import can
from experiments.console.colours import plain
from experiments.console.indexes import index_of
from experiments.console.reading import last_lines
from experiments.models import Run
from experiments.pages.frame import tab_url
from experiments.queries.console import streams_of
from experiments.queries.record import counts_of
from kernel.actor import Actor
from kernel.clock import now
from runner.failures import Printed, end_of, next_step
from runner.models import Job
from runner.pages.jobs_words import badge_of, lacking_cards, lasted_words, waits_words
from runner.queries.launching import has_output, queues_offered, tries_of
from runner.queries.queue import standing
from runner.recipes import resources_of

LINES_READ: Final = 200
FRESH: Final = dt.timedelta(minutes=10)
PRINTS_WHY: Final = frozenset({Job.Cause.EXIT, Job.Cause.MEMORY})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why it ended badly. why: in words, without the error that is printed; line_url: where the lines stand in its
    console; step: what to do now."""

    printed: Printed | None
    why: str
    line_url: str
    step: str


def shown_job(viewer: Actor, job: Job) -> Mapping[str, Any]:
    """The context of `runner/job_state.html`."""
    tries, nobody = tries_of(viewer, job), _nobody(job)
    return {
        "job": job,
        "run": job.run,
        "project": job.project,
        "badge": badge_of(job),
        "shape": _shape(viewer, job),
        "lasted": lasted_words(job),
        "limit_ms": resources_of(job.recipe).seconds * 1000,
        "waits": _waits(viewer, job, is_able=not nobody),
        "nobody": nobody,
        "failure": _failure(viewer, job, is_tried_again=tries.after is not None),
        "first_try": tries.before,
        "next_try": tries.after,
        "may_stop": job.is_open and bool(can(viewer, "runner.stop", job)),
        "may_retry": _is_bad_end(job) and tries.after is None and bool(can(viewer, "runner.launch", job)),
        "may_launch": bool(can(viewer, "runner.launch", job.project)),
        "console_url": tab_url(job.run, "console"),
        "curves_url": tab_url(job.run, "curves"),
        "like_url": like_url(job.run),
    }


def like_url(run: Run) -> str:
    """The launch page, filled in as this run was."""
    return f"{reverse('runner:launch', args=[run.project.slug])}?like={run.readable_id}"


def is_just_launched(viewer: Actor, job: Job) -> bool:
    """Whether this viewer asked for it a moment ago."""
    return job.created_by_id == viewer.user_id and now() - job.created_at < FRESH


def _shape(viewer: Actor, job: Job) -> str:
    """Another one whenever the pages of the run have something of another kind to show: an open page then follows."""
    if not job.is_open:
        return job.state
    counts = counts_of(viewer, job.run)
    return f"{job.state} {counts.curves} {counts.system} {int(has_output(viewer, job))}"


def _is_bad_end(job: Job) -> bool:
    return job.state in (Job.State.FAILED, Job.State.STOPPED)


def _waits(viewer: Actor, job: Job, *, is_able: bool) -> str:
    """Where it stands in its queue, and when its turn may come. is_able: whether a worker that is there can take it."""
    told = standing(viewer, job) if job.state == Job.State.QUEUED else None
    return waits_words(told.position, told.ahead, told.expected_seconds if is_able else None) if told else ""


def _nobody(job: Job) -> str:
    """Why none of the workers that are there can take it; '' where one can, or did."""
    if job.state != Job.State.QUEUED:
        return ""
    offer = next((one for one in queues_offered() if one.name == job.queue), None)
    if offer is None:
        return f"No worker serves the queue {job.queue} now. It starts as soon as one does."
    cards = resources_of(job.recipe).gpus
    if cards <= offer.cards:
        return ""
    return f"{lacking_cards(job.queue, cards, offer.cards)} It starts as soon as one has."


def _failure(viewer: Actor, job: Job, *, is_tried_again: bool) -> Failure | None:
    if job.state != Job.State.FAILED:
        return None
    printed, line_url = _printed(viewer, job) if job.cause in PRINTS_WHY else (None, "")
    why = job.why.removeprefix(printed.error).lstrip(". ") if printed and printed.error else job.why
    return Failure(printed, why, line_url, next_step(job.cause, printed, is_tried_again=is_tried_again))


def _printed(viewer: Actor, job: Job) -> tuple[Printed | None, str]:
    """The end of what it printed, of its errors where it kept them apart, and the address of the first line."""
    streams = [one for one in streams_of(viewer, job.run) if one.size_bytes]
    chosen = next((one for one in streams if one.is_errors), streams[0] if streams else None)
    if chosen is None:
        return None, ""
    with chosen.open() as reader:
        lines = last_lines(reader, index_of(chosen, reader), LINES_READ)
    if not lines:
        return None, ""
    printed = end_of([plain(line.text) for line in lines], lines[0].number)
    if printed is None:
        return None, ""
    return printed, f"{tab_url(job.run, 'console')}?file={chosen.key}&line={printed.first}#L{printed.first}"
