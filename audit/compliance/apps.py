from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "audit.compliance"
    label = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        from audit.compliance import evidence, signed
        from audit.compliance.pages.rules import unmet_count, url_of
        from experiments.pages.slots import RunTab, run_tabs

        signed.register()
        evidence.register()
        run_tabs.append(RunTab("rules", "Rules", url_of, unmet_count))
