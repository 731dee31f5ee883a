from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "experiments"
    verbose_name = "Experiments"

    def ready(self) -> None:
        from accounts import hooks
        from accounts.access import register_experiment_grants, register_state_check
        from accounts.one_run import register_rows_of_runs
        from accounts.settings import register_setting
        from artifacts.hooks import content_places, owners, version_recalled, version_use_counts, version_uses
        from experiments import evidence
        from experiments.actions.experiments import make_default_experiment
        from experiments.actions.recalls import tell_authors
        from experiments.gone import refuse_gone
        from experiments.hooks import run_ended, sheet_waits
        from experiments.models import Run
        from experiments.pages import taste
        from experiments.pages.compare import folding
        from experiments.queries import recalls
        from experiments.queries.archives import places_of_archive
        from experiments.queries.files import owner_of_root
        from experiments.query_history import HISTORY
        from experiments.state import belongs_to_run, granted_experiments, refuse_writes_to_locked
        from experiments.tasks import queue_seal, wake_sheets

        register_setting(HISTORY)
        hooks.project_created.append(make_default_experiment)
        register_state_check(Run, refuse_writes_to_locked)
        register_state_check(Run, refuse_gone)
        register_experiment_grants(granted_experiments)
        register_rows_of_runs(Run, belongs_to_run)
        run_ended.append(queue_seal)
        sheet_waits.append(wake_sheets)
        owners["run"] = owner_of_root
        content_places.append(places_of_archive)
        version_recalled.append(tell_authors)
        version_uses.append(recalls.run_uses)
        version_use_counts[recalls.KIND] = recalls.count_runs
        evidence.register()
        taste.register()
        folding.register()
