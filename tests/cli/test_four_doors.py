"""One JSON, four doors: the form, REST, the command line and MLflow's own client write the same record and obey the
same rules, because one action stands behind each of them."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.exceptions import MlflowException

from accounts.roles import Scope
from artifacts.actions.recall import withdraw_version
from artifacts.models import DatasetVersion
from experiments import values
from experiments.models import Run
from experiments.queries.runs import inputs_of, params_of, series_of, tags_of
from kernel.actor import Actor
from mled import Client as MledClient
from tests.cli.conftest import Run as Command
from tests.factories import a_dataset, a_team, a_token, a_version, again, an_experiment, user_of
from tests.pages.conftest import Browser, Page

START, END = 1772456400000, 1772461200000
RECORD: dict[str, Any] = {
    "experiment": "icu/by hand",
    "name": "svm-rbf-w24",
    "architecture": "SVM, RBF kernel",
    "email": "kim@example.org",
    "dataset": "icu-vitals v1",
    "started": "2026-03-02T14:00+01:00",
    "duration": "1h 20m",
    "status": "FAILED",
    "params": {"kernel": "rbf", "C": 10, "lr": 0.001, "balanced": True},
    "results": {"val/auroc": 0.8127, "val/ece": 0.04},
    "tags": {"ward": "icu-2"},
    "note": "Done on the **old** cluster.",
    "commit": "9f3c1ab",
    "command": "python train.py",
}
SAID_BY_THE_DOOR = {"mlflow.source.type", "mlflow.user"}


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing."""


@dataclass
class House:
    """MLED in this process, behind a real socket, and the people of one project."""

    url: str
    slug: str
    scientist: Actor
    auditor: Actor
    digest: str
    run_command: Command

    def token(self, who: Actor) -> str:
        return a_token(who, scopes=tuple(Scope))[1]


@pytest.fixture
def house(committed_db, command: Command) -> Iterator[House]:
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(get_wsgi_application())
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    serving.start()
    team = a_team()
    an_experiment(team.scientist, team.project, name=RECORD["experiment"])
    version = a_version(team.scientist, a_dataset(team.scientist, team.project, name="icu-vitals"))
    url = f"http://127.0.0.1:{server.server_address[1]}"
    yield House(url, team.project.slug, team.scientist, team.auditor, version.digest, command)
    server.shutdown()
    server.server_close()
    serving.join()
    connections.close_all()


class Refusal(Exception):
    """What a door said: its words, and its code where it has one."""

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.words, self.code = words, code


def by_form(house: House, who: Actor, record: dict[str, Any]) -> str:
    """Pasted whole into the form, and stored."""
    browser, here = Browser(again(who)), f"/p/{house.slug}/record/"
    answer = Page(browser.client.get(here))
    key = re.search(r'name="key" value="([^"]+)"', answer.source)
    if key is None:
        raise Refusal(answer.text, {403: "PERMISSION_DENIED"}.get(answer.response.status_code, ""))
    done = browser.client.post(here, {"record_paste": json.dumps(record), "key": key[1]})
    if done.status_code != 302:
        raise Refusal(Page(done).text, "INVALID")
    return re.findall(r"[0-9a-f]{32}", done["Location"])[0]


def by_rest(house: House, who: Actor, record: dict[str, Any]) -> str:
    headers = {"Authorization": f"Bearer {house.token(who)}"}
    answer = httpx.post(f"{house.url}/api/v1/projects/{house.slug}/recorded-runs/", json=record, headers=headers)
    if answer.status_code != 201:
        raise Refusal(answer.json()["title"], answer.json()["code"])
    return answer.json()["id"]


def by_command(house: House, who: Actor, record: dict[str, Any]) -> str:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLED_TOKEN", house.token(who))
        said = house.run_command(
            "submit", "-", "--url", house.url, "-p", house.slug, "--json", typed=json.dumps(record)
        )
    if said.code:
        raise Refusal(json.loads(said.err)["error"], json.loads(said.err)["code"])
    return said.json["id"]


def by_mlflow(house: House, who: Actor, record: dict[str, Any]) -> str:
    """As a script that trained it would have logged it, by the mapping of docs/record.md."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", house.token(who))
        environment.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        try:
            return _logged(MlflowClient(tracking_uri=f"{house.url}/mlflow/{house.slug}"), house, record)
        except MlflowException as error:
            code = {"INVALID_PARAMETER_VALUE": "INVALID"}.get(error.error_code, error.error_code)
            raise Refusal(error.message, code) from None


def _logged(client: MlflowClient, house: House, record: dict[str, Any]) -> str:
    experiment = client.get_experiment_by_name(record["experiment"])
    run = client.create_run(experiment.experiment_id, start_time=START, run_name=record["name"]).info.run_id
    for key, value in {"architecture": record["architecture"], **record["params"]}.items():
        client.log_param(run, key, value if isinstance(value, str) else json.dumps(value))
    for key, value in record["results"].items():
        client.log_metric(run, key, value, timestamp=END, step=0)
    tags = {
        **record["tags"],
        "mled.email": record["email"],
        "mlflow.note.content": record["note"],
        "mlflow.source.git.commit": record["commit"],
        "mlflow.source.name": record["command"],
    }
    for key, value in tags.items():
        client.set_tag(run, key, value)
    used = Dataset(name="icu-vitals", digest=house.digest[:36], source_type="local", source="{}")
    client.log_inputs(run, [DatasetInput(used, [InputTag("mlflow.data.context", "training")])])
    client.set_terminated(run, status=record["status"], end_time=END)
    return run


Door = Callable[[House, Actor, dict[str, Any]], str]
DOORS: dict[str, Door] = {"form": by_form, "REST": by_rest, "command line": by_command, "MLflow": by_mlflow}


def record_of(house: House, run_id: str) -> dict[str, Any]:
    """All that a reader finds of a run, but its ids and who or what entered it."""
    viewer = again(house.scientist)
    run = Run.objects.select_related("experiment", "created_by").get(uid=run_id)
    return {
        "experiment": run.experiment.name,
        "name": run.name,
        "status": run.status,
        "times": (run.started_ms, run.ended_ms),
        "author": run.created_by.email,
        "code": (run.git_commit, run.source_name),
        "params": params_of(viewer, run),
        "metrics": {
            one.key: (one.last_value, one.last_step, one.last_ms, one.min_value, one.max_value)
            for one in series_of(viewer, run)
        },
        "tags": {key: text for key, text in tags_of(viewer, run).items() if key not in SAID_BY_THE_DOOR},
        "data": [(one.dataset_version_id, str(one.dataset_version), one.context) for one in inputs_of(viewer, run)],
    }


def refusals(house: House, who: Actor, record: dict[str, Any]) -> dict[str, Refusal]:
    """What each door says to it."""
    found = {}
    for name, door in DOORS.items():
        with pytest.raises(Refusal) as told:
            door(house, who, record)
        found[name] = told.value
    return found


def test_one_json_is_one_record_through_every_door(house: House):
    records = {name: record_of(house, door(house, house.scientist, RECORD)) for name, door in DOORS.items()}
    expected = records["REST"]
    assert expected["params"] == {
        "architecture": "SVM, RBF kernel", "kernel": "rbf", "C": "10", "lr": "0.001", "balanced": "true",
    }  # fmt: skip
    assert expected["metrics"]["val/auroc"] == (0.8127, 0, END, 0.8127, 0.8127)
    assert (expected["status"], expected["times"]) == ("FAILED", (START, END))
    assert expected["data"][0][1:] == ("icu-vitals v1", "training")
    assert expected["author"] == user_of(house.scientist).email
    for name, record in records.items():
        assert record == expected, name
    through_python = MledClient(house.url, token=house.token(house.scientist)).submit(RECORD, project=house.slug)
    assert record_of(house, through_python["id"]) == expected


def test_a_rule_is_obeyed_at_every_door_with_the_same_code_and_words(house: House):
    for told in refusals(house, house.auditor, RECORD).values():
        assert "You may not create runs or log params, metrics or tags: that is for Data scientist" in told.words
        assert told.code == "PERMISSION_DENIED"

    version = DatasetVersion.objects.get(digest=house.digest)
    withdraw_version(again(house.scientist), version, reason="labels are wrong")
    for told in refusals(house, house.scientist, RECORD).values():
        assert re.search(r"was recalled on \d{4}-\d\d-\d\d by .*: labels are wrong", told.words), told.words
        assert told.code == "INVALID"


def test_a_rule_that_is_broken_in_its_one_place_breaks_every_door(house: House, monkeypatch):
    for name, door in DOORS.items():
        assert door(house, house.scientist, RECORD), name
    monkeypatch.setattr(values, "_KEY", re.compile(r"^(?!lr$)[\w\-.:/ ]+$"))
    another = RECORD | {"name": "another"}  # the same one again would be the run that is there
    for told in refusals(house, house.scientist, another).values():
        assert "The key 'lr' has a character that keys cannot have." in told.words
        assert told.code == "INVALID"
