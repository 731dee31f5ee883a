"""What can be run without code of one's own: built-in trainers, each a folder with a script, a schema and a lock."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any, Final

from kernel.errors import NotFound
from runner.schemas import Parameter, read_schema
from runner.trainers.packing import digest_over

NAMES: Final = ("tabular",)
_ROOT: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class TrainerInput:
    """Data that a trainer is given. name: its folder below /inputs; context: as MLflow says it."""

    name: str
    title: str
    words: str
    context: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Trainer:
    """A built-in trainer. path: the folder of its files; words: its command, started there; requirements: a lock of
    all packages that it needs; python: as in 3.11, that of this installation; columns: of each parameter that names
    columns, the input that has them; problems: what it finds wrong with parameters and the files of its inputs before
    it starts, in words by field; determinism: what it does to give the same again; digest: SHA-256 over its
    files, by name and content."""

    name: str
    title: str
    description: str
    words: tuple[str, ...]
    schema: tuple[Parameter, ...]
    inputs: tuple[TrainerInput, ...]
    path: Path
    python: str
    requirements: str
    columns: Mapping[str, str]
    problems: Callable[[Mapping[str, Any], Mapping[str, Sequence[PurePath]]], Mapping[str, str]]
    determinism: str
    digest: str


def trainers() -> Sequence[Trainer]:
    """All of them, in the order in which they are offered."""
    return [trainer(name) for name in NAMES]


@cache
def trainer(name: str) -> Trainer:
    """One by its name. Raises NotFound."""
    if name not in NAMES:
        raise NotFound(
            f"There is no built-in trainer '{name[:40]}'.", hint=f"There is {', '.join(NAMES)}.", field="trainer"
        )
    path = _ROOT / name
    told = import_module(f"runner.trainers.{name}.declaration")
    return Trainer(
        name=name,
        title=told.TITLE,
        description=told.DESCRIPTION,
        words=told.WORDS,
        schema=tuple(read_schema(told.SCHEMA)),
        inputs=tuple(TrainerInput(**one) for one in told.INPUTS),
        path=path,
        python=".".join(platform.python_version_tuple()[:2]),
        requirements=(path / "requirements.txt").read_text(),
        columns=told.COLUMNS,
        problems=import_module(f"runner.trainers.{name}.beforehand").problems_of,
        determinism=told.DETERMINISM,
        digest=digest_of(path),
    )


def digest_of(folder: Path) -> str:
    """SHA-256 over the files of a folder: each name and content, by name."""
    return digest_over(
        (place.relative_to(folder), place.read_bytes()) for place in folder.rglob("*") if place.is_file()
    )
