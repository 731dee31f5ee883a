"""What a run's record says of how it was done, and what of it cannot be met here."""

from __future__ import annotations

import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from mled.capture.code import FOLDER
from mled.capture.machine import Machine
from mled.capture.programs import said, text_of
from mled.capture.record import INSTALLED, PATCH
from mled.capture.secrecy import HIDDEN
from mled.client import Client

LOCK_FOLDER = "environment/"
TRAINER, UPLOADED = "mled.trainer", "mled.code"  # tags of a run that was launched on the server
EVENTS_MAX = 5000  # the newest of a run: where its record was changed after it was over, that is among them
_RECIPE = frozenset({"mlflow.source.name", "mlflow.source.git.commit", "mlflow.source.git.repoURL", FOLDER})
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True)
class Plan:
    """One run, to be done again. inputs: dataset versions that went in; files: path -> digest of those it needs.

    missing: without these it cannot be done; differs: it can, under conditions that are not quite the same.
    """

    run: Mapping[str, Any]
    repository: str
    commit: str
    folder: str
    command: Sequence[str]
    python: str
    inputs: Sequence[Mapping[str, Any]]
    files: Mapping[str, str]
    missing: Sequence[str]
    differs: Sequence[str]

    @property
    def has_patch(self) -> bool:
        return PATCH in self.files

    @property
    def locks(self) -> dict[str, str]:
        """Lock files that the run kept, by their names."""
        return {
            path.removeprefix(LOCK_FOLDER): digest
            for path, digest in self.files.items()
            if path.startswith(LOCK_FOLDER) and "/" not in path.removeprefix(LOCK_FOLDER)
        }


def plan_of(client: Client, name: str, machine: Machine, *, repository: str = "") -> Plan:
    """The plan of a run. repository: where its code is, in place of what the record says. Raises Problem."""
    run = client.run(name)
    tags: Mapping[str, str] = run["tags"]
    inputs = list(client.connection.get(f"runs/{run['id']}/inputs/"))
    files = {
        one["path"]: one["digest"]
        for one in client.files(run["id"])
        if one["path"] in (PATCH, INSTALLED) or one["path"].startswith(LOCK_FOLDER)
    }
    where = repository or tags.get("mlflow.source.git.repoURL", "") or _here(run["git_commit"])
    found = Plan(
        run=run,
        repository=where,
        commit=run["git_commit"],
        folder=tags.get(FOLDER, ""),
        command=_words(tags.get("mlflow.source.name", "")),
        python=tags.get("mled.python", ""),
        inputs=inputs,
        files=files,
        missing=(),
        differs=(),
    )
    differs = [*_changed_since(client, run), *_differs(found, tags, machine)]
    return replace(found, missing=_missing(found, tags), differs=differs)


def _words(command: str) -> list[str]:
    """The words of a recorded command; a client may have noted a path with a quote in it as it is."""
    try:
        return shlex.split(command)
    except ValueError:
        return [command]


def _here(commit: str) -> str:
    """The repository that one stands in, if it has the commit."""
    if not _COMMIT.fullmatch(commit):
        return ""
    root = text_of(said(["git", "rev-parse", "--show-toplevel"]))
    return root if root and said(["git", "cat-file", "-e", f"{commit}^{{commit}}"]) is not None else ""


def _changed_since(client: Client, run: Mapping[str, Any]) -> list[str]:
    """What of the recipe was overwritten after it was first recorded, and by whom: it will be run with one's rights."""
    found = []
    events = client.connection.pages(f"runs/{run['id']}/events/", {"limit": 1000})
    for event in islice(events, EVENTS_MAX):
        for change in event["changes"]:
            if change["type"] != "experiments.runtag":
                continue
            for key in _RECIPE & set(change["fields"]):
                if change["fields"][key][0] is not None:
                    found.append(f"Record: {event['actor_name']} changed {key} on {event['at'][:10]}.")
    return found


def _missing(plan: Plan, tags: Mapping[str, str]) -> list[str]:
    found = []
    trainer, there = tags.get(TRAINER, "").partition(" ")[0], f"mled recreate {plan.run['readable_id']} --there"
    if trainer:
        return [f"Code: the trainer '{trainer}' is the server's own, so its workers do this again: {there}"]
    if tags.get(UPLOADED) and not plan.commit:
        found.append(f"Code: it was sent to the server, whose workers do this again: {there}")
    elif not _COMMIT.fullmatch(plan.commit):
        found.append("Code: no full commit is recorded.")
    elif not plan.repository:
        found.append("Code: no repository is named; --repository says where it is.")
    if tags.get("mlflow.source.git.dirty") == "true" and not plan.has_patch:
        found.append("Code: there were changes that were not committed, and they were not kept.")
    if not plan.command:
        found.append("Command: none is recorded.")
    elif any(HIDDEN in word for word in plan.command):
        found.append("Command: it has a secret, which is not recorded.")
    return found


def _differs(plan: Plan, tags: Mapping[str, str], machine: Machine) -> list[str]:
    found = []
    if not plan.locks and INSTALLED not in plan.files:
        found.append("Packages: nothing says which were installed.")
    if plan.python and plan.python != platform.python_version():
        found.append(f"Python: {plan.python} then; here it is {platform.python_version()} unless uv has the other.")
    for tag, now, word in (("mled.os", machine.system, "System"), ("mled.hardware", machine.hardware, "Hardware")):
        then = tags.get(tag, "")
        if then and then != now:
            found.append(f"{word}: {then} then, {now} now.")
    found += [
        f"Data: {one['dataset']} v{one['version']} ({one['digest'][:12]}) is used as the script finds it."
        for one in plan.inputs
    ]
    return found
