"""Logged models."""

from typing import Any, Final

from experiments.queries.experiments import get_experiment
from experiments.queries.runs import get_run
from kernel.errors import Invalid
from mlflow_api.calls import Call, Reply
from mlflow_api.cutting import TAG, cut_for_new, refuse_own_tag
from mlflow_api.endpoints.runs import experiment_keys
from mlflow_api.messages import requests as ask
from mlflow_api.messages.replies import files_json, model_json
from mlflow_api.words import model_status
from registry.actions import links
from registry.actions import logged_models as actions
from registry.queries.files import list_model_files
from registry.queries.logged_models import get_logged_model, get_logged_models, model_data
from registry.queries.search import PAGE_DEFAULT, PAGE_MAX, OnDataset, SortBy, search_logged_models

_PARAMS_MAX: Final = 100  # in one request, as in a batch


def create(call: Call, asked: ask.CreateLoggedModel) -> Reply:
    experiment = get_experiment(call.actor, asked.experiment_id, project=call.project)
    run = get_run(call.actor, asked.source_run_id, project=call.project) if asked.source_run_id else None
    params, tags = cut_for_new(ask.pairs(asked.params), ask.pairs(asked.tags))
    model = actions.create_logged_model(
        call.actor,
        experiment,
        name=asked.name or "",
        model_type=asked.model_type or "",
        source_run=run,
        params=params,
        tags=tags,
    )
    return _whole(call, model)


def get(call: Call, asked: ask.Nothing) -> Reply:
    return _whole(call, _model(call))


def finalize(call: Call, asked: ask.FinalizeLoggedModel) -> Reply:
    model = _model(call)
    if asked.model_id and asked.model_id != model.model_id:
        raise Invalid("'model_id' differs from the model in the path.", field="model_id")
    status = model_status(asked.status)
    if status == "PENDING":
        raise Invalid("A model becomes ready or failed.", field="status")
    return _whole(call, actions.finalize_logged_model(call.actor, model, status=status))


def delete(call: Call, asked: ask.Nothing) -> Reply:
    actions.delete_logged_model(call.actor, _model(call))
    return None


def set_tags(call: Call, asked: ask.SetLoggedModelTags) -> Reply:
    model = _model(call)
    _, tags = cut_for_new((), ask.pairs(asked.tags), _notes(call, model))
    actions.set_logged_model_tags(call.actor, model, tags=tags)
    return None


def delete_tag(call: Call, asked: ask.Nothing) -> Reply:
    refuse_own_tag([(call.named["key"], "")])
    actions.delete_logged_model_tag(call.actor, _model(call), key=call.named["key"])
    return None


def log_params(call: Call, asked: ask.LogLoggedModelParams) -> Reply:
    model = _model(call)
    given = ask.pairs(asked.params)
    if len(given) > _PARAMS_MAX:
        raise Invalid(f"At most {_PARAMS_MAX} params at once, not {len(given)}.", field="params")
    params, tags = cut_for_new(given, (), _notes(call, model))
    actions.log_logged_model_params(call.actor, model, params=params)
    if tags:
        actions.set_logged_model_tags(call.actor, model, tags=tags)
    return None


def search(call: Call, asked: ask.SearchLoggedModels) -> Reply:
    """A page of models. MLflow knows no limit here: who asks for more than a page holds goes on by its token."""
    if asked.experiment_ids is None:
        raise Invalid("Missing value for required parameter 'experiment_ids'.", field="experiment_ids")
    page = search_logged_models(
        call.actor,
        project=call.project,
        experiments=experiment_keys(call, asked.experiment_ids),
        text=asked.filter or "",
        datasets=[OnDataset(given.dataset_name, given.dataset_digest or "") for given in asked.datasets or ()],
        order=[_sort_by(given) for given in asked.order_by or ()],
        limit=min(asked.max_results or PAGE_DEFAULT, PAGE_MAX),
        after=asked.page_token,
    )
    data = model_data(call.actor, page.models)
    reply: dict[str, Any] = {"models": [model_json(model, data[model.pk]) for model in page.models]}
    return reply | ({"next_page_token": page.next_token} if page.next_token else {})


def list_files(call: Call, asked: ask.ListModelFiles) -> Reply:
    """One level of the model's files; paths are relative to the model."""
    model = _model(call)
    whole = model_json(model, model_data(call.actor, [model])[model.pk])
    entries = list_model_files(call.actor, model, asked.artifact_directory_path or "")
    return {"root_uri": whole["info"]["artifact_uri"], "files": files_json(entries)}


def log_outputs(call: Call, asked: ask.LogOutputs) -> Reply:
    run = get_run(call.actor, asked.uid, project=call.project)
    sent = asked.models or []
    models = get_logged_models(call.actor, [given.model_id for given in sent], project=call.project)
    links.log_outputs(call.actor, run, outputs=[(models[given.model_id], given.step or 0) for given in sent])
    return None


def _sort_by(given: ask.ModelOrder) -> SortBy:
    dataset = OnDataset(given.dataset_name, given.dataset_digest or "") if given.dataset_name else None
    return SortBy(given.field_name, given.ascending is False, dataset)


def _model(call: Call) -> Any:
    return get_logged_model(call.actor, call.named["model_id"], project=call.project)


def _notes(call: Call, model: Any) -> str:
    """What is noted of texts of this model that were cut."""
    return dict(model_data(call.actor, [model])[model.pk].tags).get(TAG, "")


def _whole(call: Call, model: Any) -> Reply:
    return {"model": model_json(model, model_data(call.actor, [model])[model.pk])}
