"""What can be said of parameters and files before anything starts, by the very checks that the trainer makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from runner.trainers.tabular.trainer.files import tables_among
from runner.trainers.tabular.trainer.problems import Problem
from runner.trainers.tabular.trainer.settings import layers_of

NETWORK = "mlp"


def problems_of(params: Mapping[str, Any], files: Mapping[str, Sequence[PurePath]]) -> dict[str, str]:
    """What is wrong, in words, by the field that it stands in: 'params.hidden', 'inputs.train'.

    files: the paths of the files of each input that is given; none for one whose files are not known.
    """
    found: dict[str, str] = {}
    if params.get("model") == NETWORK:
        _note(found, "params.hidden", lambda: layers_of(str(params.get("hidden", ""))))
    which, judged_by = (str(params.get(name) or "") for name in ("train_files", "eval_files"))
    if files.get("train"):
        _check_training(found, files["train"], which, "" if "eval" in files else judged_by)
    if files.get("eval"):
        field = "params.eval_files" if judged_by else "inputs.eval"
        _note(found, field, lambda: tables_among(files["eval"], judged_by))
    return found


def _check_training(found: dict[str, str], files: Sequence[PurePath], which: str, apart: str) -> None:
    """apart: the pattern of those among them that are not learned from but judged by."""
    reads = _note(found, "params.train_files" if which else "inputs.train", lambda: tables_among(files, which))
    if apart and _note(found, "params.eval_files", lambda: tables_among(files, apart)) and reads:
        _note(found, "params.eval_files", lambda: tables_among(files, which, apart))


def _note(found: dict[str, str], field: str, check: Callable[[], object]) -> bool:
    try:
        check()
    except Problem as problem:
        found[field] = str(problem).removeprefix(f"{field.partition('.')[2]}: ")
    return field not in found
