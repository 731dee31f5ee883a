"""From settings to outputs: read, prepare, train, judge, keep."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import pictures, scoring
from .keeping import keep_model
from .preparing import Task, prepare
from .problems import Problem
from .settings import Settings, read_settings
from .tables import read_table
from .telling import Teller, say
from .training import Trained, train

LINES = 50  # of the printed log for the steps, at most


def main() -> None:
    """Run, and end with 1 and a plain sentence where the data or parameters do not allow it."""
    try:
        settings = read_settings()
        run(settings)
    except Problem as problem:
        say()
        print(f"Not trained. {problem}", file=sys.stderr, flush=True)
        sys.exit(1)


def run(settings: Settings) -> Trained:
    """Train as asked, print and tell how it goes, and leave what came out in the folder of outputs."""
    begun = time.monotonic()
    settings.output.mkdir(parents=True, exist_ok=True)
    task = _read(settings)
    params = {key: value for key, value in asdict(settings).items() if key not in ("train", "eval", "output")}
    teller = Teller(params)
    try:
        trained = train(settings, task, _on_step(settings, task, teller))
        teller.point(trained.final, trained.step)
        teller.send()
        _write(settings, task, trained)
        _keep(settings, task, trained, teller)
    except BaseException:
        teller.end(settings.output, failed=True)
        raise
    _say_final(settings, trained)
    teller.end(settings.output)
    say(f"Done in {time.monotonic() - begun:.1f} s.")
    return trained


def _keep(settings: Settings, task: Task, trained: Trained, teller: Teller) -> None:
    """The model: as a logged model where there is a server, else among the outputs."""
    if not teller.is_heard:
        keep_model(settings.output / "model", trained.encoder, trained.model, task)
        return
    told = {"model": settings.model, "task": settings.task, "target": settings.target}
    with TemporaryDirectory() as folder:
        keep_model(Path(folder), trained.encoder, trained.model, task)
        teller.model(Path(folder), "model", told, trained.step)


def _read(settings: Settings) -> Task:
    apart = settings.eval_files if settings.eval is None else ""
    table, files = read_table(settings.train, settings.train_files, apart)
    say(f"Training data: {table.rows:,} rows of {len(table.names)} columns in {_files(files)}.")
    other = None
    if settings.eval is not None or apart:
        other, others = read_table(settings.eval or settings.train, settings.eval_files)
        say(f"Evaluation data: {other.rows:,} rows in {_files(others)}.")
    task = prepare(settings, table, other)
    for note in task.notes:
        say(note)
    what = f"{len(task.classes)} classes" if task.is_classes else "a number"
    say(f"Target: '{settings.target}', {what}. Learned from {len(task.numbers)} columns of numbers and "
        f"{len(task.words)} of words.")  # fmt: skip
    if task.is_classes:
        counts = Counter(task.train.target.tolist())
        shown = [f"{label} {counts[number] / task.train.rows:.1%}" for number, label in enumerate(task.classes[:10])]
        say(f"Classes: {', '.join(shown)}{', …' if len(task.classes) > 10 else ''}.")
    judged = "of the evaluation data" if settings.eval or settings.eval_files else "held back"
    say(f"{task.train.rows:,} rows to learn from, {task.valid.rows:,} rows {judged} to be judged by; "
        f"seed {settings.seed}.")  # fmt: skip
    say()
    return task


def _files(files: list[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files)} files"


def _on_step(settings: Settings, task: Task, teller: Teller) -> Any:
    score = "accuracy" if task.is_classes else "r2"
    every = max(1, settings.epochs // LINES)

    def on_step(step: int, values: Mapping[str, float]) -> None:
        teller.point(values, step)
        if step % every == 0 or step in (1, settings.epochs):
            say(f"step {step:>{len(str(settings.epochs))}}/{settings.epochs}  {_pair('train', values, score)}  "
                f"{_pair('val', values, score)}")  # fmt: skip

    return on_step


def _pair(which: str, values: Mapping[str, float], score: str) -> str:
    loss = f"{which} loss {values[f'{which}_loss']:<9.5g}"
    reached = values.get(f"{which}_{score}")
    return loss if reached is None else f"{loss} {score} {reached:<8.4g}"


def _write(settings: Settings, task: Task, trained: Trained) -> None:
    folder = settings.output
    told = {"metrics": dict(trained.final), "classes": list(task.classes), "columns": list(task.names)}
    (folder / "metrics.json").write_text(json.dumps(told, indent=1) + "\n")
    with (folder / "importances.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("column", "loss_increase"), *trained.importances])
    pictures.bars(folder / "importances.png", trained.importances, "How much worse without it")
    if task.is_classes:
        counts = scoring.confusion(task.valid.target, trained.guessed, len(task.classes))
        with (folder / "confusion.csv").open("w", newline="") as file:
            rows = [("truth", *task.classes), *((label, *row) for label, row in zip(task.classes, counts, strict=True))]
            csv.writer(file, lineterminator="\n").writerows(rows)
        pictures.confusion(folder / "confusion.png", counts, task.classes)
    else:
        pictures.residuals(folder / "residuals.png", task.valid.target, trained.guessed)


def _say_final(settings: Settings, trained: Trained) -> None:
    say()
    say("Result: " + ", ".join(f"{key} {value:.6g}" for key, value in trained.final.items()) + ".")
    most = [f"{name} ({grown:.4g})" for name, grown in trained.importances[:5] if grown > 0]
    if most:
        say(f"What matters most: {', '.join(most)}.")
    say(f"Files are in {settings.output}.")
