from django.apps import AppConfig


class BoardsConfig(AppConfig):
    name = "boards"
    verbose_name = "Boards"

    def ready(self) -> None:
        from accounts.claims import register_claims
        from accounts.hooks import called_in_log
        from accounts.pages.tabs import settings_pages
        from boards.claims import opened_projects, why_not
        from boards.models import Board, ReaderPass, Submission
        from boards.pages.banner import banner
        from boards.pages.keeping import settings_tab
        from experiments.pages.slots import project_panels

        register_claims(why_not, opened_projects)
        settings_pages.append(settings_tab)
        project_panels.append(banner)
        called_in_log[Board] = (lambda board: f"board {board.project.slug}", ("project",))
        called_in_log[Submission] = (str, ())
        called_in_log[ReaderPass] = (str, ())
