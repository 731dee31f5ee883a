"""Which data went into each run, by role, and how the versions stand to those of the base run."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from artifacts.models import DatasetVersion
from artifacts.versions import page_of, when_withdrawn
from experiments.pages.compare.fields import roles_of
from experiments.pages.compare.frame import framed
from experiments.queries.comparison import Compared, compared


@dataclass(frozen=True, slots=True)
class Used:
    """A dataset version that a run used. kind: same, version (another one of the same dataset), other or base."""

    name: str
    digest: str
    url: str
    kind: str
    words: str
    diff_url: str = ""
    recalled: str = ""


@dataclass(frozen=True, slots=True)
class RoleRow:
    """One role: what each run used in it."""

    role: str
    cells: list[list[Used]]
    varies: bool


@require_safe
@signed_in
def page(request: HttpRequest) -> HttpResponse:
    """A row for each role."""
    frame = framed(request, "data")
    context = frame.context
    if frame.runs:
        held = compared(frame.viewer, frame.runs)
        context |= {
            "rows": [role_row(held, role, frame.base) for role in roles_of(held)],
            "without_data": [run for run in frame.runs if not held.inputs.get(run.pk)],
        }
    return render(request, "experiments/compare_data.html", context)


def role_row(held: Compared, role: str, base: int) -> RoleRow:
    """What the runs used in a role, each against the base run's."""
    versions = [
        [one.dataset_version for one in held.inputs.get(run.pk, ()) if one.context == role] for run in held.runs
    ]
    cells = [
        [_used(version, versions[base], is_base=place == base) for version in mine]
        for place, mine in enumerate(versions)
    ]
    sets = {frozenset(version.pk for version in mine) for mine in versions}
    return RoleRow(role or "no role said", cells, len(sets) > 1)


def _used(version: DatasetVersion, of_base: Sequence[DatasetVersion], *, is_base: bool) -> Used:
    recall = when_withdrawn(version)
    kind, words, diff_url = ("base", "", "") if is_base else _against(version, of_base)
    return Used(
        name=str(version),
        digest=version.digest,
        url=page_of(version),
        kind=kind,
        words=words,
        diff_url=diff_url,
        recalled=recall.words if recall else "",
    )


def _against(version: DatasetVersion, of_base: Sequence[DatasetVersion]) -> tuple[str, str, str]:
    """kind, words and the address of the difference."""
    if any(one.pk == version.pk for one in of_base):
        return "same", "same version", ""
    twin = next((one for one in of_base if one.dataset_id == version.dataset_id), None)
    if twin is not None:
        return "version", f"another version than v{twin.number}", _diff_url(twin, version)
    if any(one.digest == version.digest for one in of_base):
        return "same", "other name, same content", ""
    return "other", "another dataset" if of_base else "the base has none in this role", ""


def _diff_url(old: DatasetVersion, new: DatasetVersion) -> str:
    address = reverse("artifacts:diff", args=[new.dataset.project.slug, new.dataset_id])
    return f"{address}?{urlencode({'old': old.number, 'new': new.number})}"
