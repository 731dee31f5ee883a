from django.apps import AppConfig


class ArtifactsConfig(AppConfig):
    name = "artifacts"
    verbose_name = "Artifacts"

    def ready(self) -> None:
        from artifacts import checks, evidence, hooks  # noqa: F401 - checks register themselves
        from artifacts.queries.versions import owner_of_root
        from artifacts.tasks import queue_profile

        hooks.owners["dataset"] = owner_of_root
        hooks.version_added.append(queue_profile)
        evidence.register()
