"""Files by their artifact URI: mlflow-artifacts:/<experiment>/<run>/artifacts/<path>, or below /models/<model>/.

The client turns such a URI into HTTP on the same host. A path that names no run or model of the project has no files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.http.response import HttpResponseBase

from accounts.authentication import Presumed
from artifacts.blobs import carried, may_be_parked, receive_for_a_file
from artifacts.incoming import Body, announced_length
from artifacts.paths import checked_folder, checked_path
from artifacts.quotas import count_outlives_refusal
from artifacts.serving import file_response
from artifacts.storage import Carried
from experiments.actions import files as run_actions
from experiments.actions.straight_files import put_new_file
from experiments.locations import FilePlace, file_place, place_of
from experiments.queries import files as run_files
from experiments.queries.runs import get_run_with_its_experiment
from experiments.queries.straight_files import open_file_straight
from kernel.errors import Invalid, NotFound
from mlflow_api.calls import Call, Reply
from mlflow_api.messages import requests as ask
from mlflow_api.messages.replies import files_json
from registry.actions import files as model_actions
from registry.queries import files as model_files
from registry.queries.logged_models import get_logged_model


@dataclass(frozen=True, slots=True)
class Kind:
    """What a run and a logged model do with files."""

    find: Callable[..., Any]
    list: Callable[..., Any]
    open: Callable[..., Any]
    expect: Callable[..., None]
    put: Callable[..., Any]
    delete: Callable[..., Any]


_RUN: Final = Kind(
    get_run_with_its_experiment,
    run_files.list_files,
    run_files.open_file,
    run_actions.expect_file,
    run_actions.put_file,
    run_actions.delete_files,
)
_MODEL: Final = Kind(
    get_logged_model,
    model_files.list_model_files,
    model_files.open_model_file,
    model_actions.expect_file,
    model_actions.put_model_file,
    model_actions.delete_model_files,
)


def upload(call: Call) -> Reply:
    """Take in one file, whatever its size, and put it at its path."""
    kind, owner, path = located(call, checked_path(call.named["path"]))
    length = announced_length(call.request)
    kind.expect(call.actor, owner, path, size_bytes=length)
    stored = receive_for_a_file(Body(call.request), expected=length)
    with count_outlives_refusal(owner.project_id):
        kind.put(call.actor, owner, path=path, stored=stored)
    return None


def upload_straight(presumed: Presumed, project: Any, call: Call) -> bool:
    """The same for few bytes that become a new file of a run, where nothing stands against it."""
    place = _of_run(call)
    if place is None or not may_be_parked(length := announced_length(call.request)):
        return False

    def read() -> Carried | None:
        try:
            content = call.request.body  # kept by the request, for the ordinary way
        except (OSError, RequestDataTooBig):  # parked may be more than Django reads at once
            return None
        return carried(content) if len(content) == length else None

    return put_new_file(presumed, project, place, read)


def download_straight(presumed: Presumed, project: Any, call: Call) -> HttpResponseBase | bool:
    """The same for a file of a run, where all is as usual."""
    place = _of_run(call)
    found = open_file_straight(presumed.actor, presumed.stamp, project, place) if place else None
    return False if found is None else file_response(call.request, *found)


def _of_run(call: Call) -> FilePlace | None:
    """What the path stands for, where that is a file of a run."""
    place = file_place(checked_path(call.named["path"]))
    if place is None or place.is_model:
        return None
    checked_path(place.path)
    return place


def download(call: Call) -> HttpResponseBase:
    """Give out one file."""
    kind, owner, path = located(call, checked_path(call.named["path"]))
    return file_response(call.request, *kind.open(call.actor, owner, path))


def delete(call: Call) -> Reply:
    """Take away a file or a folder."""
    kind, owner, path = located(call, checked_folder(call.named["path"]))
    kind.delete(call.actor, owner, path=path)
    return None


def list_folder(call: Call, asked: ask.ListProxied) -> Reply:
    """One level of a folder, by name. Nothing lies above the runs and models."""
    path = checked_folder(asked.path or "")
    if file_place(path) is None:
        return {"files": []}
    kind, owner, folder = located(call, path)
    return {"files": files_json(kind.list(call.actor, owner, folder), by_name=True)}


def located(call: Call, path: str) -> tuple[Kind, Any, str]:
    """The run or model that a path lies in, and the path below it. Raises NotFound, the same for all that is absent."""
    place = file_place(path)
    if place is None:
        raise NotFound(f"There is no run or model at '{path[:200]}'.", hint="Use the run's artifact URI.", field="path")
    kind = _MODEL if place.is_model else _RUN
    owner = kind.find(call.actor, place.owner, project=call.project)
    if place_of(owner.experiment) is None:
        raise Invalid("The files of this experiment lie outside MLED.", field="path")
    if not place.is_of(owner):
        raise NotFound(f"There is no run or model at '{path[:200]}'.", field="path")
    return kind, owner, place.path
