"""One sheet: its columns, what is wrong in its rows, its import with its progress, and what became of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from accounts.workers import is_worker_alive
from experiments.actions.sheets import (
    check_sheet,
    choose_worksheet,
    discard_sheet,
    import_sheet,
    map_sheet,
    stop_sheet,
    undo_sheet,
)
from experiments.exporting.fields import Field, Kind, Value
from experiments.exporting.texts import as_csv
from experiments.models import SheetImport, SheetRow
from experiments.pages.sheet_form import (
    CHOICES,
    PREVIEWED,
    SAMPLED_ROWS,
    STATUSES,
    columns_of,
    defaults_of,
    previewed,
    problem_line,
    read_as,
    typed_mapping,
    values_in,
)
from experiments.pages.sheet_words import DOING, NO_WORKER, badge_of, row_badge
from experiments.queries.recorded import experiments_offered, versions_offered
from experiments.queries.sheets import (
    SHOWN,
    SHOWN_AFTER,
    Tally,
    get_sheet,
    offered_for,
    rows_of,
    runs_made,
    same_file,
    tally_of,
)
from experiments.sheets import writing
from experiments.sheets.cells import text_of
from experiments.sheets.mapping import Mapping, column_name, problems_of
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid, InvalidFields, MledError, NotFound

State = SheetImport.State
ROWS_SHOWN: Final = 50
IN_ADDRESS: Final = 100  # ids of runs
PROBLEM_FIELDS: Final = (
    Field("row", Kind.INTEGER), Field("column"), Field("field"), Field("value"), Field("what"), Field("next"),
)  # fmt: skip


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, sheet: UUID) -> HttpResponse:
    """Everything about one sheet. ?rows: those in a state; ?page."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    return _shown(request, viewer, get_sheet(viewer, project, sheet))


@require_safe
@signed_in
def state(request: HttpRequest, slug: str, sheet: UUID) -> HttpResponse:
    """How far it is: the page asks again until it is over, then it is drawn anew."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = get_sheet(viewer, project, sheet)
    if not found.is_open:
        return HttpResponseClientRefresh()
    return render(
        request, "experiments/sheet_state.html", {"project": project, "sheet": found, **_progress(viewer, found)}
    )


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, sheet: UUID, verb: str) -> HttpResponse:
    """Do it, and back to the page; a mapping that is none is shown as it was typed."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    found = get_sheet(viewer, project, sheet)
    do = SHEET_ACTS.get(verb)
    if do is None:
        raise NotFound(f"Sheets have no act '{verb[:20]}'.")
    try:
        do(viewer, found, request)
    except Invalid as error:
        typed = typed_mapping(request.POST, len(found.header)) if verb in ("map", "check") else None
        several = error.problems if isinstance(error, InvalidFields) else [error]
        return _shown(request, viewer, get_sheet(viewer, project, sheet), typed=typed, problems=several)
    except Conflict as error:
        messages.error(request, str(error))
        verb = ""
    if verb == "discard":
        messages.success(request, f"{found.name} is off the list.")
        return redirect("experiments:sheets", slug=project.slug)
    return redirect("experiments:sheet", slug=project.slug, sheet=found.pk)


def _map(viewer: Actor, sheet: SheetImport, request: HttpRequest) -> None:
    told = typed_mapping(request.POST, len(sheet.header))
    chosen = told["dates"] != sheet.mapping.get("dates", writing.ISO)
    map_sheet(viewer, sheet, mapping=Mapping.of_json(told), are_dates_said=chosen)


def _check(viewer: Actor, sheet: SheetImport, request: HttpRequest) -> None:
    _map(viewer, sheet, request)
    check_sheet(viewer, sheet)


SHEET_ACTS: Final[dict[str, Callable[[Actor, SheetImport, HttpRequest], object]]] = {
    "map": _map,
    "check": _check,
    "worksheet": lambda viewer, sheet, request: choose_worksheet(
        viewer, sheet, worksheet=request.POST.get("worksheet", "")
    ),
    "import": lambda viewer, sheet, request: import_sheet(
        viewer, sheet, leave_out=request.POST.get("leave_out") == "1"
    ),
    "discard": lambda viewer, sheet, request: discard_sheet(viewer, sheet),
    "stop": lambda viewer, sheet, request: stop_sheet(viewer, sheet),
    "undo": lambda viewer, sheet, request: undo_sheet(viewer, sheet, reason=request.POST.get("reason", "").strip()),
}


def _shown(
    request: HttpRequest,
    viewer: Actor,
    sheet: SheetImport,
    *,
    typed: dict[str, Any] | None = None,
    problems: Sequence[MledError] = (),
) -> HttpResponse:
    """The page. typed: a mapping that was not kept; problems: what is wrong with it."""
    offered, tally = offered_for(viewer, sheet), tally_of(viewer, sheet)
    context: dict[str, Any] = {
        "at": "runs",
        "project": sheet.project,
        "sheet": sheet,
        "badge": badge_of(sheet),
        "offered": offered,
        "tally": tally,
        "is_own": sheet.created_by_id == viewer.user_id,
        "same": same_file(viewer, sheet) if offered.map else None,
        **_progress(viewer, sheet),
        **_rows(request, viewer, sheet, tally),
    }
    if offered.map:
        context |= _form(viewer, sheet, typed, problems)
    elif sheet.header:
        context["read_as"] = read_as(sheet)
    if problems and not offered.map:
        messages.error(request, str(problems[0]))
    return render(request, "experiments/sheet.html", context)


def _progress(viewer: Actor, sheet: SheetImport) -> dict[str, Any]:
    return {
        "badge": badge_of(sheet),
        "doing": DOING.get(sheet.state, "") if is_worker_alive() or not sheet.is_open else NO_WORKER,
        "per_cent": round(100 * sheet.done / sheet.total) if sheet.total else None,
        "may_stop": offered_for(viewer, sheet).stop,
    }


def _form(
    viewer: Actor, sheet: SheetImport, typed: dict[str, Any] | None, problems: Sequence[MledError]
) -> dict[str, Any]:
    kept = Mapping.of_json(sheet.mapping)
    told = typed or kept.as_json()
    missing = [*problems] or problems_of(kept, sheet.header)
    first = list(rows_of(viewer, sheet)[:SAMPLED_ROWS])
    return {
        "columns": columns_of(sheet.header, told["columns"], first, missing),
        "choices": CHOICES,
        "mapping": told,
        "defaults": defaults_of(told, missing),
        "missing": missing,
        "statuses": STATUSES,
        "date_choices": list(writing.DATES.items()),
        "experiments": experiments_offered(viewer, sheet.project),
        "versions": [(str(version), version.created_at) for version in versions_offered(viewer, sheet.project)],
        "preview": previewed(kept, sheet.header, first[:PREVIEWED]),
    }


def _rows(request: HttpRequest, viewer: Actor, sheet: SheetImport, tally: Tally) -> dict[str, Any]:
    """The rows of one state, a page of them: those that need a look first."""
    order = SHOWN if sheet.state in (State.READY, State.CHECKED, State.STOPPED) else SHOWN_AFTER
    counts = [(name, SheetRow.State(name).label, getattr(tally, name)) for name in order]
    counts = [one for one in counts if one[2]]
    shown = request.GET.get("rows", "") if request.GET.get("rows", "") in SHOWN else (counts[0][0] if counts else "")
    if not counts or sheet.is_open:
        return {"row_states": []}
    listed = Paginator(rows_of(viewer, sheet, shown), ROWS_SHOWN).get_page(request.GET.get("page"))
    runs = runs_made(viewer, list(listed))
    return {
        "row_states": counts,
        "row_state": shown,
        "in_table": _in_table(viewer, sheet, tally, list(listed)),
        "page": listed,
        "rows": [
            (
                row,
                row_badge(row),
                runs.get(row.run_uid) if row.run_uid else None,
                _told(sheet, row),
                values_in(row.cells),
            )
            for row in listed
        ],
    }


def _in_table(viewer: Actor, sheet: SheetImport, tally: Tally, listed: Sequence[SheetRow]) -> dict[str, Any] | None:
    """The run table with just what this import made; with the rows that are shown, where all are too many for an
    address."""
    if tally.made <= IN_ADDRESS:
        listed = list(rows_of(viewer, sheet, SheetRow.State.MADE))
    made = [f"'{row.run_uid.hex}'" for row in listed if row.state == SheetRow.State.MADE and row.run_uid]
    query = urlencode({"q": f"run_id IN ({', '.join(made)})"})
    address = f"{reverse('experiments:runs', args=[sheet.project.slug])}?{query}"
    return {"count": len(made), "url": address} if made else None


def _told(sheet: SheetImport, row: SheetRow) -> list[str]:
    return [problem_line(sheet.header, one) for one in row.problems]


@require_safe
@signed_in
def problems_file(request: HttpRequest, slug: str, sheet: UUID) -> HttpResponseBase:
    """All that is wrong in the rows, as CSV: a line for each."""
    viewer = actor_of(request)
    project: Project = find_project(viewer, slug)
    found = get_sheet(viewer, project, sheet)
    response = StreamingHttpResponse(
        as_csv(PROBLEM_FIELDS, _problem_rows(viewer, found)), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="rows-with-errors.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def _problem_rows(viewer: Actor, sheet: SheetImport) -> Iterator[list[Value]]:
    for row in rows_of(viewer, sheet, SheetRow.State.WRONG).iterator(chunk_size=500):
        for one in row.problems:
            at = one["column"]
            value = text_of(row.cells[at]) if at is not None and at < len(row.cells) else ""
            yield [row.number, column_name(sheet.header, at), one["field"], value[:1000], one["what"], one["next"]]
