"""Every read starts from what its viewer may see, and a query that forgets it is caught."""

from __future__ import annotations

import pytest

from tests.architecture.queries import unchecked
from tests.services.processes import ROOT

ROOMS = ("accounts", "artifacts", "experiments", "registry", "runner", "audit/compliance", "transfer", "boards")

# Functions that read no rows for a viewer, each with the reason why it needs none.
NO_VIEWER = {
    "accounts.queries.history.with_names": "names for events that were read for a viewer",
    "accounts.queries.people.my_account": "one's own row, by one's own id",
    "accounts.queries.people.my_groups": "one's own groups, by one's own id",
    "accounts.queries.people.people_in": "tells who stands in memberships that were read for a viewer",
    "accounts.queries.people.people_who": "whose role allows an act is asked by acts and pages that know the project",
    "accounts.queries.projects.find_my_token": "one's own row, by one's own id",
    "accounts.queries.projects.my_job_tokens": "one's own rows, by one's own id",
    "accounts.queries.projects.my_tokens": "one's own rows, by one's own id",
    "accounts.queries.settings.all_settings_of": "one's own rows, by one's own id",
    "accounts.queries.settings.setting_of": "one's own row, by one's own id",
    "accounts.queries.settings.settings_of": "one's own rows, by one's own id",
    "artifacts.queries.versions.owner_of_root": "finds what rights rest on, which is then asked",
    "audit.compliance.queries.as_of.moment_of": "reads a moment from a text",
    "audit.compliance.queries.past.past_of_token": "one's own row, by one's own id",
    "audit.compliance.queries.log_things.names_of": "names for values that were read for a viewer",
    "audit.compliance.queries.log_things.people_in": "values in events that were read for a viewer",
    "audit.compliance.queries.past.people_meant": "names for events that were read for a viewer",
    "experiments.queries.archives.places_of_archive": "told to those who look after all content",
    "experiments.queries.decisions.runs_cited": "of a decision that was read for a viewer",
    "experiments.queries.decisions.standing_of": "of a decision that was read for a viewer",
    "experiments.queries.derived.wrong_derived_columns": "part of verify_ledger, which reads everything",
    "experiments.queries.events.told": "words for events that were read for a viewer",
    "experiments.queries.experiments.wire_id": "how an experiment that was found is called",
    "experiments.queries.files.owner_of_root": "finds what rights rest on, which is then asked",
    "experiments.queries.overview.newest_of": "thins runs that were read for a viewer",
    "experiments.queries.record.small_curves": "thins series that were read for a viewer",
    "experiments.queries.table.names_among": "counts keys of rows that were read for a viewer",
    "experiments.queries.recorded.recorded_before": "one's own row, by one's own id",
    "experiments.queries.seals.broken_seals": "part of verify_ledger, which reads everything",
    "runner.queries.launching.queues_offered": "workers are the site's, and only numbers of their slots are told",
    "experiments.queries.silent.is_silent": "asked by MLED of a run that it holds",
    "runner.queries.rules.rules_of": "what a project that was found for somebody allows its jobs",
    "registry.queries.files.owner_of_root": "finds what rights rest on, which is then asked",
}


def sources() -> dict[str, str]:
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room / "queries").rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[module] = path.read_text()
    return found


def test_every_query_starts_from_what_its_viewer_may_see():
    forgetful = {one.full_name for one in unchecked(sources())}
    assert forgetful - set(NO_VIEWER) == set()


def test_each_exception_is_still_one():
    assert set(NO_VIEWER) - {one.full_name for one in unchecked(sources())} == set()


# --- What the check catches

GOOD = """
from accounts.access import can_see
from experiments.models import Run

def newest(viewer, project):
    return Run.objects.visible_to(viewer).filter(project=project)

def one(viewer, uid):
    found = Run.objects.get(uid=uid)
    if not can_see(viewer, found):
        raise NotFound

def of_one(viewer, uid):
    return _rows(viewer, Run)

def by_another(viewer):
    return newest(viewer, None).count()

def _rows(viewer, model):
    return model.objects.visible_to(viewer)
"""


def caught(source: str) -> list[str]:
    return [one.name for one in unchecked({"experiments.queries.sample": source})]


def test_good_queries_pass():
    assert caught(GOOD) == []


@pytest.mark.parametrize(
    "source",
    [
        "def leak(viewer, project):\n    return Run.objects.filter(project=project)",
        "def leak(project):\n    return Run.objects.visible_to(system()).filter(project=project)",
        "def leak(project, viewer):\n    return Run.objects.visible_to(viewer)",
        "def leak(viewer, project):\n    return Run.objects.visible_to(project.owner)",
        "def leak(viewer):\n    'visible_to(viewer)'\n    return Run.objects.all()",
        "def leak(viewer):\n    return _rows(viewer)\n\ndef _rows(viewer):\n    return Run.objects.all()",
        "def leak(viewer):\n    return leak(viewer)",
        "def leak(viewer):\n    log(viewer)\n    return Run.objects.all()",
    ],
    ids=["no check", "no viewer", "viewer not first", "another's sight", "only in words", "by a helper that forgets",
         "by itself", "viewer only logged"],
)  # fmt: skip
def test_a_query_that_forgets_its_viewer_is_caught(source):
    assert caught(source) == ["leak"]


def test_a_real_query_that_loses_its_check_is_caught():
    """Each module whose reading starts in one place, without that place."""
    whole = sources()
    single = [module for module, text in whole.items() if text.count(".visible_to(viewer)") == 1 and "can" not in text]
    single = [module for module in single if "require(viewer" not in whole[module]]  # asks in another place too
    single = [module for module in single if "search_runs" not in whole[module]]  # reads in two places
    assert single
    for module in single:
        spoilt = whole[module].replace(".visible_to(viewer)", ".all()")
        assert {one.full_name for one in unchecked({**whole, module: spoilt})} > set(NO_VIEWER), module
