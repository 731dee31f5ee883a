from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "audit.ledger"
    label = "ledger"
    verbose_name = "Ledger"

    def ready(self) -> None:
        from simple_history.signals import pre_create_historical_record

        from audit.ledger.tracking import stamp_history

        pre_create_historical_record.connect(stamp_history, dispatch_uid="ledger.stamp_history")
