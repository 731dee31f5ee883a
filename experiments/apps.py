from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "experiments"
    verbose_name = "Experiments"

    def ready(self) -> None:
        from accounts import hooks
        from accounts.access import register_experiment_grants, register_state_check
        from experiments.actions.experiments import make_default_experiment
        from experiments.models import Run
        from experiments.state import granted_experiments, refuse_writes_to_locked

        hooks.project_created.append(make_default_experiment)
        register_state_check(Run, refuse_writes_to_locked)
        register_experiment_grants(granted_experiments)
