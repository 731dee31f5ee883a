"""How the state of a job is said: a badge, a sentence, and what comes next."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from accounts.templatetags.mled import duration
from kernel.clock import now
from runner.actions.jobs import BEFORE_A_WORKER
from runner.models import Job

# state -> (kind of badge, icon, word): the words of runs, and one for what comes before a run begins.
LOOKS: Final = {
    Job.State.QUEUED: ("", "clock", "Queued"),
    Job.State.PREPARING: ("run", "pkg", "Preparing"),
    Job.State.RUNNING: ("run", "running", "Running"),
    Job.State.FINISHED: ("ok", "ok", "Finished"),
    Job.State.FAILED: ("fail", "bad", "Failed"),
    Job.State.STOPPED: ("warn", "stop", "Stopped"),
}


@dataclass(frozen=True, slots=True)
class Badge:
    """Icon and word of a state."""

    kind: str
    icon: str
    word: str


def badge_of(job: Job) -> Badge:
    """How its state looks; one that was asked to stop says so until it is over."""
    if job.is_open and job.stop_asked_at is not None:
        return Badge("warn", "stop", "Stopping")
    return Badge(*LOOKS[Job.State(job.state)])


def told_of(job: Job) -> str:
    """Why it ended, or ends, as it does, in a line: who stopped it and why, or what it failed of; '' for neither."""
    if job.stop_asked_at is not None and job.state in (*Job.OPEN, Job.State.STOPPED):
        who, by_worker = job.stop_asked_by, f"{job.stop_asked_by} stopped it."
        why = job.why.removeprefix(by_worker).removeprefix("It was stopped.").strip()
        said = "" if why in ("", BEFORE_A_WORKER) else f": {why}"
        return f"by {who}{said}" if who else why
    if job.state == Job.State.FAILED:
        return job.why or job.get_cause_display()
    return ""


def lasted(job: Job) -> dt.timedelta:
    """How long it has waited, while it waits; else how long it has been, or was, with its worker."""
    if job.state == Job.State.QUEUED:
        return now() - job.created_at
    return (job.ended_at or now()) - (job.started_at or job.created_at)


def lasted_words(job: Job) -> str:
    """The same in words: "12 s", "1 h 52 m"."""
    return str(duration(max(1, int(lasted(job).total_seconds())) * 1000)).replace(".0 s", " s")


def in_words(seconds: float) -> str:
    """A span that is only guessed: "a few seconds", "about 4 min", "about 2 h 40 m"."""
    whole = max(0, int(seconds))
    if whole < 10:
        return "a few seconds"
    if whole < 60:
        return f"about {round(whole, -1)} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"about {minutes} min"
    return f"about {minutes // 60} h" + (f" {minutes % 60:02d} m" if minutes % 60 and minutes < 600 else "")


def waits_words(position: int, ahead: int, expected_seconds: float | None) -> str:
    """Where a job stands in its queue: "Next in line", "Number 5 in line, behind 4 others; starts in about 3 min"."""
    others = "1 other" if ahead == 1 else f"{ahead:,} others"
    place = f"Number {position:,} in line, behind {others}" if ahead else "Next in line"
    return place if expected_seconds is None else f"{place}; starts in {in_words(expected_seconds)}"


def lacking_cards(queue: str, needed: int, there: int) -> str:
    """That nobody who serves a queue has as many graphics cards, as a sentence. there: the most that one has."""
    most = f"the most is {there}" if there else "none has any"
    return f"No worker of the queue {queue} has {needed} graphics card{'' if needed == 1 else 's'} now: {most}."
