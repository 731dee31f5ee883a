from django.apps import AppConfig


class TransferConfig(AppConfig):
    name = "transfer"
    verbose_name = "Import and export"

    def ready(self) -> None:
        from accounts import hooks as of_people
        from experiments.hooks import run_emptied
        from experiments.pages.slots import head_origins, home_panels
        from transfer import evidence
        from transfer.actions.ending import end_where_erased, end_where_forgotten, end_where_purged
        from transfer.bringing.work import import_from_mlflow
        from transfer.export_work import export
        from transfer.hooks import waking
        from transfer.import_work import bring_in
        from transfer.models import Transfer
        from transfer.pages.exports import ARCHIVE
        from transfer.pages.mlflow import MLFLOW
        from transfer.pages.origins import head_line
        from transfer.pages.sheets import SHEETS
        from transfer.pages.slots import import_forms
        from transfer.pages.transfers import home_panel
        from transfer.tasks import wake_carrying
        from transfer.work import register_work

        evidence.register()
        run_emptied.append(end_where_purged)
        of_people.payloads_erased.append(end_where_erased)
        of_people.person_forgotten.append(end_where_forgotten)
        waking.append(wake_carrying)
        import_forms.extend([MLFLOW, ARCHIVE, SHEETS])
        home_panels.append(home_panel)
        head_origins.append(head_line)
        register_work(Transfer.Kind.EXPORT, export)
        register_work(Transfer.Kind.ARCHIVE, bring_in)
        register_work(Transfer.Kind.MLFLOW, import_from_mlflow)
