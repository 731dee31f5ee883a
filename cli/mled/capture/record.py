"""A run on its way: what is captured goes to the server as params, tags, points and files."""

from __future__ import annotations

import difflib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from mled.capture.code import Code
from mled.capture.machine import Machine
from mled.capture.packages import Packages
from mled.capture.secrecy import without_passwords
from mled.client import Client
from mled.problems import NotFound, Problem, Usage

PATCH = "code/changes.patch"
INSTALLED = "environment/installed/requirements.txt"
TAG_MAX = 8000  # characters of a tag that every MLflow client reads whole
TRAINING = "training"  # what the form of past experiments says of its data
DIGEST_SHOWN = 36  # of a dataset's digest in an input, as MLflow has it


class Recording:
    """One run that is going, by the REST API."""

    def __init__(self, client: Client, run: Mapping[str, Any]) -> None:
        self.client, self.run = client, run
        self.id, self.project = str(run["id"]), str(run["project"])

    @classmethod
    def begin(cls, client: Client, wanted: Mapping[str, Any]) -> Recording:
        """Begin a run. wanted: project, experiment_name (a new one makes one), name, tags. Raises Problem."""
        name = wanted.get("experiment_name")
        if name:
            where = f"projects/{wanted['project']}/experiments/"
            known = any(one["name"] == name for one in client.connection.pages(where, {"name": str(name)}))
            if not known:
                client.connection.post(where, {"name": name})
        return cls(client, client.connection.post("runs/", dict(wanted)))

    @property
    def _path(self) -> str:
        return f"runs/{quote(self.id, safe='')}/"

    def log(
        self,
        *,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        points: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Params, tags and points in one call."""
        body = {"params": dict(params or {}), "tags": _cut(tags or {}), "metrics": list(points)}
        self.client.connection.post(f"{self._path}batch/", {key: value for key, value in body.items() if value})

    def used(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """The dataset versions that go in, as the API takes them."""
        if inputs:
            self.client.connection.post(f"{self._path}inputs/", {"datasets": [dict(one) for one in inputs]})

    def keep(self, path: Path, name: str) -> None:
        """A file of this machine as a file of the run."""
        upload = self.client.upload(path, name=Path(name).name, project=self.project)
        self.client.connection.post(f"{self._path}files/", {"upload": upload, "path": name})

    def keep_bytes(self, content: bytes, name: str) -> None:
        """The same for what is no file yet."""
        with TemporaryDirectory(prefix="mled-") as folder:
            path = Path(folder) / Path(name).name
            path.write_bytes(content)
            self.keep(path, name)

    def end(self, status: str, *, tags: Mapping[str, str]) -> None:
        """Say how it ended."""
        self.log(tags=tags)
        self.client.connection.patch(self._path, {"status": status, "ended_ms": int(time.time() * 1000)})


def input_of(client: Client, project: str, text: str) -> dict[str, Any]:
    """The version of the catalogue that `name vN` names, as an input of a run. Raises NotFound, Usage."""
    name, _, number = text.strip().rpartition(" v")
    if not name or not number.isdigit():
        raise Usage(f"'{text}' names no version.", hint="Write 'icu-vitals v7'.", field="--dataset")
    where = f"projects/{project}/datasets/"
    known = {one["name"]: one["id"] for one in client.connection.pages(where, {"limit": 1000})}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]}?" if near else "`mled datasets list` lists them."
        raise NotFound(f"There is no dataset '{name}' in this project.", hint=hint, field="--dataset")
    version = client.connection.get(f"{where}{known[name]}/versions/{number}/")
    return {"name": name, "digest": str(version["digest"])[:DIGEST_SHOWN], "context": TRAINING}


def keep_facts(recording: Recording, code: Code, packages: Packages, machine: Machine) -> list[str]:
    """Send what is known before a run begins; what could not be kept, in words."""
    tags = code.tags() | machine.tags()
    if packages.python:
        tags["mled.python"] = packages.python
    recording.log(tags=tags)
    lost = [f"{name}: it is too large for the patch, or may hold secrets" for name in code.left_out]
    files = []
    for path in packages.locks:
        content = path.read_bytes()
        files.append((without_passwords(content), f"environment/{path.name}"))
        if files[-1][0] != content:
            lost.append(f"{path.name}: the passwords in its addresses")
    if code.patch:
        files.append((code.patch, PATCH))
    if packages.installed:
        files.append(("".join(f"{line}\n" for line in packages.installed).encode(), INSTALLED))
    for content, name in files:
        try:
            recording.keep_bytes(content, name)
        except Problem as problem:
            lost.append(f"{name}: {problem}")
    return lost


def _cut(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value if len(value) <= TAG_MAX else value[: TAG_MAX - 1] + "…" for key, value in tags.items()}
