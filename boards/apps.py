from django.apps import AppConfig


class BoardsConfig(AppConfig):
    name = "boards"
    verbose_name = "Boards"

    def ready(self) -> None:
        from accounts.claims import register_claims
        from boards.claims import opened_projects, why_not

        register_claims(why_not, opened_projects)
