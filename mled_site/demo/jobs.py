"""What the demonstration leaves to be executed: a template, and runs that its workers do once they are there."""

from accounts.models import Project
from experiments.actions.experiments import create_experiment
from kernel.actor import Actor
from runner.actions.jobs import launch
from runner.actions.templates import keep_template
from runner.checking import checked
from runner.models import Job

TRIED = {
    "boosting-40": {"model": "boosting"},
    "forest-60": {"model": "random_forest", "epochs": 60, "depth": 12},
    "network-64x32": {"model": "mlp", "epochs": 30, "lr": 0.003},
}


def pump_jobs(ada: Actor, project: Project) -> list[Job]:
    """Queue three runs of the built-in trainer on the current data, from a template."""
    template = keep_template(
        ada,
        project,
        name="Alarm from vibration bands",
        description="Learns from train.csv of the current data whether a bearing is worn, judged by test.csv.",
        draft={
            "trainer": "tabular",
            "params": {"target": "y", "train_files": "train.csv", "eval_files": "test.csv"},
            "inputs": {"train": "pump-vibration@current"},
            "resources": {"memory_mb": 2048, "seconds": 900},
        },
    )
    place = create_experiment(ada, project, name="alarms/launched-here", tags={"question": "Do trees do as well?"})
    wanted = {"template": str(template.pk), "seed": 17}
    return [
        launch(ada, place, draft=checked(ada, project, {**wanted, "params": params}), name=name, retries=1)
        for name, params in TRIED.items()
    ]
