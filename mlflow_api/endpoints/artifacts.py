"""The files of a run by the run's id, as pages and the clients in R and Java ask for them."""

from django.http.response import HttpResponseBase

from artifacts.serving import file_response
from experiments.queries.files import list_files, open_file
from experiments.queries.runs import get_run, get_run_with_its_experiment
from mlflow_api.calls import Call, Reply
from mlflow_api.messages import requests as ask
from mlflow_api.messages.replies import files_json, run_info


def list_of_run(call: Call, asked: ask.ListArtifacts) -> Reply:
    """One level of the run's files; paths are relative to the run."""
    run = get_run(call.actor, asked.uid, project=call.project)
    root = run_info(run, run.experiment)["artifact_uri"]
    return {"root_uri": root, "files": files_json(list_files(call.actor, run, asked.path or ""))}


def get_of_run(call: Call, asked: ask.GetArtifact) -> HttpResponseBase:
    """One file of the run."""
    run = get_run_with_its_experiment(call.actor, asked.uid, project=call.project)
    return file_response(call.request, *open_file(call.actor, run, asked.path))
