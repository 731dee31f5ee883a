"""Boosted trees with LightGBM's own autologging; two versions of a registered model, and the better one by alias.

Knows only MLflow's client. Where to log comes from MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN.
"""

import sys

import lightgbm
import mlflow
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

EXPERIMENT = "examples/diabetes"
MODEL = "diabetes-progression"
ALIAS = "better"
ROUNDS = 60
TRIED = {"shallow": 4, "deep": 31}


def boosted(name: str, leaves: int) -> tuple[str, lightgbm.Booster, float]:
    """Train in a run of its own and register the model. Returns the run's id, the booster and its error."""
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    train_x, test_x, train_y, test_y = train_test_split(features, target, test_size=0.3, random_state=3)
    with mlflow.start_run(run_name=f"{name} trees") as run:
        booster = lightgbm.train(
            {"objective": "regression", "num_leaves": leaves, "learning_rate": 0.08, "verbose": -1, "seed": 3,
             "num_threads": 1},
            lightgbm.Dataset(train_x, train_y),
            num_boost_round=ROUNDS,
            valid_sets=[lightgbm.Dataset(test_x, test_y)],
            valid_names=["test"],
        )  # fmt: skip
        error = float(np.sqrt(np.mean((booster.predict(test_x) - test_y.to_numpy()) ** 2)))
        mlflow.log_metric("rmse", error)
        mlflow.lightgbm.log_model(booster, name="booster", registered_model_name=MODEL)
    return run.info.run_id, booster, error


def differences(client: mlflow.MlflowClient, runs: dict[str, tuple[str, lightgbm.Booster, float]]) -> list[str]:
    """Compare what the server gives back with what was trained."""
    found = []
    for name, (run_id, _, error) in runs.items():
        data = client.get_run(run_id).data
        if data.metrics.get("rmse") != error:
            found.append(f"rmse of {name} came back as {data.metrics.get('rmse')}, not {error}")
        if data.params.get("num_leaves") != str(TRIED[name]):
            found.append(f"num_leaves of {name} came back as {data.params.get('num_leaves')}, not {TRIED[name]}")
        curve = client.get_metric_history(run_id, "test-l2")
        if [point.step for point in curve] != list(range(ROUNDS)):
            found.append(f"the curve of {name} has {len(curve)} points, not {ROUNDS}")
    registered = {version.run_id for version in client.search_model_versions(f"name = '{MODEL}'")}
    if not {run_id for run_id, _, _ in runs.values()} <= registered:
        found.append("a registered version does not name its run")
    return found


def main() -> int:
    mlflow.set_experiment(EXPERIMENT)
    mlflow.lightgbm.autolog(log_models=False, log_datasets=False, silent=True)
    runs = {name: boosted(name, leaves) for name, leaves in TRIED.items()}
    best = min(runs, key=lambda name: runs[name][2])
    run_id, booster, error = runs[best]
    client = mlflow.MlflowClient()
    [version] = client.search_model_versions(f"name = '{MODEL}' AND run_id = '{run_id}'")
    client.set_registered_model_alias(MODEL, ALIAS, version.version)
    print(f"run {run_id}: {best} trees are better, error {error:.1f}, version {version.version}")

    found = differences(client, runs)
    features = load_diabetes(as_frame=True).data
    loaded = mlflow.lightgbm.load_model(f"models:/{MODEL}@{ALIAS}")
    if not np.array_equal(loaded.predict(features), booster.predict(features)):
        found.append("the model behind the alias predicts otherwise than the one in memory")
    for line in found:
        print(f"MISMATCH: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
