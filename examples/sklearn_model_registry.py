"""From data to a registered model and back: data named with its digest, a model registered by logging it, an alias.

Knows only MLflow's client. Where to log comes from MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN.
"""

import sys

import mlflow
from mlflow.data.pandas_dataset import PandasDataset
from mlflow.entities.model_registry import ModelVersion
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

EXPERIMENT = "examples/wine"
MODEL = "wine-cultivar"
ALIAS = "candidate"


def described_data() -> tuple[PandasDataset, PandasDataset]:
    """Rows to train on and rows to test on, each with a digest of its content by which it is recognised."""
    table = load_wine(as_frame=True).frame
    train, test = train_test_split(table, test_size=0.3, random_state=11, stratify=table["target"])
    source = "https://archive.ics.uci.edu/dataset/109/wine"
    return (
        mlflow.data.from_pandas(train, source=source, targets="target", name="wine-train"),
        mlflow.data.from_pandas(test, source=source, targets="target", name="wine-test"),
    )


def train_and_register(train: PandasDataset, test: PandasDataset) -> tuple[str, Pipeline, float]:
    """Fit one model in one run and register it. Returns the run's id, the model and its accuracy on the test rows."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=500))
    with mlflow.start_run(run_name="logistic regression") as run:
        mlflow.log_input(train, context="training")
        mlflow.log_input(test, context="testing")
        mlflow.log_params({"C": 0.5, "scaled": True})
        model.fit(train.df.drop(columns="target"), train.df["target"])
        features = test.df.drop(columns="target")
        accuracy = float(model.score(features, test.df["target"]))
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name=MODEL,
            input_example=features.head(3),
            serialization_format="cloudpickle",
        )
        mlflow.log_metric("accuracy", accuracy, dataset=test, model_id=logged.model_id)
    return run.info.run_id, model, accuracy


def newest_version(client: mlflow.MlflowClient, run_id: str) -> ModelVersion:
    """The version that the run registered."""
    [version] = client.search_model_versions(f"name = '{MODEL}' AND run_id = '{run_id}'")
    return version


def differences(client: mlflow.MlflowClient, run_id: str, expected: dict[str, object]) -> list[str]:
    """Compare what the server gives back with what was logged and registered."""
    run = client.get_run(run_id)
    version = client.get_model_version_by_alias(MODEL, ALIAS)
    inputs = {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs}
    contexts = {tag.value for one in run.inputs.dataset_inputs for tag in one.tags}
    found = {
        "inputs": inputs,
        "contexts": contexts,
        "accuracy": run.data.metrics.get("accuracy"),
        "run of the version": version.run_id,
        "version": version.version,
        "description": version.description,
        "tag": version.tags.get("intended use"),
        "aliases": client.get_registered_model(MODEL).aliases.get(ALIAS),
    }
    return [
        f"{name} came back as {found[name]!r}, not {value!r}"
        for name, value in expected.items()
        if found[name] != value
    ]


def main() -> int:
    mlflow.set_experiment(EXPERIMENT)
    train, test = described_data()
    run_id, model, accuracy = train_and_register(train, test)
    client = mlflow.MlflowClient()
    version = newest_version(client, run_id)
    client.update_model_version(MODEL, version.version, description="Logistic regression on 13 measured features.")
    client.set_model_version_tag(MODEL, version.version, "intended use", "an example")
    client.set_registered_model_alias(MODEL, ALIAS, version.version)
    print(f"run {run_id}: accuracy {accuracy:.3f}, registered as {MODEL} version {version.version}")

    loaded = mlflow.sklearn.load_model(f"models:/{MODEL}@{ALIAS}")
    features = test.df.drop(columns="target")
    found = differences(
        client,
        run_id,
        {
            "inputs": {"wine-train": train.digest, "wine-test": test.digest},
            "contexts": {"training", "testing"},
            "accuracy": accuracy,
            "run of the version": run_id,
            "version": version.version,
            "description": "Logistic regression on 13 measured features.",
            "tag": "an example",
            "aliases": version.version,
        },
    )
    if list(loaded.predict(features)) != list(model.predict(features)):
        found.append("the model behind the alias predicts otherwise than the one in memory")
    for line in found:
        print(f"MISMATCH: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
