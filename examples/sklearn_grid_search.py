"""Search a grid of random forests on the iris data and let autologging record every candidate.

Knows only MLflow's client. Where to log comes from MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN.
"""

import math
import sys

import mlflow
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, train_test_split

EXPERIMENT = "examples/iris forests"
GRID = {"max_depth": [2, 4], "n_estimators": [5, 20, 40]}


def search_the_grid() -> tuple[str, GridSearchCV, float]:
    """Fit the grid inside one parent run. Returns the run's id, the fitted search and its accuracy on unseen rows."""
    features, species = load_iris(return_X_y=True, as_frame=True)
    train_x, test_x, train_y, test_y = train_test_split(features, species, test_size=0.3, random_state=7)
    with mlflow.start_run(run_name="grid search") as run:
        search = GridSearchCV(RandomForestClassifier(random_state=7), GRID, cv=3)
        search.fit(train_x, train_y)
        accuracy = float(search.score(test_x, test_y))
        mlflow.log_metric("holdout_accuracy", accuracy)
    return run.info.run_id, search, accuracy


def differences(run_id: str, search: GridSearchCV, accuracy: float) -> list[str]:
    """Compare what the server gives back with what the search found."""
    found = []
    client = mlflow.MlflowClient()
    parent = client.get_run(run_id)
    children = client.search_runs([parent.info.experiment_id], f"tags.mlflow.parentRunId = '{run_id}'")
    candidates = len(search.cv_results_["params"])
    if parent.info.status != "FINISHED":
        found.append(f"the parent run is {parent.info.status}, not FINISHED")
    if parent.data.metrics.get("holdout_accuracy") != accuracy:
        found.append(f"holdout_accuracy came back as {parent.data.metrics.get('holdout_accuracy')}, not {accuracy}")
    for name, value in search.best_params_.items():
        if parent.data.params.get(f"best_{name}") != str(value):
            found.append(f"best_{name} came back as {parent.data.params.get(f'best_{name}')}, not {value}")
    if len(children) != candidates:
        found.append(f"{len(children)} nested runs came back for {candidates} candidates")
    best_child = max((child.data.metrics.get("mean_test_score", -math.inf) for child in children), default=-math.inf)
    if best_child != search.best_score_:
        found.append(f"the best nested score is {best_child}, the search says {search.best_score_}")
    if not parent.inputs.dataset_inputs:
        found.append("the training data was not recorded as an input of the run")
    return found


def main() -> int:
    mlflow.set_experiment(EXPERIMENT)
    mlflow.sklearn.autolog(max_tuning_runs=None, log_models=True, log_input_examples=False, silent=True)
    run_id, search, accuracy = search_the_grid()
    print(f"run {run_id}: {len(search.cv_results_['params'])} candidates, best {search.best_params_}")
    print(f"accuracy on unseen rows: {accuracy:.3f}")

    model = mlflow.sklearn.load_model(f"runs:/{run_id}/best_estimator")
    features = load_iris(as_frame=True).data
    found = differences(run_id, search, accuracy)
    if list(model.predict(features)) != list(search.best_estimator_.predict(features)):
        found.append("the saved model predicts otherwise than the one in memory")
    for line in found:
        print(f"MISMATCH: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
