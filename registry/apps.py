from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "registry"
    verbose_name = "Registry"

    def ready(self) -> None:
        from accounts.access import register_state_check
        from accounts.one_run import register_rows_of_runs
        from artifacts.hooks import (
            file_changes,
            nothing_against,
            owners,
            version_recalled,
            version_use_counts,
            version_uses,
        )
        from artifacts.pages.slots import version_panels
        from experiments.hooks import model_metrics, run_deletion, run_moves
        from experiments.pages.slots import data_panels, finders, home_panels, model_files, project_panels, run_panels
        from registry import evidence
        from registry.actions.model_metrics import keep_model_metrics
        from registry.actions.moves import move_models_along
        from registry.actions.recalls import tell_makers
        from registry.models import LoggedModel, ModelVersion, RegisteredModel
        from registry.pages.cards import found_models, pending_panel, waiting_panel
        from registry.pages.lineage import panel_of_dataset_version, panel_of_run
        from registry.pages.run_panel import models_panel
        from registry.promoting import joining
        from registry.queries import built_on
        from registry.queries.files import files_of_models_of, owner_of_root
        from registry.search import run_columns
        from registry.standing import NO_VERSION_IN, refuse_changed_files, refuse_deleted_runs
        from registry.state import belongs_to_run, refuse_models_of_locked_runs, refuse_moves_by_others

        register_rows_of_runs(LoggedModel, belongs_to_run)
        register_state_check(LoggedModel, refuse_models_of_locked_runs)
        register_state_check(RegisteredModel, refuse_moves_by_others)
        register_state_check(ModelVersion, refuse_moves_by_others)
        run_deletion.append(refuse_deleted_runs)
        run_moves.append(move_models_along)
        file_changes.append(refuse_changed_files)
        nothing_against[refuse_changed_files] = NO_VERSION_IN
        model_metrics.append(keep_model_metrics)
        owners["model"] = owner_of_root
        version_recalled.append(tell_makers)
        version_uses.append(built_on.model_uses)
        version_use_counts[built_on.KIND] = built_on.count_models
        run_panels.append(models_panel)
        model_files.append(files_of_models_of)
        data_panels.append(panel_of_run)
        home_panels.append(waiting_panel)
        project_panels.append(pending_panel)
        finders.append(found_models)
        version_panels.append(panel_of_dataset_version)
        joining.register()
        evidence.register()
        run_columns.register()
