"""Runs: begun, ended, deleted, found; with their params, tags and inputs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from accounts.authentication import Presumed
from experiments.actions import runs as actions
from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput
from experiments.actions.inputs import log_inputs as log_datasets
from experiments.actions.straight_params import log_params
from experiments.actions.straight_runs import begin_run, keep_experiment
from experiments.metrics.batch import Batch
from experiments.queries.experiments import DEFAULT_WIRE_ID, get_experiment
from experiments.queries.runs import get_run, get_run_to_log, tag_of
from experiments.refs import number_in
from experiments.search.one_run import data_of_run
from experiments.search.rows import RunData
from experiments.search.translation import asked_by_client
from kernel.errors import Invalid, NotFound
from mlflow_api.calls import Call, Reply
from mlflow_api.cutting import cut_for_new, cut_for_run, refuse_own_tag
from mlflow_api.messages import requests as ask
from mlflow_api.messages.replies import record_json, run_info, run_json
from mlflow_api.words import run_status, view
from registry.actions.links import log_run_inputs
from registry.links import NO_LINKS, links_of_run, search_records_and_links
from registry.queries.logged_models import get_logged_models

PAGE_DEFAULT: Final = 1000
MODEL_HISTORY: Final = "mlflow.log-model.history"


def create(call: Call, asked: ask.CreateRun) -> Reply:
    experiment = get_experiment(call.actor, asked.experiment_id or DEFAULT_WIRE_ID, project=call.project)
    _, tags = cut_for_new((), ask.pairs(asked.tags))
    run = actions.create_run(
        call.actor,
        experiment,
        name=asked.run_name or "",
        started_ms=asked.start_time,
        tags=tags,
        claimed_user=asked.user_id or "",
    )
    keep_experiment(asked.experiment_id or DEFAULT_WIRE_ID, call.project, experiment)
    return _begun_json(run, experiment, {**tags, actions.RUN_NAME: run.name})


def create_straight(presumed: Presumed, project: Any, asked: ask.CreateRun) -> Reply | bool:
    _, tags = cut_for_new((), ask.pairs(asked.tags))
    begun = begin_run(
        presumed,
        project,
        asked.experiment_id or DEFAULT_WIRE_ID,
        name=asked.run_name or "",
        started_ms=asked.start_time,
        tags=tags,
        claimed_user=asked.user_id or "",
    )
    return False if begun is None else _begun_json(begun, begun.experiment, begun.tags)


def _begun_json(run: Any, experiment: Any, tags: Mapping[str, str]) -> Reply:
    return {"run": run_json(run_info(run, experiment), RunData([], [], sorted(tags.items()), []))}


def get(call: Call, asked: ask.OfRun) -> Reply:
    run = get_run(call.actor, asked.uid, project=call.project)
    data = data_of_run(run.pk)
    links = links_of_run(run.pk)
    return {"run": run_json(run_info(run, run.experiment), data, links)}


def update(call: Call, asked: ask.UpdateRun) -> Reply:
    run = get_run(call.actor, asked.uid, project=call.project)
    experiment = run.experiment
    status = run_status(asked.status)
    run = actions.update_run(call.actor, run, name=asked.run_name, status=status, ended_ms=asked.end_time)
    return {"run_info": run_info(run, experiment)}


def delete(call: Call, asked: ask.OfRun) -> Reply:
    actions.delete_run(call.actor, get_run(call.actor, asked.uid, project=call.project))
    return None


def restore(call: Call, asked: ask.OfRun) -> Reply:
    actions.restore_run(call.actor, get_run(call.actor, asked.uid, project=call.project))
    return None


def search(call: Call, asked: ask.SearchRuns) -> Reply:
    text, dialect = asked_by_client(asked.filter or "")
    page, inputs, links = search_records_and_links(
        call.actor,
        project=call.project,
        experiments=experiment_keys(call, asked.experiment_ids or ()),
        text=text,
        dialect=dialect,
        order=asked.order_by or (),
        view=view(asked.run_view_type, "run_view_type"),
        limit=PAGE_DEFAULT if asked.max_results is None else asked.max_results,
        after=asked.page_token,
    )
    reply: dict[str, Any] = {
        "runs": [record_json(one, inputs.get(one.id, ()), links.get(one.id, NO_LINKS)) for one in page.rows]
    }
    return reply | ({"next_page_token": page.next_token} if page.next_token else {})


def experiment_keys(call: Call, wire_ids: Sequence[str]) -> list[int]:
    """Experiments as our searches name them; what cannot be one is left out, as one that does not exist is."""
    keys = [key for wire in wire_ids if (key := number_in(wire)) is not None]
    if DEFAULT_WIRE_ID not in wire_ids:
        return keys
    try:
        default = get_experiment(call.actor, DEFAULT_WIRE_ID, project=call.project)
    except NotFound:
        return keys
    return [*(key for key in keys if key), default.pk]


def set_tag(call: Call, asked: ask.SetTag) -> Reply:
    run = get_run_to_log(call.actor, asked.uid, project=call.project)
    _, tags = cut_for_run(call.actor, run, (), [(asked.key, asked.value or "")])
    actions.set_tags(call.actor, run, tags=dict(tags))
    return None


def delete_tag(call: Call, asked: ask.DeleteTag) -> Reply:
    refuse_own_tag([(asked.key, "")])
    run = get_run_to_log(call.actor, asked.uid, project=call.project)
    actions.delete_tag(call.actor, run, key=asked.key)
    return None


def log_parameter(call: Call, asked: ask.LogParameter) -> Reply:
    run = get_run_to_log(call.actor, asked.uid, project=call.project)
    params, tags = cut_for_run(call.actor, run, [(asked.key, asked.value or "")], ())
    log_batch(call.actor, run, batch=Batch(params=params, tags=tags))
    return None


def log_parameter_straight(presumed: Presumed, project: Any, asked: ask.LogParameter) -> bool:
    return log_params(presumed, project, asked.uid, [(asked.key, asked.value or "")])


def log_inputs(call: Call, asked: ask.LogInputs) -> Reply:
    run = get_run(call.actor, asked.uid, project=call.project)
    datasets = [_dataset(given) for given in asked.datasets or ()]
    if not asked.models:
        log_datasets(call.actor, run, inputs=datasets)
        return None
    models = get_logged_models(call.actor, [given.model_id for given in asked.models], project=call.project)
    log_run_inputs(call.actor, run, datasets=datasets, models=list(models.values()))
    return None


def _dataset(given: ask.DatasetInput) -> DatasetInput:
    sent = given.dataset
    return DatasetInput(
        name=sent.name,
        digest=sent.digest,
        source_type=sent.source_type or "",
        source=sent.source or "",
        schema=sent.schema or "",
        profile=sent.profile or "",
        tags=dict(ask.pairs(given.tags)),
    )


def log_model(call: Call, asked: ask.LogModel) -> Reply:
    """What clients before 3.0 do instead of making a logged model: one more entry in a tag."""
    run = get_run(call.actor, asked.uid, project=call.project)
    model = _json_of(asked.model_json)
    if not isinstance(model, dict) or not {"artifact_path", "flavors", "utc_time_created"} <= model.keys():
        raise Invalid(
            "'model_json' has to be a JSON object with artifact_path, flavors and utc_time_created.", field="model_json"
        )
    before = _json_of(tag_of(call.actor, run, MODEL_HISTORY) or "[]")
    if not isinstance(before, list):
        raise Invalid(f"The tag '{MODEL_HISTORY}' holds no list of models.", hint="Delete the tag.", field="model_json")
    actions.set_tags(call.actor, run, tags={MODEL_HISTORY: json.dumps([*before, model])})
    return None


def _json_of(text: str) -> Any:
    """What a text says in JSON; None where it is none, or one that could not be written again."""
    try:
        said = json.loads(text)
        json.dumps([[said]])
    except (ValueError, RecursionError):
        return None
    return said
