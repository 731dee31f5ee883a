"""A run done again on the server's workers: asked first, followed, and compared there."""

from __future__ import annotations

import shlex
import sys
from contextlib import redirect_stdout
from typing import Any, Final
from urllib.parse import quote

from mled.following import follow
from mled.here import Here
from mled.printing import clean
from mled.problems import Problem

DIFFERENT: Final = "different"
GOOD: Final = frozenset({"same", "within tolerance"})  # as the server says it

Json = dict[str, Any]


def asked_there(here: Here, run: str, *, queue: str) -> Json:
    """What of the run can be met there, told to whoever asks; nothing is done yet."""
    told: Json = here.connection.post(_path(run), {"dry_run": True, "queue": queue})
    conditions = told["conditions"]
    here.show.note(f"{run} on the workers of the queue {clean(conditions['queue'])}")
    for name, said in _conditions(conditions["wanted"]):
        here.show.note(f"  {name:<11} {clean(said)}")
    for line in conditions["cannot"]:
        here.show.note(f"Cannot be met. {clean(line)}")
    for line in conditions["differs"]:
        here.show.note(f"Not the same. {clean(line)}")
    if not (conditions["cannot"] or conditions["differs"]):
        here.show.note("All of it can be met.")
    return dict(conditions)


def _conditions(wanted: Json) -> list[tuple[str, str]]:
    """What it would be done with, a line each; what it does not have is left out."""
    place = wanted.get("repository") or {}
    environment = wanted.get("environment")
    said = {
        "trainer": wanted.get("trainer"),
        "code": f"{place['commit'][:12]} of {place.get('url') or 'the bundle'}" if place else _code(wanted),
        "folder": wanted.get("folder"),
        "command": wanted.get("command") or shlex.join(wanted.get("words") or ()),
        "data": _pairs(wanted.get("inputs")),
        "parameters": _pairs(wanted.get("params")),
        "seed": wanted.get("seed"),
        "packages": _packages(environment),
        "limits": _pairs(wanted.get("resources")),
        "secrets": ", ".join(wanted.get("secrets") or ()),
    }
    return [(name, str(value)) for name, value in said.items() if value not in (None, "")]


def _code(wanted: Json) -> str:
    return "as it was uploaded then" if wanted.get("code") or wanted.get("code_of") else ""


def _pairs(given: Json | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in (given or {}).items())


def _packages(environment: Any) -> str:
    if isinstance(environment, dict) and environment.get("image"):
        return f"image {environment['image']}"
    if isinstance(environment, dict):
        lines = str(environment.get("lock") or environment.get("requirements") or "").splitlines()
        return f"a lock or list of {len(lines)} lines"
    return f"environment {environment}" if environment else ""


def done_there(here: Here, run: str, *, queue: str) -> tuple[Json, Json, str | None]:
    """Do it and wait: the job, what came out, and the verdict. What the job prints goes to stderr. Raises Problem."""
    conditions = asked_there(here, run, queue=queue)
    if conditions["cannot"]:
        raise Problem("It cannot be done again as it was.", hint=" ".join(conditions["cannot"]), field=run)
    job: Json = here.connection.post(_path(run), {"queue": queue})["job"]
    here.show.note(f"{job['readable_id']}  {job['link']}")
    with redirect_stdout(sys.stderr):
        follow(here, job["id"])
    job = _last_try(here, here.connection.get(f"jobs/{job['id']}/"))
    found = here.connection.get(f"runs/{job['run_id']}/reproductions/")["first"] or {"verdict": None, "metrics": []}
    return job, dict(found), found["verdict"] if job["state"] == "finished" else DIFFERENT


def _last_try(here: Here, job: Json) -> Json:
    """The attempt that counts, where a worker was lost on the way."""
    while job.get("retried_as"):
        job = here.connection.get(f"jobs/{job['retried_as']}/")
    return job


def _path(run: str) -> str:
    return f"runs/{quote(run, safe='')}/recreations/"
