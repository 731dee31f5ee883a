"""A job on the server, as if it ran here: what it prints as it prints it, and its exit code at the end."""

from __future__ import annotations

import re
import sys
import time
from typing import Any, Final
from urllib.parse import quote

from mled.here import Here
from mled.printing import clean

Json = dict[str, Any]
OPEN: Final = ("queued", "preparing", "running")
PAUSES: Final = (0.3, 0.5, 1.0)  # seconds between looks; the last one repeats
FAILED: Final = 1
RETRY_SECONDS: Final = 30.0  # that are waited for the next attempt after a lost worker
_COLOUR: Final = re.compile(r"(\x1b\[[0-9;]{0,64}m)")
_STEERING: Final = re.compile(rf"(?!{_COLOUR.pattern})\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\))")
_BEGUN: Final = re.compile(r"\x1b(?:\[[0-?]{0,64})?\Z")


class Printed:
    """Both streams of a job, forwarded from where they were left."""

    def __init__(self, here: Here, job_id: str) -> None:
        self._here, self._path = here, f"jobs/{job_id}/output/"
        self._places = {"stdout": 0, "stderr": 0}
        self._begun = {"stdout": "", "stderr": ""}  # of a colour whose end was not read yet

    def forward(self) -> bool:
        """Print what is new; whether there was anything."""
        before = dict(self._places)
        for name, file in (("stdout", sys.stdout), ("stderr", sys.stderr)):
            while self._piece(name, file):
                pass
        return self._places != before

    def _piece(self, name: str, file: Any) -> bool:
        at = self._places[name]
        piece = self._here.connection.get(self._path, {"stream": name, "from": at})
        if piece["start"] > at and piece["text"]:
            self._here.show.note(f"… {piece['start'] - at:,} bytes of {name} are left out")
            self._begun[name] = ""
        text, self._begun[name] = parted(self._begun[name] + piece["text"])
        file.write(clean_lines(text))
        file.flush()
        self._places[name] = int(piece["next"])
        return bool(piece["text"]) and not piece["is_end"]


def parted(text: str) -> tuple[str, str]:
    """What can be printed now, and the begun sign to the terminal at its end, which goes before what follows."""
    begun = _BEGUN.search(text)
    return (text[: begun.start()], begun[0]) if begun else (text, "")


def clean_lines(text: str) -> str:
    """What a job printed, without signs that would steer this terminal other than colours and lines do."""
    pieces = _COLOUR.split(_STEERING.sub("", text))  # every second one is a colour
    pieces[::2] = ["".join(sign for sign in one if sign in "\n\t\r" or sign.isprintable()) for one in pieces[::2]]
    return "".join(pieces)


def follow(here: Here, job_id: str) -> int:
    """Print until the job is over; gives its exit code. One that is tried again is followed on.

    Ctrl+C leaves the job to the server, and says how to come back.
    """
    try:
        while True:
            job = _followed(here, job_id)
            following = _tried_again(here, job)
            if following is None:
                return _told_end(here, job)
            here.show.note(f"{job['readable_id']}: {clean(job['why'])} Tried again as {following['readable_id']}.")
            job_id = following["id"]
    except KeyboardInterrupt:
        here.show.note(f"It goes on at the server: mled jobs log --follow {job_id} (mled jobs stop {job_id} ends it).")
        raise


def _followed(here: Here, job_id: str) -> Json:
    printed, told, looks = Printed(here, job_id), "", 0
    while True:
        job: Json = here.connection.get(f"jobs/{job_id}/")
        words = state_words(job)
        if words != told and job["state"] in OPEN:
            here.show.note(words)
            told = words
        had = job["state"] not in ("queued", "preparing") and printed.forward()
        if job["state"] not in OPEN:
            return job
        looks = 0 if had else looks + 1
        time.sleep(PAUSES[min(looks, len(PAUSES) - 1)])


def state_words(job: Json) -> str:
    """How a job stands, in a line."""
    if job["state"] == "queued":
        standing = job.get("standing") or {}
        ahead = standing.get("ahead")
        return f"Queued, {ahead} ahead." if ahead else "Queued."
    if job["state"] == "preparing":
        return f"Preparing on {job['worker'] or 'a worker'}" + (f": {job['stage']}." if job["stage"] else ".")
    return f"Running on {job['worker'] or 'a worker'}."


def _tried_again(here: Here, job: Json) -> Json | None:
    """The next attempt of a job whose worker was lost; it may take a moment to be there."""
    if job["state"] != "failed" or job["cause"] != "worker" or not job["retries_left"]:
        return None
    until = time.monotonic() + RETRY_SECONDS
    while time.monotonic() < until:
        again = here.connection.get(f"jobs/{job['id']}/")["retried_as"]
        if again:
            return dict(here.connection.get(f"jobs/{again}/"))
        time.sleep(PAUSES[-1])
    return None


def _told_end(here: Here, job: Json) -> int:
    why = f" {clean(job['why'])}" if job["why"] and job["state"] != "finished" else ""
    code = "" if job["exit_code"] is None else f", exit code {job['exit_code']}"
    here.show.note(f"{job['readable_id']} is {job['state']}{code}.{why}")
    return exit_code_of(job)


def exit_code_of(job: Json) -> int:
    """What the command answers to the shell."""
    if job["state"] == "finished":
        return 0
    return int(job["exit_code"]) % 256 or FAILED if job["exit_code"] else FAILED


def job_named(here: Here, said: str) -> Json:
    """A job by its id, or by its run. Raises NotFound."""
    text = quote(said.strip(), safe="")
    is_id = len(text) == 36 and text.count("-") == 4
    return dict(here.connection.get(f"jobs/{text}/" if is_id else f"runs/{text}/job/"))
