"""What of a run is here when it moves to another experiment."""

from experiments.models import Experiment, Run
from registry.models import LoggedModel


def move_models_along(run: Run, experiment: Experiment) -> None:
    """Part of moving a run: the models that it made in its experiment go with it.

    They are held before their run, as acts on models do; the run's place is read once they are.
    """
    made = LoggedModel.objects.select_for_update(no_key=True).filter(source_run=run)
    models = list(made.order_by("pk"))
    left = Run.objects.values_list("experiment_id", flat=True).get(pk=run.pk)
    for model in models:
        if model.experiment_id == left:
            model.experiment = experiment
            model.save()
