"""Where the files of a model version are: a run's or a logged model's, or outside MLED.

A source is an address as clients write it:

    runs:/<run>/<path>                                   the files of a run
    models:/m-<id>[/<path>], models:/<name>/<version>    those of a logged model, of another version
    mlflow-artifacts:/<experiment>/<run>/artifacts/...   either, as artifact URIs spell it
    s3://..., https://..., ...                           outside: kept as a name and never opened

What lies inside belongs to the project and to the run or logged model that the client names, if it names one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from accounts.models import Project
from artifacts.locations import checked_location
from artifacts.models import ArtifactRoot
from artifacts.paths import checked_folder
from artifacts.trees import root_of
from experiments.locations import file_place
from experiments.models import Run
from experiments.queries.runs import get_run
from experiments.values import checked_text
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound
from registry.models import LoggedModel
from registry.queries.logged_models import get_logged_model
from registry.queries.registered_models import find_by_address
from registry.sources import PROMPT_SOURCES, is_prompt

SOURCE_MAX: Final = 2000
_LOGGED_MODEL: Final = re.compile(r"(m-[0-9a-f]{32})(?:/(.*))?", re.DOTALL)
_OURS: Final = frozenset({"runs", "models", "mlflow-artifacts"})


@dataclass(frozen=True, slots=True)
class Origin:
    """What a source stands for. root None: the files lie outside, or there are none."""

    run: Run | None = None
    logged_model: LoggedModel | None = None
    root: ArtifactRoot | None = None
    root_path: str = ""


def origin_of(
    viewer: Actor,
    project: Project,
    source: str,
    *,
    run: Run | None,
    logged_model: LoggedModel | None,
    tags: Mapping[str, str],
) -> Origin:
    """What a source stands for, in an act that makes a version of it.

    Raises Invalid for a local path, one that climbs, or one that lies in another run or model than is named.
    """
    checked_text(source, "source", SOURCE_MAX)
    if is_prompt(tags):
        if source not in PROMPT_SOURCES:
            raise Invalid("A prompt has no files, so no source.", field="source")
        return Origin(run, logged_model)
    _refuse_climbing(source)
    scheme, _, rest = source.partition(":")
    if scheme.lower() not in _OURS:
        checked_location(source, allow_outside=not project.refuses_outside_locations, field="source")
        if not source:
            raise Invalid("Missing value for required parameter 'source'.", field="source")
        return Origin(run or _maker(logged_model), logged_model)
    found = _inside(viewer, project, scheme.lower(), rest, source)
    return _agreed(found, run, logged_model, source)


def _inside(viewer: Actor, project: Project, scheme: str, rest: str, source: str) -> Origin:
    try:
        if scheme == "mlflow-artifacts":
            return _by_artifact_uri(viewer, project, source)
        if not rest.startswith("/") or rest.startswith("//"):
            raise _wrong(source)
        if scheme == "runs":
            return _by_run(viewer, project, rest.strip("/"))
        return _by_model(viewer, project, rest.strip("/"), source)
    except NotFound as absent:
        raise Invalid(
            f"The source '{source[:120]}' names no run or model of this project.", hint=absent.message, field="source"
        ) from None


def _by_run(viewer: Actor, project: Project, rest: str) -> Origin:
    run_id, _, path = rest.partition("/")
    return _in_run(get_run(viewer, run_id, project=project), path)


def _by_model(viewer: Actor, project: Project, rest: str, source: str) -> Origin:
    logged = _LOGGED_MODEL.fullmatch(rest)
    if logged is not None:
        return _in_model(get_logged_model(viewer, logged[1], project=project), logged[2] or "")
    version = find_by_address(viewer, project, rest)
    if version is None or version.source in PROMPT_SOURCES:
        raise _wrong(source)
    return Origin(version.run, version.logged_model, version.root, version.root_path)


def _by_artifact_uri(viewer: Actor, project: Project, source: str) -> Origin:
    parts = urlsplit(source)
    if parts.query or parts.fragment:
        raise _wrong(source)
    place = file_place(parts.path.strip("/"))
    if place is None:
        raise _wrong(source)
    if place.is_model:
        model = get_logged_model(viewer, place.owner, project=project)
        found, is_there = _in_model(model, place.path), place.is_of(model)
    else:
        run = get_run(viewer, place.owner, project=project)
        found, is_there = _in_run(run, place.path), place.is_of(run)
    if not is_there:
        raise _wrong(source)
    return found


def _in_run(run: Run, path: str) -> Origin:
    if run.is_deleted:
        raise NotFound(f"Run {run.uid.hex} is deleted.")
    root = root_of(ArtifactRoot.Kind.RUN, run.ledger_id, run.project_id)
    return Origin(run, None, root, checked_folder(path, "source"))


def _in_model(model: LoggedModel, path: str) -> Origin:
    root = root_of(ArtifactRoot.Kind.MODEL, model.model_id, model.project_id)
    return Origin(_maker(model), model, root, checked_folder(path, "source"))


def _maker(model: LoggedModel | None) -> Run | None:
    return model.source_run if model is not None else None


def _agreed(found: Origin, run: Run | None, logged_model: LoggedModel | None, source: str) -> Origin:
    """The origin with what the client names beside it: the files have to lie in one of the two, if any is named."""
    if found.root is not None and found.root.kind == ArtifactRoot.Kind.RUN:
        if logged_model is not None and run is None and logged_model != found.logged_model:
            raise _elsewhere(source, "model_id")
        if run is not None and run != found.run:
            raise _elsewhere(source, "run_id")
    elif logged_model is not None:
        if logged_model != found.logged_model:
            raise _elsewhere(source, "model_id")
    elif run is not None and run != found.run:
        raise _elsewhere(source, "run_id")
    return Origin(run or found.run, logged_model or found.logged_model, found.root, found.root_path)


def _refuse_climbing(source: str) -> None:
    reading = source
    for _ in range(4):
        if ".." in re.split(r"[/\\:?#;]", reading):
            raise Invalid(f"The source '{source[:120]}' holds '..'.", hint="Name the folder itself.", field="source")
        reading = unquote(reading, errors="replace")


def _wrong(source: str) -> Invalid:
    return Invalid(
        f"'{source[:120]}' is no source of a model version.",
        hint="Use models:/<model id>, runs:/<run id>/<path>, or an artifact URI of this project.",
        field="source",
    )


def _elsewhere(source: str, field: str) -> Invalid:
    return Invalid(
        f"The source '{source[:120]}' does not lie in what '{field}' names.", hint="Name the same.", field=field
    )
