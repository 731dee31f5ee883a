"""Experiments."""

from experiments.actions import experiments as actions
from experiments.queries.experiments import experiment_tags, get_experiment, get_experiment_by_name, wire_id
from experiments.queries.search_experiments import search_experiments
from experiments.search.columns import Dialect
from experiments.search.rows import load_experiment_tags
from mlflow_api.calls import Call, Reply
from mlflow_api.messages import requests as ask
from mlflow_api.messages.replies import experiment_json, found_experiment_json
from mlflow_api.words import view

PAGE_DEFAULT = 1000


def create(call: Call, asked: ask.CreateExperiment) -> Reply:
    experiment = actions.create_experiment(
        call.actor,
        call.project,
        name=asked.name,
        artifact_location=asked.artifact_location or "",
        tags=dict(ask.pairs(asked.tags)),
    )
    return {"experiment_id": wire_id(experiment)}


def get(call: Call, asked: ask.OfExperiment) -> Reply:
    experiment = get_experiment(call.actor, asked.experiment_id, project=call.project)
    return {"experiment": experiment_json(experiment, experiment_tags(call.actor, [experiment])[experiment.pk])}


def get_by_name(call: Call, asked: ask.GetExperimentByName) -> Reply:
    experiment = get_experiment_by_name(call.actor, asked.experiment_name, project=call.project)
    return {"experiment": experiment_json(experiment, experiment_tags(call.actor, [experiment])[experiment.pk])}


def search(call: Call, asked: ask.SearchExperiments) -> Reply:
    page = search_experiments(
        call.actor,
        project=call.project,
        text=asked.filter or "",
        dialect=Dialect.MLFLOW,
        order=asked.order_by or (),
        view=view(asked.view_type, "view_type"),
        limit=PAGE_DEFAULT if asked.max_results is None else asked.max_results,
        after=asked.page_token,
    )
    tags = load_experiment_tags(found.id for found in page.rows)
    reply: dict[str, object] = {
        "experiments": [found_experiment_json(found, tags.get(found.id, ())) for found in page.rows]
    }
    return reply | ({"next_page_token": page.next_token} if page.next_token else {})


def update(call: Call, asked: ask.UpdateExperiment) -> Reply:
    experiment = get_experiment(call.actor, asked.experiment_id, project=call.project)
    actions.rename_experiment(call.actor, experiment, name=asked.new_name)
    return None


def delete(call: Call, asked: ask.OfExperiment) -> Reply:
    experiment = get_experiment(call.actor, asked.experiment_id, project=call.project)
    actions.delete_experiment(call.actor, experiment)
    return None


def restore(call: Call, asked: ask.OfExperiment) -> Reply:
    experiment = get_experiment(call.actor, asked.experiment_id, project=call.project)
    actions.restore_experiment(call.actor, experiment)
    return None


def set_tag(call: Call, asked: ask.SetExperimentTag) -> Reply:
    experiment = get_experiment(call.actor, asked.experiment_id, project=call.project)
    actions.set_experiment_tag(call.actor, experiment, key=asked.key, value=asked.value or "")
    return None


def delete_tag(call: Call, asked: ask.DeleteExperimentTag) -> Reply:
    experiment = get_experiment(call.actor, asked.experiment_id, project=call.project)
    actions.delete_experiment_tag(call.actor, experiment, key=asked.key)
    return None
