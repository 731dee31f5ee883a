from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and rights"

    def ready(self) -> None:
        from accounts import evidence, signals
        from accounts.facts import renew_stamp
        from audit.ledger.acting import before_event

        signals.connect()
        evidence.register()
        before_event.append(renew_stamp)
