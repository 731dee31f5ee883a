"""Doing an experiment on record: what it is done with, the command itself, what came out, and how it ended."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mled.capture.child import Ended, run_child
from mled.capture.code import code_in
from mled.capture.machine import this_machine
from mled.capture.packages import packages_of
from mled.capture.record import Recording, keep_facts
from mled.capture.script import WITHIN
from mled.capture.usage import EVERY, Curves, Meter
from mled.client import Client
from mled.problems import Problem, Usage

OUTPUTS_MAX = 1000
EXIT_CODE = "mled.exit_code"

Told = Callable[[str], None]


@dataclass(frozen=True)
class Doing:
    """What shall be done. words: the command; experiment, name: '' for the project's Default and an invented one;
    inputs: dataset versions as the API takes them; environment: what the command is told besides;
    prints_aside: what it prints goes to stderr, all of it; keeps_patch, keeps_console: whether these are recorded."""

    project: str
    words: Sequence[str]
    folder: Path
    experiment: str = ""
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[Mapping[str, Any]] = ()
    outputs: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    every: float = EVERY
    prints_aside: bool = False
    keeps_patch: bool = True
    keeps_console: bool = True


def require_program(words: Sequence[str], folder: Path) -> None:
    """Raise Usage where the command's program is not there: nothing is recorded then."""
    if shutil.which(words[0]) or shutil.which(os.fspath(folder / words[0])):
        return
    raise Usage(
        f"'{words[0]}' cannot be started: it is not there.", hint="Check the command after --.", field="command"
    )


def done(client: Client, doing: Doing, *, begun: Callable[[Recording], None], told: Told) -> tuple[Recording, Ended]:
    """Do it. begun: told of the run before the command starts; told: of what could not be kept. Raises Problem."""
    wanted = {
        "project": doing.project,
        "experiment_name": doing.experiment,
        "name": doing.name,
        "tags": dict(doing.tags),
    }
    recording = Recording.begin(client, {key: value for key, value in wanted.items() if value})
    status, code = "FAILED", "not started"
    try:
        begun(recording)
        lost = _before(recording, doing)
        with TemporaryDirectory(prefix="mled-run-") as scratch:
            ended = _run(recording, doing, Path(scratch))
            status, code = ended.status, str(ended.code)
            printed = [(name, path) for name, path in ended.logs if path.stat().st_size]
            lost += _kept(recording, printed if doing.keeps_console else ())
        lost += _kept(recording, files_in(doing.outputs, doing.folder))
        for line in lost:
            told(f"Not kept: {line}")
    except BaseException:  # Ctrl+C above all: nothing that began may stand as running for ever
        _give_up(recording, status, code, told)
        raise
    recording.end(status, tags={EXIT_CODE: code})
    return recording, ended


def _before(recording: Recording, doing: Doing) -> list[str]:
    """Record what it is done with; what could not be kept, in words."""
    if doing.params:
        recording.log(params=doing.params)
    recording.used(doing.inputs)
    code = code_in(doing.folder)
    if not doing.keeps_patch:
        code = replace(code, patch=b"", left_out=())
    return keep_facts(recording, code, packages_of(doing.words, doing.folder), this_machine())


def _run(recording: Recording, doing: Doing, scratch: Path) -> Ended:
    """The command, run to its end."""
    curves: list[Curves] = []

    def begun(pid: int) -> None:
        curves.append(Curves(Meter(pid), lambda points: recording.log(points=points), every=doing.every))
        curves[0].start()

    hidden = [recording.client.connection.place.token.encode()]
    environment = {**environment_of(recording), **doing.environment}
    try:
        return run_child(
            doing.words, environment, doing.folder, scratch, begun=begun, aside=doing.prints_aside, hidden=hidden
        )
    finally:
        for one in curves:
            one.stop()


def environment_of(recording: Recording) -> dict[str, str]:
    """What the command is told, so that MLflow's client in it writes into this run."""
    place = recording.client.connection.place
    return {
        "MLFLOW_TRACKING_URI": f"{place.url}/mlflow/{recording.project}",
        "MLFLOW_TRACKING_TOKEN": place.token,
        "MLFLOW_RUN_ID": recording.id,
        "MLFLOW_EXPERIMENT_ID": str(recording.run["experiment"]),
        "MLED_RUN": recording.id,
        "PYTHONUNBUFFERED": "1",
        WITHIN: "1",
    }


def files_in(outputs: Sequence[str], folder: Path) -> Iterator[tuple[str, Path]]:
    """Files to keep, by their names there. outputs: files and folders, below `folder` or absolute.

    Raises Usage for more than a thousand.
    """
    count = 0
    for one in outputs:
        path = folder / one
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_dir():
                continue
            count += 1
            if count > OUTPUTS_MAX:
                raise Usage(f"More than {OUTPUTS_MAX:,} files were left behind.", hint="Pack them.", field="--output")
            below = file.relative_to(path.parent) if path.is_dir() else Path(file.name)
            yield f"outputs/{below.as_posix()}", file


def _kept(recording: Recording, files: Iterable[tuple[str, Path]]) -> list[str]:
    """Send files; what could not be kept, in words. The run is over, so that nothing of this may lose it."""
    lost = []
    try:
        for name, path in files:
            try:
                recording.keep(path, name)
            except Problem as problem:
                lost.append(f"{path}: {problem}")
    except Usage as problem:
        lost.append(str(problem))
    return lost


def _give_up(recording: Recording, status: str, code: str, told: Told) -> None:
    """It never began, or its record was broken off: say so, if the server can still be told."""
    try:
        recording.end(status, tags={EXIT_CODE: code})
    except Problem as problem:
        told(f"{recording.run['readable_id']} still stands as running: {problem}")
