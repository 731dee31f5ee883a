"""What data is wanted: versions of the catalogue, as people name them, and the columns that parameters speak of."""

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from accounts.models import Project
from artifacts.models import Dataset, DatasetVersion, VersionProfile
from artifacts.queries.datasets import find_dataset
from artifacts.queries.versions import (
    get_version,
    get_version_by_alias,
    get_version_by_id,
    version_files,
    versions_in_short,
)
from artifacts.versions import ended, when_withdrawn
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound
from runner.checking_code import Asking
from runner.recipes import Input
from runner.schemas import field_of
from runner.trainers import Trainer, TrainerInput

INPUTS_MAX: Final = 50
ONE_COLUMN: Final = "target"  # the other parameters that speak of columns name several, with commas
COLUMNS_TOLD: Final = 20
FILES_LOOKED_AT: Final = 20_000  # of more, the trainer itself says which it reads
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_NUMBERED: Final = re.compile(r"(.+?)(?:\s+|@)v?(\d{1,9})")
_SPLITS: Final = {"train": "train", "training": "train", "eval": "eval", "validation": "validation", "test": "test"}
HINT: Final = "As in 'icu-vitals v7', 'icu-vitals@current' for an alias, or the id of a version."


def inputs_of(asking: Asking, trainer: Trainer | None) -> list[Input]:
    """The versions that are wanted, by name. What is wrong is noted, and left out."""
    said = asking.said("inputs") or {}
    if not isinstance(said, Mapping) or len(said) > INPUTS_MAX:
        asking.attempt(_no_inputs)
        said = {}
    declared = {one.name: one for one in trainer.inputs} if trainer else {}
    given = {str(name): value for name, value in said.items() if value not in (None, "")}
    for one in declared.values():
        if one.required and one.name not in given and not asking.is_open:
            asking.attempt(partial(_needed, one))
    found = [asking.attempt(partial(_input, asking, name, value, declared)) for name, value in given.items()]
    return [one for one in found if one is not None]


def _no_inputs() -> None:
    raise Invalid(
        f"Inputs are an object of at most {INPUTS_MAX} names and dataset versions.",
        hint='{"train": "icu-vitals v7"}',
        field="inputs",
    )


def _needed(one: TrainerInput) -> None:
    raise Invalid(f"{one.title}: choose a dataset version.", hint=one.words, field=f"inputs.{one.name}")


def _input(asking: Asking, name: str, said: Any, declared: Mapping[str, TrainerInput]) -> Input:
    field = f"inputs.{name}"
    if not _NAME.fullmatch(name):
        hint = "Letters, digits, - and _, at most 60: it is a folder below /inputs."
        raise Invalid(f"'{name[:60]}' cannot be the name of an input.", hint=hint, field=field)
    if declared and name not in declared:
        hint = f"It takes {' and '.join(declared)}."
        raise Invalid(f"The trainer takes no input '{name}'.", hint=hint, field=field)
    context = ""
    if isinstance(said, Mapping):
        said, context = said.get("version"), str(said.get("context") or "")[:60]
    if not isinstance(said, str | UUID):
        raise Invalid("A dataset version is named by a text.", hint=HINT, field=field)
    try:
        version = named_version(asking.viewer, asking.project, said)
        _check_usable(version)
    except MledError as error:
        raise Invalid(error.message, hint=error.hint or HINT, field=field) from error
    default = declared[name].context if name in declared else _SPLITS.get(name.lower(), "")
    return Input(name, version.pk, context or default)


def named_version(viewer: Actor, project: Project, said: str | UUID) -> DatasetVersion:
    """A version as people name it: its id, 'icu-vitals v7', 'icu-vitals@current', or the newest of 'icu-vitals'.

    Raises NotFound, with what there is that looks alike.
    """
    uid = _as_id(said)
    if uid is not None:
        version = get_version_by_id(viewer, uid)
        if version.dataset.project_id != project.pk:
            raise NotFound("No such dataset version was found in this project.")
        return version
    text = str(said).strip()
    whole = _dataset(viewer, project, text)
    if whole is not None:
        return _newest(viewer, whole)
    numbered = _NUMBERED.fullmatch(text)
    dataset = _dataset(viewer, project, numbered[1]) if numbered else None
    if numbered and dataset:
        return _numbered(viewer, dataset, int(numbered[2]))
    name, at, alias = text.rpartition("@")
    dataset = _dataset(viewer, project, name) if at else None
    if dataset:
        return get_version_by_alias(viewer, dataset, alias)
    raise _unknown(viewer, project, numbered[1] if numbered else (name if at else text))


def _as_id(said: str | UUID) -> UUID | None:
    if isinstance(said, UUID):
        return said
    try:
        return UUID(said) if len(said) in (32, 36) else None
    except ValueError:
        return None


def _dataset(viewer: Actor, project: Project, name: str) -> Dataset | None:
    try:
        return find_dataset(viewer, project, name.strip())
    except NotFound:
        return None


def _newest(viewer: Actor, dataset: Dataset) -> DatasetVersion:
    found = versions_in_short(viewer, dataset).first()
    if found is None:
        raise NotFound(f"The dataset '{dataset.name}' has no version yet.", hint="Upload its files.")
    return found


def _numbered(viewer: Actor, dataset: Dataset, number: int) -> DatasetVersion:
    try:
        return get_version(viewer, dataset, number)
    except NotFound:
        newest = _newest(viewer, dataset).number
        what = f"The dataset '{dataset.name}' has no version {number}: its newest is {newest}."
        raise NotFound(what, hint=HINT) from None


def _unknown(viewer: Actor, project: Project, name: str) -> NotFound:
    there = list(Dataset.objects.visible_to(viewer).filter(project=project).values_list("name", flat=True)[:2000])
    alike = difflib.get_close_matches(name, there, n=1)
    hint = f"Did you mean '{alike[0]}'?" if alike else HINT
    return NotFound(f"There is no dataset '{name[:80]}' in this project.", hint=hint)


def _check_usable(version: DatasetVersion) -> None:
    withdrawal = when_withdrawn(version)
    if withdrawal is not None:
        raise Invalid(ended(f"{version} {withdrawal.words}"), hint="Use another version, or have it reinstated.")
    if version.root_id is None:
        hint = "Upload them as a version of the dataset, and use that."
        raise Invalid(f"The files of {version} are not in MLED: it only names where they lie.", hint=hint)


def check_columns(asking: Asking, trainer: Trainer, params: Mapping[str, Any], inputs: Sequence[Input]) -> None:
    """Note where a parameter names a column that the data, as far as MLED has read them, do not have."""
    by_name = {one.name: one.version for one in inputs}
    given = _given(asking, trainer, params)
    for param, place in trainer.columns.items():
        known = columns_of(asking.viewer, by_name.get(place))
        text = str(given.get(param) or "")
        for column in [one.strip() for one in text.split(",")] if param != ONE_COLUMN else [text.strip()]:
            if column and known and column not in known:
                asking.attempt(partial(_no_column, param, column, known))


def check_beforehand(asking: Asking, trainer: Trainer, params: Mapping[str, Any], inputs: Sequence[Input]) -> None:
    """Note what the trainer itself would say of its parameters and of the files of its data."""
    files = {one.name: _paths_of(asking.viewer, one.version) for one in inputs}
    for field, words in trainer.problems(_given(asking, trainer, params), files).items():
        name = field.partition(".")[2]
        asking.attempt(partial(_wrong, f"{name}: {words}", field))


def _given(asking: Asking, trainer: Trainer, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters as they were typed, with defaults, where a mistake among them left no checked ones."""
    raw = asking.said("params")
    said = {name: value for name, value in raw.items() if value is not None} if isinstance(raw, Mapping) else {}
    return {**{one.name: one.default for one in trainer.schema}, **said, **params}


def _paths_of(viewer: Actor, version: UUID) -> list[PurePath]:
    """The files of a version by their paths; none where one may not see them, or where there are too many."""
    files = version_files(viewer, get_version_by_id(viewer, version)).order_by("path")
    paths = list(files.values_list("path", flat=True)[: FILES_LOOKED_AT + 1])
    return [] if len(paths) > FILES_LOOKED_AT else [PurePath(path) for path in paths]


def _wrong(words: str, field: str) -> None:
    raise Invalid(words, field=field)


def columns_of(viewer: Actor, version: UUID | None) -> list[str]:
    """The columns of a dataset version by their names, as far as MLED has read it; none where it has not."""
    if version is None:
        return []
    profiles = VersionProfile.objects.visible_to(viewer).filter(version=version, state=VersionProfile.State.DONE)
    profile = profiles.only("columns").first()
    return [str(one.get("name")) for one in profile.columns] if profile else []


def _no_column(param: str, column: str, known: Sequence[str]) -> None:
    alike = difflib.get_close_matches(column, known, n=1)
    hint = f"Did you mean '{alike[0]}'?" if alike else ""
    there = ", ".join(known[:COLUMNS_TOLD]) + (f" and {len(known) - COLUMNS_TOLD} more" if known[COLUMNS_TOLD:] else "")
    what = f"{param}: the training data have no column '{column[:80]}', but {there}."
    raise Invalid(what, hint=hint, field=field_of(param))
