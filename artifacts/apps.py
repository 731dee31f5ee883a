from django.apps import AppConfig


class ArtifactsConfig(AppConfig):
    name = "artifacts"
    verbose_name = "Artifacts"

    def ready(self) -> None:
        from accounts.pages import tabs
        from artifacts import checks, evidence, hooks  # noqa: F401 - checks register themselves
        from artifacts.pages.quota import settings_tab
        from artifacts.queries.versions import owner_of_root
        from artifacts.storage.choose import anchors_in_s3
        from artifacts.tasks import queue_profile
        from audit.ledger.places import places

        hooks.owners["dataset"] = owner_of_root
        hooks.version_added.append(queue_profile)
        places["s3"] = anchors_in_s3
        tabs.settings_pages.append(settings_tab)
        evidence.register()
