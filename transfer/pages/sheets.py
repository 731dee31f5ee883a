"""The way to the import of spreadsheets, which has its own pages, from the page of imports and exports."""

from django.urls import reverse

from accounts.models import Project
from transfer.pages.slots import ImportForm


def sheets_url(project: Project) -> str:
    """Where sheets are brought in."""
    return reverse("experiments:sheets", args=[project.slug])


SHEETS = ImportForm("Spreadsheet", "Past experiments in CSV or XLSX, a row for each.", "table", sheets_url)
