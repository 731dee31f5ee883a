from django.apps import AppConfig


class RunnerConfig(AppConfig):
    name = "runner"
    verbose_name = "Execution"

    def ready(self) -> None:
        """Each part of the room tells the rooms below of itself here, with a line of its own."""
        from accounts.pages import tabs
        from experiments import hooks as run_hooks
        from experiments.console.sources import live_sources
        from experiments.pages import slots as run_slots
        from runner import hooks, silence
        from runner.pages import recreating, slots
        from runner.pages.rules import settings_tab
        from runner.pages.sweeps import conditions_elsewhere, sweep_strip
        from runner.queries.recreating import checks_of
        from runner.recreating.purging import forget_run
        from runner.recreating.seeds import siblings_by_seed
        from runner.recreating.tasks import queue_check, queue_check_of_job
        from runner.tasks import wake_queue
        from runner.working.output import printed_now
        from runner.working.sweeps import after_job

        run_slots.head_strips.append(sweep_strip)
        run_slots.head_strips.append(slots.run_strip)
        run_slots.home_panels.append(slots.home_panel)
        run_slots.again_commands.append(slots.again_command)
        run_slots.head_buttons.append(recreating.head_button)
        run_slots.conditions_elsewhere.append(conditions_elsewhere)
        live_sources.append(printed_now)
        hooks.waking.append(wake_queue)
        hooks.job_over.append(after_job)
        hooks.job_over.append(silence.end_nested)
        hooks.job_over.append(queue_check_of_job)
        tabs.settings_pages.append(settings_tab)
        run_hooks.silence_allowed.append(silence.silence_allowed)
        run_hooks.looked_after.append(silence.looked_after)
        run_hooks.kept_checks.append(checks_of)
        run_hooks.siblings_by_seed.append(siblings_by_seed)
        run_hooks.run_ended.append(queue_check)
        run_hooks.run_emptied.append(forget_run)
