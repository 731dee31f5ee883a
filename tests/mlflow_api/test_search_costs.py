"""How many round trips a client's search takes, which is what it costs among few runs."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from experiments.actions.batches import log_batch
from experiments.queries.experiments import wire_id
from experiments.search import rare
from tests.factories import a_batch, a_run, a_team, a_token, an_experiment
from tests.mlflow_api.speaking import Mlflow


def test_a_search_with_conditions_and_an_order_is_few_round_trips(committed_db: str) -> None:
    team = a_team()
    client = Mlflow(a_token(team.scientist)[1], f"/mlflow/{team.project.slug}")
    place = an_experiment(team.scientist)
    runs = [a_run(team.scientist, experiment=place) for _ in range(3)]
    for at, run in enumerate(runs):
        log_batch(team.scientist, run, batch=a_batch(params={"model": "vit"}, loss=[at / 4], f1=[0.5 + at / 4]))
    asked = {
        "experiment_ids": [wire_id(place)],
        "filter": "metrics.f1 > 0.6 AND params.model = 'vit'",
        "order_by": ["metrics.loss DESC"],
        "max_results": 1,
    }
    client.post("runs/search", experiment_ids=[wire_id(place)])  # which notes that the token is in use
    rare.forget()
    counts, found = [], []
    for _ in range(2):
        with CaptureQueriesContext(connection) as sent:
            found.append([run["info"]["run_id"] for run in client.post("runs/search", **asked)["runs"]])
        counts.append(len(sent))
    assert found == [[runs[2].uid.hex]] * 2
    # Whose token, which experiments, what holds for few (remembered for a while), and the page: on PostgreSQL with all
    # that its runs hold, on SQLite with a statement more for metrics, params and tags each.
    assert counts == ([4, 3] if connection.vendor == "postgresql" else [7, 6])

    log_batch(team.scientist, runs[0], batch=a_batch(params={}, f1=[0.9], loss=[2.0]))
    again = client.post("runs/search", **asked)["runs"]
    assert [run["info"]["run_id"] for run in again] == [runs[0].uid.hex]  # what is remembered hides no write
