from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "audit.compliance"
    label = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        from accounts import hooks
        from accounts.access import register_state_check
        from audit.compliance import boards_outside, evidence, gate, holds, signed
        from audit.compliance.hands import refuse_deletion, refuse_hands, refuse_unlocking
        from audit.compliance.models import Finding, Review, Tombstone
        from audit.compliance.pages import assurance, report_links, run_review
        from audit.compliance.pages.keeping import hold_badge, tombstone
        from audit.compliance.pages.my_auditing import auditing_panel, reports_panel
        from audit.compliance.pages.my_work import keeping_panel, review_panel
        from audit.compliance.pages.rules import unmet_count, url_of
        from audit.compliance.queries.purges import reports_kept
        from audit.compliance.queries.told import told_with_run as told
        from audit.compliance.reports.hooks import waking
        from audit.compliance.tasks import wake_building, wake_verdicts
        from audit.compliance.tolerances import tolerances_in
        from audit.ledger.hooks import checkpoint_signed
        from experiments.gone import register_mark
        from experiments.hooks import run_deletion, told_with_run, tolerances
        from experiments.models import Run
        from experiments.pages.slots import (
            RunTab,
            bulk_acts,
            gone_pages,
            head_badges,
            head_buttons,
            home_panels,
            project_panels,
            run_tabs,
            runs_pages,
        )
        from registry.pages.slots import version_links

        for model in (Review, Finding, Run):
            register_state_check(model, refuse_hands)
        register_state_check(Run, refuse_unlocking)
        run_deletion.append(refuse_deletion)
        told_with_run.append(told)
        tolerances.append(tolerances_in)
        checkpoint_signed.append(wake_verdicts)
        waking.append(wake_building)
        signed.register()
        evidence.register()
        gate.register()
        holds.register()
        boards_outside.register()
        hooks.reports_kept.append(reports_kept)
        run_tabs.append(RunTab("rules", "Rules", url_of, unmet_count))
        run_tabs.append(RunTab("review", "Review", run_review.url_of, run_review.unanswered_count))
        bulk_acts["request-review"] = run_review.BULK_OFFER
        head_badges.append(hold_badge)
        gone_pages.append(tombstone)
        register_mark(Tombstone)
        home_panels.extend((auditing_panel, review_panel, reports_panel))
        home_panels.append(keeping_panel)
        runs_pages["report"] = report_links.RUNS_PAGE
        head_buttons.append(report_links.run_button)
        version_links.append(report_links.version_link)
        project_panels.extend((assurance.project_panel, report_links.project_panel))
