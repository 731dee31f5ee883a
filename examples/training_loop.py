"""Train a small network with numpy alone and log four curves of 2,500 points each, with system metrics on.

Knows only MLflow's client. Where to log comes from MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN.
"""

import math
import sys
from dataclasses import dataclass

import mlflow
import numpy as np

EXPERIMENT = "examples/two spirals"
STEPS = 2_500
SETTINGS = {"hidden_units": 32, "learning_rate": 0.05, "momentum": 0.9, "batch_size": 64, "seed": 11}


def two_spirals(random: np.random.Generator, *, per_arm: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Points on two interleaved spirals with a little noise: inputs (n, 2) and labels (n,) of 0 and 1."""
    turn = np.sqrt(random.uniform(0.05, 1, per_arm)) * 2 * math.pi
    arm = np.column_stack([turn * np.cos(turn), turn * np.sin(turn)]) / (2 * math.pi)
    noise = random.normal(0, 0.02, (2 * per_arm, 2))
    return np.vstack([arm, -arm]) + noise, np.repeat([0.0, 1.0], per_arm)


@dataclass
class Network:
    """Two hidden layers of tanh units and one logistic output, trained by momentum."""

    weights: list[np.ndarray]
    speeds: list[np.ndarray]

    @classmethod
    def of_width(cls, hidden: int, random: np.random.Generator) -> "Network":
        shapes = [(2, hidden), (hidden,), (hidden, hidden), (hidden,), (hidden, 1), (1,)]
        weights = [
            random.normal(0, 1 / math.sqrt(shape[0]), shape) if len(shape) == 2 else np.zeros(shape) for shape in shapes
        ]
        return cls(weights, [np.zeros(shape) for shape in shapes])

    def forward(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        w1, b1, w2, b2, w3, b3 = self.weights
        first = np.tanh(inputs @ w1 + b1)
        second = np.tanh(first @ w2 + b2)
        return first, second, (1 / (1 + np.exp(-(second @ w3 + b3))))[:, 0]

    def learn(self, inputs: np.ndarray, labels: np.ndarray, *, rate: float, momentum: float) -> dict[str, float]:
        """One step of gradient descent. Returns what it saw: loss, accuracy and the gradient's length."""
        first, second, chance = self.forward(inputs)
        output_error = ((chance - labels) / len(labels))[:, None]
        second_error = (output_error @ self.weights[4].T) * (1 - second**2)
        first_error = (second_error @ self.weights[2].T) * (1 - first**2)
        gradients = [
            inputs.T @ first_error,
            first_error.sum(0),
            first.T @ second_error,
            second_error.sum(0),
            second.T @ output_error,
            output_error.sum(0),
        ]
        for weight, speed, gradient in zip(self.weights, self.speeds, gradients, strict=True):
            speed *= momentum
            speed -= rate * gradient
            weight += speed
        sure = np.where(labels == 1, chance, 1 - chance)
        return {
            "loss": float(-np.log(np.clip(sure, 1e-12, 1)).mean()),
            "accuracy": float((sure > 0.5).mean()),
            "gradient_norm": math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients)),
        }


def train() -> tuple[str, dict[str, list[float]]]:
    """Train inside one run. Returns the run's id and every value it logged, by key in step order."""
    random = np.random.default_rng(int(SETTINGS["seed"]))
    inputs, labels = two_spirals(random)
    network = Network.of_width(int(SETTINGS["hidden_units"]), random)
    logged: dict[str, list[float]] = {"loss": [], "accuracy": [], "gradient_norm": [], "learning_rate": []}
    with mlflow.start_run(run_name="numpy network", log_system_metrics=True) as run:
        mlflow.log_params({**SETTINGS, "steps": STEPS})
        mlflow.log_input(mlflow.data.from_numpy(inputs, targets=labels, name="two-spirals"), context="training")
        for step in range(STEPS):
            rate = SETTINGS["learning_rate"] * 0.5 * (1 + math.cos(math.pi * step / STEPS)) + 1e-4
            rows = random.integers(0, len(labels), int(SETTINGS["batch_size"]))
            values = network.learn(inputs[rows], labels[rows], rate=rate, momentum=SETTINGS["momentum"])
            values["learning_rate"] = rate
            mlflow.log_metrics(values, step=step, synchronous=False)
            for key, value in values.items():
                logged[key].append(value)
        mlflow.flush_async_logging()
        final_accuracy = float(((network.forward(inputs)[2] > 0.5) == labels).mean())
        mlflow.log_metric("final_accuracy", final_accuracy)
    return run.info.run_id, logged


def differences(run_id: str, logged: dict[str, list[float]]) -> list[str]:
    """Compare every point that the server gives back with the one that was logged."""
    found = []
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    for key, values in logged.items():
        history = sorted(client.get_metric_history(run_id, key), key=lambda point: point.step)
        if [point.step for point in history] != list(range(STEPS)):
            found.append(f"{key}: {len(history)} points came back for {STEPS} steps")
        elif [point.value for point in history] != values:
            found.append(f"{key}: some values came back changed")
        if run.data.metrics.get(key) != values[-1]:
            found.append(f"{key}: the latest value is {run.data.metrics.get(key)}, not {values[-1]}")
    if not [key for key in run.data.metrics if key.startswith("system/")]:
        found.append("no system metrics were recorded")
    if run.data.params != {key: str(value) for key, value in {**SETTINGS, "steps": STEPS}.items()}:
        found.append(f"the parameters came back as {run.data.params}")
    if [used.dataset.name for used in run.inputs.dataset_inputs] != ["two-spirals"]:
        found.append("the dataset is not among the run's inputs")
    return found


def main() -> int:
    mlflow.set_experiment(EXPERIMENT)
    mlflow.set_system_metrics_sampling_interval(0.2)
    mlflow.set_system_metrics_samples_before_logging(1)
    run_id, logged = train()
    points = sum(len(values) for values in logged.values())
    print(f"run {run_id}: {points:,} points, loss {logged['loss'][0]:.3f} -> {logged['loss'][-1]:.3f}")
    system = [key for key in mlflow.get_run(run_id).data.metrics if key.startswith("system/")]
    print(f"system metrics: {', '.join(sorted(system))}")
    found = differences(run_id, logged)
    for line in found:
        print(f"MISMATCH: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
