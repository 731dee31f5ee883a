from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and rights"

    def ready(self) -> None:
        from accounts import evidence, signals
        from accounts.alarms import tell_administrators
        from accounts.facts import renew_stamp
        from accounts.personal_data import refuse_signed
        from audit.ledger import hooks as ledger_hooks
        from audit.ledger.acting import before_event

        signals.connect()
        evidence.register()
        before_event.append(renew_stamp)
        ledger_hooks.alarm_raised.append(tell_administrators)
        ledger_hooks.erasing.append(refuse_signed)
        ledger_hooks.personal_kinds.add("accounts.user")
        ledger_hooks.kept_kinds |= {
            "accounts.membership",
            "accounts.groupmember",
            "accounts.projectuserobjectpermission",
        }
