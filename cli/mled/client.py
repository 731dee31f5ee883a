"""MLED from Python.

from mled import Client

client = Client()                                   # as `mled login` or MLED_URL and MLED_TOKEN say
for run in client.runs(q="metrics.accuracy > 0.9"):
    print(run["readable_id"], run["name"])
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from mled.connection import Connection
from mled.downloads import Fetched, fetch
from mled.places import find_place
from mled.problems import NotFound, Usage
from mled.uploads import sha256_of, upload

Json = dict[str, Any]


@dataclass(frozen=True)
class Submitted:
    """What became of a submission. repeated: it had been recorded before, and nothing was written now."""

    run: Json
    repeated: bool


class Client:
    """One server as one person uses it. Every refusal is a `mled.Problem` with message, hint, field and request id.

    url, project, token: as `mled login` or the environment says, where they are left out.
    """

    def __init__(
        self,
        url: str = "",
        *,
        token: str = "",
        project: str = "",
        insecure_http: bool = False,
        connection: Connection | None = None,
    ) -> None:
        if connection is None:
            place = find_place(url=url, project=project, insecure_http=insecure_http)
            if token:
                place = type(place)(place.url, token, place.project, "the call", place.insecure_http)
            connection = Connection(place)
        self.connection = connection

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self.connection.close()

    def me(self) -> Json:
        """Who one is there, in which roles, with which token."""
        return dict(self.connection.get("me/"))

    def projects(self) -> list[Json]:
        """The projects that one may see."""
        return list(self.connection.pages("projects/", {"limit": 1000}))

    def submit(
        self,
        record: Mapping[str, Any],
        *,
        project: str = "",
        files: Mapping[str, str | Path] | Sequence[str | Path] = (),
        key: str = "",
    ) -> Json:
        """Record an experiment that is over, all of it or nothing; gives its run.

        record: as docs/record.md shows it. files: paths here, or names there with paths here; they go up first.
        The same record sent again gives the same run; key: another word for which one is meant.
        """
        return self.submitted(record, project=project, files=files, key=key).run

    def submitted(
        self,
        record: Mapping[str, Any],
        *,
        project: str = "",
        files: Mapping[str, str | Path] | Sequence[str | Path] = (),
        key: str = "",
        again: bool = False,
        ticks: Callable[[int], None] = lambda more: None,
    ) -> Submitted:
        """As `submit`, and whether it had been recorded before. again: record it once more; ticks: told of bytes."""
        project = self._project(project)
        named = named_files(files)
        key = key or (f"mled-{uuid.uuid4().hex}" if again else submission_key(record, named))
        body = dict(record)
        if named:
            sent = [{"path": name, "upload": self._sent(project, name, path, ticks)} for name, path in named]
            body["files"] = [*body.get("files", ()), *sent]
        headers = {"Idempotency-Key": key}
        answer = self.connection.send("POST", f"projects/{project}/recorded-runs/", json=body, headers=headers)
        return Submitted(answer.json(), answer.headers.get("idempotent-replay") == "true")

    def upload(
        self,
        path: str | Path,
        *,
        name: str = "",
        project: str = "",
        ticks: Callable[[int], None] = lambda more: None,
    ) -> str:
        """Send a file to a project, piece by piece; gives the id of the finished upload. ticks: told of bytes."""
        path = Path(path)
        return self._sent(self._project(project), name or path.name, path, ticks)

    def _sent(self, project: str, name: str, path: Path, ticks: Callable[[int], None]) -> str:
        return upload(self.connection, project, path, name=name, ticks=ticks)

    def runs(
        self,
        q: str = "",
        *,
        project: str = "",
        order: str | Sequence[str] = (),
        experiment: Sequence[str] = (),
        lifecycle: str = "",
        limit: int | None = None,
    ) -> Iterator[Json]:
        """The runs that a query line finds, newest first or by `order`, fetched page by page as they are taken.

        project: only of this one. experiment: ids. limit: at most so many.
        """
        wanted: dict[str, str | int | Sequence[str]] = {"limit": min(limit or 200, 1000)}
        keys = [order] if isinstance(order, str) else list(order)
        given = {
            "q": q,
            "order": [key for key in keys if key] or ["created DESC"],
            "project": project,
            "lifecycle": lifecycle,
        }
        wanted |= {name: value for name, value in given.items() if value}
        if experiment:
            wanted["experiment"] = list(experiment)
        for count, run in enumerate(self.connection.pages("runs/", wanted)):
            if limit is not None and count >= limit:
                return
            yield run
            if limit is not None and count + 1 >= limit:
                return

    def search(
        self, q: str = "", *, columns: Sequence[str] = (), project: str = "", order: Sequence[str] = (), **more: Any
    ) -> Iterator[Json]:
        """Rows with the chosen columns (`metrics.loss`, `best(metrics.loss)`, `params.lr`, `created`, …) of all runs
        that match, page by page. Without columns each row has all params, tags and last metrics of its run.
        """
        asked = {"q": q, "columns": list(columns), "project": project, "order": list(order), "limit": 200, **more}
        while True:
            page = self.connection.post("search/", asked)
            yield from page["results"]
            if not page["next"]:
                return
            asked["cursor"] = page["next"]

    def download(
        self,
        target: str | Path,
        *,
        q: str = "",
        format: str = "",
        project: str = "",
        columns: Sequence[str] = (),
        order: Sequence[str] = (),
    ) -> Fetched:
        """All runs that match as a file: csv, jsonl, json, parquet or xlsx, as its ending or `format` says."""
        path = Path(target)
        given = {"format": format or path.suffix.lstrip(".") or "csv", "q": q, "project": project}
        params: dict[str, str | int | Sequence[str]] = {name: value for name, value in given.items() if value}
        params |= {name: list(values) for name, values in (("columns", columns), ("order", order)) if values}
        return fetch(self.connection, "search/export/", path, params=params)

    def run(self, run: str) -> Json:
        """One run with params, tags and metrics, by its id or its readable id (VIS-123)."""
        return dict(self.connection.get(f"runs/{quote(run, safe='')}/"))

    def curve(self, run: str, key: str) -> Json:
        """Every point of a metric as columns: steps, times_ms, values."""
        whole: Json = {"key": key, "steps": [], "times_ms": [], "values": []}
        token = ""
        while True:
            asked: dict[str, str | int] = {"key": key, "limit": 100_000, "page_token": token}
            page = self.connection.get(f"runs/{quote(run, safe='')}/metric-history/", asked)
            for column in ("steps", "times_ms", "values"):
                whole[column] += page[column]
            token = page["next_page_token"]
            if not token:
                return whole

    def curves(self, runs: str | Sequence[str], keys: Sequence[str] = ()) -> dict[str, dict[str, Json]]:
        """The curves of some runs: run -> metric -> columns. keys: which metrics; all of each run where left out.

        A run without one of them has it empty. Raises NotFound for one that none of the runs has.
        """
        names = [runs] if isinstance(runs, str) else list(runs)
        found = {name: {key: self._curve_or_none(name, key) for key in keys or self._metrics(name)} for name in names}
        for key in keys if names else ():
            if not any(found[name][key]["steps"] for name in names):
                self.curve(names[0], key)  # which says what is wrong with the name
        return found

    def _curve_or_none(self, run: str, key: str) -> Json:
        try:
            return self.curve(run, key)
        except NotFound as missing:
            if missing.field != "key":
                raise
            return {"key": key, "steps": [], "times_ms": [], "values": []}

    def files(self, run: str, folder: str = "") -> Iterator[Json]:
        """The files of a run: path, size_bytes, digest."""
        given = {"folder": folder} if folder else {}
        return self.connection.pages(f"runs/{quote(run, safe='')}/files/", {"limit": 1000, **given})

    def fetch_file(self, run: str, path: str, target: str | Path) -> Fetched:
        """One file of a run, checked against the digest that the server recorded."""
        recorded = next((file for file in self.files(run) if file["path"] == path), None)
        where = f"runs/{quote(run, safe='')}/files/{quote(path)}"
        return fetch(self.connection, where, Path(target), digest=recorded["digest"] if recorded else "")

    def _metrics(self, run: str) -> list[str]:
        return [metric["key"] for metric in self.run(run)["metrics"]]

    def _project(self, project: str) -> str:
        found = project or self.connection.place.project
        if not found:
            raise Usage("Which project?", hint="Say project=…, or set MLED_PROJECT.", field="project")
        return found


def named_files(files: Mapping[str, str | Path] | Sequence[str | Path]) -> list[tuple[str, Path]]:
    """Files as (name there, path here). Raises Usage for a name that stands twice."""
    pairs = files.items() if isinstance(files, Mapping) else [(Path(path).name, path) for path in files]
    named = [(name, Path(path)) for name, path in pairs]
    for name, path in named:
        if not path.is_file():
            raise Usage(f"There is no file {path}.", hint="Check its path.", field="files")
        if [one for one, _ in named].count(name) > 1:
            raise Usage(f"Two files are called {name}.", hint="Give one another name: --file name=path.", field="files")
    return named


def submission_key(record: Mapping[str, Any], files: Sequence[tuple[str, Path]]) -> str:
    """The same for the same record with the same files: what makes sending it again harmless."""
    contents = []
    for name, path in files:
        with path.open("rb") as file:
            contents.append([name, sha256_of(file)])
    text = json.dumps([record, contents], sort_keys=True, default=str)
    return f"mled-{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()}"
