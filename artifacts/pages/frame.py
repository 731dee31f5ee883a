"""What every page of a dataset shows around its part: the versions at the left, head and tabs of one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from accounts.access import can, find_project
from accounts.pages.doors import actor_of
from accounts.pages.tabs import Tab
from artifacts.hooks import Uses
from artifacts.models import Dataset, DatasetVersion
from artifacts.pages.sources import readable
from artifacts.queries.datasets import find_dataset
from artifacts.queries.uses import uses_of
from artifacts.queries.versions import get_version, versions_in_short
from artifacts.tables import row_count_of, table_of
from artifacts.versions import is_withdrawn, record_of, when_withdrawn
from kernel.actor import Actor

USES_SHOWN = 6
TOLD_FROM = 200  # newest uses of each kind whose people are named before a recall

TABS = {
    "overview": "Overview",
    "files": "Files",
    "schema": "Schema",
    "diff": "Diff",
    "used-by": "Used by",
    "use": "Use it",
    "history": "History",
}


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in the list at the left."""

    version: DatasetVersion
    url: str
    aliases: Sequence[str]
    rows: int | None
    withdrawn: bool


def dataset_frame(request: HttpRequest, slug: str, dataset: UUID) -> tuple[Dataset, dict[str, Any]]:
    """The dataset for this viewer, and what its pages show in common. Raises NotFound."""
    viewer = actor_of(request)
    found = find_dataset(viewer, find_project(viewer, slug), dataset)
    lines = [line_of(version) for version in versions_in_short(viewer, found)]
    return found, {
        "at": "datasets",
        "project": found.project,
        "dataset": found,
        "lines": lines,
        "may_register": bool(can(viewer, "datasets.register", found)),
        "may_set_alias": bool(can(viewer, "datasets.set_alias", found)),
    }


def version_frame(
    request: HttpRequest, slug: str, dataset: UUID, number: int, tab: str
) -> tuple[DatasetVersion, dict[str, Any]]:
    """The version for this viewer, and the context of its head and tabs. Raises NotFound."""
    viewer = actor_of(request)
    found, context = dataset_frame(request, slug, dataset)
    version = get_version(viewer, found, number)
    uses = uses_there_are(uses_of(viewer, version, limit=USES_SHOWN))
    before, table = previous(context["lines"], version), table_of(version)
    return version, context | {
        "version": version,
        "record": record_of(version),
        "withdrawal": when_withdrawn(version),
        "aliases": [alias.name for alias in version.aliases.all()],
        "row_count": table.row_count,
        "source": readable(version.source),
        "uses": uses,
        "use_words": use_words(uses),
        "used": sum(one.total for one in uses),
        "previous": before,
        "tab": tab,
        "tab_label": TABS[tab],
        "tabs": tabs_of(version, len(table.columns), uses, before),
        "may_recall": bool(can(viewer, "datasets.recall", version)),
        "may_download": bool(can(viewer, "experiments.download", version)),
    }


def line_of(version: DatasetVersion) -> VersionLine:
    """A version as the list shows it."""
    return VersionLine(
        version,
        version_url(version),
        sorted(alias.name for alias in version.aliases.all()),
        row_count_of(version),
        is_withdrawn(version),
    )


def previous(lines: Sequence[VersionLine], version: DatasetVersion) -> DatasetVersion | None:
    """The version before this one."""
    older = [line.version for line in lines if line.version.number < version.number]
    return max(older, key=lambda one: one.number, default=None)


def uses_there_are(uses: Sequence[Uses]) -> list[Uses]:
    """Those kinds of uses that there are any of."""
    return [one for one in uses if one.total]


def told_names(viewer: Actor, version: DatasetVersion) -> list[str]:
    """Who would be told of a recall, by name: the version's maker and whose work was built on it."""
    names = {use.who for one in uses_of(viewer, version, limit=TOLD_FROM) for use in one.newest if use.who}
    names |= {str(version.created_by)} if version.created_by else set()
    return sorted(names - {viewer.user_name})


def use_words(uses: Sequence[Uses]) -> str:
    """'41 runs, 2 model versions', or '' for nothing yet."""
    return ", ".join(f"{one.total:,} {noun(one.title.lower(), one.total)}" for one in uses)


def noun(kind: str, count: int) -> str:
    """'run' or 'runs', as a kind of use is named for many."""
    return kind.removesuffix("s") if count == 1 else kind


def version_url(version: DatasetVersion, tab: str = "overview") -> str:
    """The address of one tab of a version."""
    here = [version.dataset.project.slug, version.dataset_id, version.number]
    if tab == "overview":
        return reverse("artifacts:version", args=here)
    return reverse("artifacts:version_part", args=[*here, tab])


def tabs_of(version: DatasetVersion, columns: int, uses: Sequence[Uses], before: DatasetVersion | None) -> list[Tab]:
    """The version's tabs with their counts; no files of what lies outside, no diff of the first."""
    counts = {
        "files": version.file_count,
        "schema": columns or None,
        "used-by": sum(one.total for one in uses),
    }
    absent = {"files": version.root_id is None, "diff": before is None}
    return [
        Tab(
            key,
            f"Diff to v{before.number}" if key == "diff" and before else label,
            version_url(version, key),
            counts.get(key),
        )
        for key, label in TABS.items()
        if not absent.get(key)
    ]
