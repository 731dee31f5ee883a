"""Sweep ridge regression over degrees and penalties: one parent, a child per degree, a grandchild per penalty.

Ends by asking the server for the best runs. Knows only MLflow's client. Where to log comes from
MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN.
"""

import sys
from dataclasses import dataclass

import mlflow
import numpy as np

EXPERIMENT = "examples/ridge sweep"
DEGREES = [1, 3, 9]
PENALTIES = [1e-6, 1e-3, 1.0]


@dataclass(frozen=True)
class Trial:
    run_id: str
    degree: int
    penalty: float
    error: float


def noisy_sine(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, 60)
    return x, np.sin(3 * x) + random.normal(0, 0.1, len(x))


def ridge_error(degree: int, penalty: float) -> float:
    """Root mean squared error on fresh points of a polynomial fitted with an L2 penalty."""
    train_x, train_y = noisy_sine(seed=1)
    test_x, test_y = noisy_sine(seed=2)
    design = np.vander(train_x, degree + 1)
    coefficients = np.linalg.solve(design.T @ design + penalty * np.eye(degree + 1), design.T @ train_y)
    return float(np.sqrt(np.mean((np.vander(test_x, degree + 1) @ coefficients - test_y) ** 2)))


def sweep() -> tuple[str, list[Trial]]:
    """Run the whole grid. Returns the parent's id and the trials."""
    trials = []
    with mlflow.start_run(run_name="ridge sweep", tags={"stage": "sweep"}) as parent:
        for degree in DEGREES:
            with mlflow.start_run(run_name=f"degree {degree}", nested=True, tags={"stage": "degree"}):
                mlflow.log_param("degree", degree)
                for penalty in PENALTIES:
                    with mlflow.start_run(run_name=f"penalty {penalty:g}", nested=True) as child:
                        error = ridge_error(degree, penalty)
                        mlflow.set_tags({"stage": "trial", "sweep": parent.info.run_id})
                        mlflow.log_params({"degree": degree, "penalty": penalty})
                        mlflow.log_metric("test error", error)
                        trials.append(Trial(child.info.run_id, degree, penalty, error))
        mlflow.log_metric("best error", min(trial.error for trial in trials))
    return parent.info.run_id, trials


def differences(experiment_id: str, parent_id: str, trials: list[Trial]) -> list[str]:
    """Ask the server the questions a scientist asks after a sweep and compare with what was run."""
    found = []
    by_error = [trial.run_id for trial in sorted(trials, key=lambda trial: trial.error)]
    mine = f"tags.sweep = '{parent_id}'"
    client = mlflow.MlflowClient()

    ranked = client.search_runs([experiment_id], mine, order_by=["metrics.`test error` ASC"])
    if [run.info.run_id for run in ranked] != by_error:
        found.append("ordering by test error gives another order than the values have")

    limit = sorted(trial.error for trial in trials)[3]
    good = mlflow.search_runs([experiment_id], f"{mine} AND metrics.`test error` < {limit!r} AND tags.stage = 'trial'")
    if set(good["run_id"]) != set(by_error[:3]):
        found.append(f"a bound on test error should leave 3 runs, it leaves {len(good)}")

    cubic = client.search_runs([experiment_id], f"{mine} AND params.degree = '3'")
    if {run.info.run_id for run in cubic} != {trial.run_id for trial in trials if trial.degree == 3}:
        found.append("a filter on the parameter degree finds other runs than were logged")

    children = client.search_runs([experiment_id], f"tags.`mlflow.parentRunId` = '{parent_id}'")
    if sorted(run.info.run_name for run in children) != sorted(f"degree {degree}" for degree in DEGREES):
        found.append("the parent's children are not the three degrees")
    grandparent = mlflow.get_parent_run(mlflow.get_parent_run(by_error[0]).info.run_id)
    if grandparent.info.run_id != parent_id:
        found.append("walking up from the best trial does not end at the sweep")
    return found


def main() -> int:
    experiment = mlflow.set_experiment(EXPERIMENT)
    parent_id, trials = sweep()
    best = min(trials, key=lambda trial: trial.error)
    print(f"run {parent_id}: {len(trials)} trials under {len(DEGREES)} degrees")
    print(f"best: degree {best.degree}, penalty {best.penalty:g}, test error {best.error:.4f}")
    table = mlflow.search_runs(
        [experiment.experiment_id], f"tags.sweep = '{parent_id}'", order_by=["metrics.`test error`"], max_results=3
    )
    print(table[["tags.mlflow.runName", "params.degree", "metrics.test error"]].to_string(index=False))
    found = differences(experiment.experiment_id, parent_id, trials)
    for line in found:
        print(f"MISMATCH: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
