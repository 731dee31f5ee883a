"""A small PyTorch network on 8 × 8 digits: checkpoints as logged models, each measured, and the best one registered.

Knows only MLflow's client. Where to log comes from MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN.
"""

import sys

import mlflow
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

EXPERIMENT = "examples/digits"
MODEL = "digit-reader"
EPOCHS = 6


def tensors() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pictures and labels to train on, pictures and labels to test on."""
    pictures, labels = load_digits(return_X_y=True)
    parts = train_test_split(pictures / 16, labels, test_size=0.25, random_state=5)
    train_x, test_x = (torch.tensor(part, dtype=torch.float32) for part in parts[:2])
    train_y, test_y = (torch.tensor(part) for part in parts[2:])
    return train_x, train_y, test_x, test_y


def accuracy(network: nn.Module, pictures: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of pictures that are read rightly."""
    with torch.no_grad():
        return float((network(pictures).argmax(dim=1) == labels).float().mean())


def train(network: nn.Module) -> tuple[str, dict[str, float]]:
    """Train, saving a model after every second epoch. Returns the run's id and each model's accuracy."""
    train_x, train_y, test_x, test_y = tensors()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    measured = {}
    with mlflow.start_run(run_name="two layers") as run:
        mlflow.log_params({"hidden": 32, "lr": 0.01, "epochs": EPOCHS})
        for epoch in range(EPOCHS):
            for rows in torch.randperm(len(train_x)).split(64):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(network(train_x[rows]), train_y[rows])
                loss.backward()
                optimizer.step()
            right = accuracy(network, test_x, test_y)
            mlflow.log_metrics({"loss": float(loss), "accuracy": right}, step=epoch)
            if epoch % 2:
                logged = mlflow.pytorch.log_model(
                    network, name=f"epoch-{epoch}", step=epoch, serialization_format="pickle"
                )
                mlflow.log_metric("accuracy", right, step=epoch, model_id=logged.model_id)
                measured[logged.model_id] = right
    return run.info.run_id, measured


def main() -> int:
    torch.manual_seed(5)
    mlflow.set_experiment(EXPERIMENT)
    network = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    run_id, measured = train(network)
    best = max(measured, key=lambda model_id: measured[model_id])
    version = mlflow.register_model(f"models:/{best}", MODEL)
    print(f"run {run_id}: accuracy {measured[best]:.3f}, registered as {MODEL} version {version.version}")

    found = []
    client = mlflow.MlflowClient()
    outputs = {output.model_id for output in client.get_run(run_id).outputs.model_outputs}
    if outputs != set(measured):
        found.append(f"{len(outputs)} models came back for {len(measured)} that were saved")
    if client.get_model_version(MODEL, version.version).model_id != best:
        found.append("the registered version does not name the model that it was made of")
    loaded = mlflow.pytorch.load_model(f"models:/{MODEL}/{version.version}")
    _, _, test_x, test_y = tensors()
    if accuracy(loaded, test_x, test_y) != measured[best]:
        found.append("the registered model reads otherwise than the one that was measured")
    for line in found:
        print(f"MISMATCH: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
