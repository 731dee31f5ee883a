"""Log a figure, a table, a dict, text, images, a file, a folder and a model, and read every one of them back.

Knows only MLflow's client. Where to log comes from MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN.
"""

import json
import sys
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import mlflow
import numpy as np
from matplotlib import pyplot
from PIL import Image
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

EXPERIMENT = "examples/artifacts of every kind"
NOTE = "Ärger, Ωmega, 日本語, 🚀\nsecond line\n"
SUMMARY = {"rows": 442, "columns": ["age", "bmi"], "nested": {"ratio": 0.25, "none": None}}
TABLE = {"label": ["a", "b", "c"], "score": [0.125, 0.25, 0.5]}
BLOB = bytes(range(256)) * 4096
FOLDER = {
    "readme.txt": b"top\n",
    "a folder/with (brackets) & more.csv": b"x,y\n1,2\n",
    "deep/er/\u00fcber.bin": bytes(1000),
    "deep/empty.txt": b"",
}


def write_folder(root: Path) -> Path:
    for name, content in FOLDER.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def picture() -> np.ndarray:
    """A colour gradient, 64 rows by 96 columns of RGB bytes."""
    rows, columns = np.mgrid[0:64, 0:96]
    return np.stack([rows * 4, columns * 2, (rows + columns) % 256], axis=-1).astype(np.uint8)


def log_everything(scratch: Path) -> tuple[str, str, Ridge]:
    """Log one artifact of each kind. Returns the run's id, the model's URI and the fitted model."""
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    model = Ridge(alpha=0.5).fit(features, target)
    figure, axes = pyplot.subplots(figsize=(4, 3))
    axes.scatter(target, model.predict(features), s=4)
    blob = scratch / "weights.bin"
    blob.write_bytes(BLOB)
    with mlflow.start_run(run_name="artifacts of every kind") as run:
        mlflow.log_figure(figure, "figures/fit.png")
        mlflow.log_table(TABLE, "tables/scores.json")
        mlflow.log_dict(SUMMARY, "summary.json")
        mlflow.log_dict(SUMMARY, "summary.yaml")
        mlflow.log_text(NOTE, "notes/note.txt")
        mlflow.log_image(Image.fromarray(picture()), "images/gradient.png")
        mlflow.log_image(picture(), key="gradient", step=3)
        mlflow.log_artifact(str(blob), "weights")
        mlflow.log_artifacts(str(write_folder(scratch / "folder")), "folder")
        logged = mlflow.sklearn.log_model(
            model, name="ridge", input_example=features.head(3), serialization_format="cloudpickle"
        )
    return run.info.run_id, logged.model_uri, model


def tree(client: mlflow.MlflowClient, run_id: str, path: str = "") -> dict[str, int]:
    """Every file below a path of the run's artifacts with its size in bytes."""
    files: dict[str, int] = {}
    for entry in client.list_artifacts(run_id, path):
        files.update(tree(client, run_id, entry.path) if entry.is_dir else {entry.path: entry.file_size or 0})
    return files


def differences(run_id: str, scratch: Path) -> list[str]:
    """Download everything and compare with what was logged."""
    found = []
    home = Path(mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(scratch / "back")))
    sizes = tree(mlflow.MlflowClient(), run_id)
    expected = {"weights/weights.bin": BLOB, "notes/note.txt": NOTE.encode()}
    expected |= {f"folder/{name}": content for name, content in FOLDER.items()}
    for name, content in expected.items():
        if not (home / name).is_file() or (home / name).read_bytes() != content:
            found.append(f"{name} came back changed or not at all")
        if sizes.get(name) != len(content):
            found.append(f"{name} is listed with {sizes.get(name)} bytes, it has {len(content)}")
    if json.loads((home / "summary.json").read_text()) != SUMMARY:
        found.append("summary.json came back changed")
    if mlflow.artifacts.load_dict(f"runs:/{run_id}/summary.json") != SUMMARY:
        found.append("load_dict gives something else than log_dict took")
    if mlflow.artifacts.load_text(f"runs:/{run_id}/notes/note.txt") != NOTE:
        found.append("load_text gives something else than log_text took")
    if not np.array_equal(np.asarray(Image.open(home / "images/gradient.png")), picture()):
        found.append("the image came back with other pixels")
    if not (home / "figures/fit.png").read_bytes().startswith(b"\x89PNG"):
        found.append("the figure is not a PNG")
    if not [name for name in sizes if name.startswith("images/gradient") and "step" in name]:
        found.append("the image with a step is not listed")
    return found


def table_differences(run_id: str) -> list[str]:
    """Read the table through the client, which also writes and reads the tag that remembers it."""
    run = mlflow.get_run(run_id)
    table = mlflow.load_table("tables/scores.json", run_ids=[run_id])
    found = []
    if "mlflow.loggedArtifacts" not in run.data.tags:
        found.append("the run does not remember its table")
    if table[list(TABLE)].to_dict("list") != TABLE:
        found.append("the table came back changed")
    return found


def model_differences(run_id: str, model_uri: str, model: Ridge) -> list[str]:
    """Load the model by its own URI and through the run, in both forms, and compare the predictions."""
    features = load_diabetes(as_frame=True).data
    expected = model.predict(features)
    found = []
    for uri in (model_uri, f"runs:/{run_id}/ridge"):
        if not np.array_equal(mlflow.sklearn.load_model(uri).predict(features), expected):
            found.append(f"{uri} predicts otherwise than the model in memory")
        # The generic form lays the columns out anew in memory, which moves the last bits of the sums.
        if not np.allclose(mlflow.pyfunc.load_model(uri).predict(features), expected, rtol=1e-12):
            found.append(f"{uri} as pyfunc predicts otherwise than the model in memory")
    return found


def main() -> int:
    mlflow.set_experiment(EXPERIMENT)
    with tempfile.TemporaryDirectory() as scratch:
        run_id, model_uri, model = log_everything(Path(scratch))
        files = tree(mlflow.MlflowClient(), run_id)
        print(f"run {run_id}: {len(files)} files, {sum(files.values()):,} bytes, model {model_uri}")
        found = differences(run_id, Path(scratch))
    found += table_differences(run_id) + model_differences(run_id, model_uri, model)
    for line in found:
        print(f"MISMATCH: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
