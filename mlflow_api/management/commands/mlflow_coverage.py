from typing import Any

from django.core.management.base import BaseCommand

from mlflow_api.coverage import page


class Command(BaseCommand):
    help = "Print which calls of MLflow's protocol MLED serves, as Markdown (docs/mlflow-coverage.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(page(), ending="")
