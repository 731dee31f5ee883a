"""What the run table offers as code finds the runs that the table shows, with MLflow's own client and by REST."""

import html
import os
import re
import subprocess
from collections.abc import Iterator
from urllib.parse import urlencode

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from tests.services.live import LiveMled

PROJECT, ADA = "copied", "ada.copied@example.org"
QUESTIONS = [
    {},
    {"q": "params.arch = 'gru' and metrics.acc > 0.05", "sort": "-metrics.acc"},
    {"q": "gru", "sort": "name"},
    {"q": "status = 'failed' AND created > '2020-01-01'"},
    {"q": "best(acc) >= 0.3 OR params.arch IN ('tcn', 'mlp')", "sort": "-best(metrics.acc)"},
    {"q": "tag IN ('stage=draft', 'final') AND NOT params.lr < 0.01", "sort": "params.lr"},
    {"q": "tags.`odd key` = 'it''s \"so\"' AND created > 7d"},
    {"sort": "params.lr"},
    {"q": "tag NOT IN ('final') AND mine = true", "only_first": "1"},
    {"q": "gru", "lifecycle": "deleted"},
]


@pytest.fixture(scope="module")
def ada(live_mled: LiveMled) -> Iterator[requests.Session]:
    """Ada's browser, and a token of hers where MLflow's client looks for one."""
    password = live_mled.create_user(ADA)
    live_mled.create_project(PROJECT)
    live_mled.add_member(PROJECT, ADA, "data_scientist")
    token = live_mled.issue_token(ADA)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", token)
        environment.setenv("MLED_TOKEN", token)
        log_runs(MlflowClient(live_mled.tracking_uri(PROJECT)))
        session = requests.Session()
        form = session.get(f"{live_mled.url}/login/").text
        (secret,) = set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form))
        sent = {"login": ADA, "password": password, "csrfmiddlewaretoken": secret}
        session.post(f"{live_mled.url}/login/", data=sent, headers={"Referer": f"{live_mled.url}/login/"})
        said = {"key": "acc", "better": "higher", "csrfmiddlewaretoken": session.cookies["mled_csrf"]}
        session.post(f"{live_mled.url}/p/{PROJECT}/direction/", data=said, headers={"Referer": live_mled.url})
        yield session
    mlflow.set_tracking_uri(None)


def log_runs(client: MlflowClient) -> None:
    for folder in ("first", "second"):
        experiment = client.create_experiment(folder)
        for number, arch in enumerate(("gru", "gru", "tcn", "mlp")):
            run = client.create_run(experiment, run_name=f"{arch}-{folder}-{number}").info.run_id
            drafts = [RunTag("stage", "draft"), RunTag("odd key", 'it\'s "so"')]
            client.log_batch(
                run,
                metrics=[Metric("acc", number / 5, 1, 0), Metric("acc", 0.1, 2, 1 + number)],
                params=[Param("arch", arch), Param("lr", str(10 ** -(number + 1)))],
                tags=drafts if number % 2 else [RunTag("final", "1")],
            )
            client.set_terminated(run, "FAILED" if number == 2 else "FINISHED")
            if number == 1:
                client.delete_run(run)


def shown(ada: requests.Session, live: LiveMled, question: dict[str, str]) -> tuple[list[str], str, str, str]:
    """The ids of the table's rows, and the code that it offers: for Python, for the shell, as a path."""
    source = ada.get(f"{live.url}/p/{PROJECT}/runs/?{urlencode(question)}").text
    assert "aria-invalid" not in source
    code = [html.unescape(text) for text in re.findall(r'<pre [^>]*id="code-[^>]*>(.*?)</pre>', source, re.S)]
    python, curl, path = code
    return re.findall(r'<tr[^>]* data-href="/r/([0-9a-f]{32})/', source), python, curl, path


def test_the_copied_calls_find_the_runs_of_the_table_in_its_order(ada: requests.Session, live_mled: LiveMled):
    client = MlflowClient(live_mled.tracking_uri(PROJECT))
    first = client.get_experiment_by_name("first")
    assert first is not None
    found_any = 0
    for question in QUESTIONS:
        asked = {**question}
        if asked.pop("only_first", ""):
            asked["experiment"] = first.experiment_id
        ids, python, curl, path = shown(ada, live_mled, asked)
        found_any += bool(ids)
        called: dict[str, object] = {}
        exec(python, called)  # noqa: S102 - it is what people do with it
        assert list(called["runs"].get("run_id", [])) == ids, (asked, python)  # type: ignore[attr-defined]
        header = {"Authorization": f"Bearer {os.environ['MLED_TOKEN']}"}
        answer = requests.get(f"{live_mled.url}{path}", headers=header, timeout=60)
        assert [run["id"] for run in answer.json()["results"]] == ids, (asked, path, answer.text[:300])
        printed = subprocess.run(["bash", "-c", f"{curl} -s"], check=True, capture_output=True, text=True).stdout
        assert all(run in printed for run in ids)
    assert found_any == len(QUESTIONS)


def test_without_its_mark_a_filter_of_ours_is_none_of_mlflows(ada: requests.Session, live_mled: LiveMled):
    client = MlflowClient(live_mled.tracking_uri(PROJECT))
    experiments = [one.experiment_id for one in client.search_experiments()]
    assert client.search_runs(experiments, "mled: gru OR tcn")
    with pytest.raises(mlflow.exceptions.MlflowException, match="AND"):
        client.search_runs(experiments, "metrics.acc > 1 OR metrics.acc < 1")
    with pytest.raises(mlflow.exceptions.MlflowException, match="Column 15"):
        client.search_runs(experiments, "mled: gru AND ^ = OR")
