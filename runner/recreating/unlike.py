"""The conditions of two runs beside each other, as both records have them: what was not the same, in words."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from artifacts.models import ArtifactFile
from experiments.models import Run
from experiments.queries.runs import inputs_of, params_of, tags_of
from kernel.actor import Actor
from runner.images import IMAGE_TAG
from runner.models import Recipe

TOLD_MAX: Final = 5  # parameters that are named
WIDE: Final = 80
_PATCH = "code/changes.patch"
_INSTALLED = "environment/installed/requirements.txt"
_LOCKS = (
    "environment/uv.lock",
    "environment/requirements.txt",
    "environment/requirements.lock",
    "environment/poetry.lock",
)


@dataclass(frozen=True, slots=True)
class Launched:
    """What a recipe says of the conditions of its runs, which no run can change. code: the first of it is its name."""

    code: tuple[str, ...]
    command: str
    data: Sequence[str]
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """What a run's record says of its conditions. files: digests by path, of the few that matter here; launched: what
    is sure, of a run that was launched here."""

    status: str
    commit: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    data: Sequence[str]
    files: Mapping[str, str]
    launched: Launched | None = None


def record_of(viewer: Actor, run: Run) -> Record:
    """Read it."""
    wanted = [_PATCH, _INSTALLED, *_LOCKS]
    files = ArtifactFile.objects.filter(root=run.artifact_root_id, path__in=wanted) if run.artifact_root_id else []
    return Record(
        status=run.get_status_display().lower(),
        commit=run.git_commit,
        tags=tags_of(viewer, run),
        params=params_of(viewer, run),
        data=sorted(f"{one.dataset_version} ({one.dataset_version.digest[:12]})" for one in inputs_of(viewer, run)),
        files={one.path: one.blob_id for one in files},
        launched=_launched(run),
    )


def _launched(run: Run) -> Launched | None:
    recipe = Recipe.objects.filter(jobs__run=run).first()
    if recipe is None:
        return None
    name = recipe.commit or recipe.trainer_digest or recipe.code_id or ""
    uploaded = "" if recipe.commit else recipe.code_id or ""  # a bundle is only the way that its commit came
    inputs = recipe.inputs.select_related("version__dataset").order_by("name")
    return Launched(
        code=(name, uploaded, recipe.trainer, recipe.patch_id or "", recipe.folder),
        command=shlex.join(recipe.words),
        data=[f"{one.name}: {one.version} ({one.version.digest[:12]})" for one in inputs],
        params={"seed": str(recipe.seed), **{name: str(value) for name, value in recipe.params.items()}},
    )


def unlike(then: Record, now: Record) -> list[str]:
    """What was not the same, as far as both say. What only one of them says is no difference, but for code and data.

    Where both were launched here, what their recipes say counts too: a run writes its own tags and parameters.
    """
    found = [
        *_code(then, now),
        *_plain("Command", _command(then), _command(now)),
        *(_told("Data", ", ".join(then.data), ", ".join(now.data)) if then.data != now.data else ()),
        *_params(then.params, now.params),
        *_packages(then, now),
        *_plain("Image", then.tags.get(IMAGE_TAG, ""), now.tags.get(IMAGE_TAG, "")),
        *_plain("Interpreter", then.tags.get("mled.python", ""), now.tags.get("mled.python", "")),
        *_plain("System", then.tags.get("mled.os", ""), now.tags.get("mled.os", "")),
        *_plain("Hardware", then.tags.get("mled.hardware", ""), now.tags.get("mled.hardware", "")),
        *(_told("End", then.status, now.status) if then.status != now.status else ()),
    ]
    if then.launched is None or now.launched is None:
        return found
    told = {words.partition(":")[0] for words in found}
    return [*(one for one in _recipes(then.launched, now.launched) if one.partition(":")[0] not in told), *found]


def _recipes(then: Launched, now: Launched) -> Iterator[str]:
    if then.code[0] != now.code[0]:
        yield from _told("Code", then.code[0][:12], now.code[0][:12])
    elif then.code != now.code:
        yield "Code: its patch or folder is not the same."
    yield from _plain("Command", then.command, now.command)
    if then.data != now.data:
        yield from _told("Data", ", ".join(then.data), ", ".join(now.data))
    yield from _params(then.params, now.params)


def _told(what: str, then: str, now: str) -> Iterator[str]:
    yield f"{what}: {_short(then)} then, {_short(now)} now."


def _plain(what: str, then: str, now: str) -> Iterator[str]:
    """Only where both say something."""
    if then and now and then != now:
        yield from _told(what, then, now)


def _code(then: Record, now: Record) -> Iterator[str]:
    before, after = _code_words(then), _code_words(now)
    if before != after:
        yield from _told("Code", before, after)
    elif then.files.get(_PATCH) != now.files.get(_PATCH):
        yield "Code: what was not committed is not the same."


def _code_words(record: Record) -> str:
    uploaded = record.tags.get("mled.code", "") or record.tags.get("mled.trainer", "")
    return record.commit[:12] or uploaded


def _command(record: Record) -> str:
    """Without the place of its interpreter, which is another one in every environment."""
    said = record.tags.get("mlflow.source.name", "")
    try:
        words = shlex.split(said)
    except ValueError:
        return said
    if words and PurePosixPath(words[0]).name.startswith("python"):
        words[0] = "python"
    return shlex.join(words)


def _params(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    keys = [key for key in sorted({*then, *now}) if then.get(key) != now.get(key)]
    if not keys:
        return
    told = [f"{key} {_short(then.get(key, ''))} then, {_short(now.get(key, ''))} now" for key in keys[:TOLD_MAX]]
    more = f"; and {len(keys) - TOLD_MAX} more" if len(keys) > TOLD_MAX else ""
    yield f"Parameters: {'; '.join(told)}{more}."


def _packages(then: Record, now: Record) -> Iterator[str]:
    """By what was installed where both say it, else by their locks."""
    for paths in ((_INSTALLED,), _LOCKS):
        before = {path: then.files[path] for path in paths if path in then.files}
        after = {path: now.files[path] for path in paths if path in now.files}
        if before and after:
            if before != after:
                yield f"Packages: {', '.join(sorted({*before, *after}))} is not the same."
            return


def _short(text: str) -> str:
    if not text:
        return "not recorded"
    return text if len(text) <= WIDE else f"{text[: WIDE - 1]}…"
