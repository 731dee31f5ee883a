"""Whatever the pages can do, a REST client can do too, by the same action: one rule and one event behind both."""

from __future__ import annotations

import pytest

import runner.actions.joining  # noqa: F401 - declared by the worker's own process only
from accounts.decorators import ACTIONS
from accounts.roles import PERMISSIONS, Scope
from tests.architecture.reach import Reach, Way, ways
from tests.architecture.test_doors import BEHIND_DOORS, CALLED_BY, DOORS, modules, names_used

pytestmark = pytest.mark.once

# Actions that no REST view reaches, each with its reason.
BY_MLED = "MLED does it by itself, when its time has come"
OF_AN_IMPORT = "a step of an import that somebody began, over REST if they like"
BY_CLIENTS = "words of MLflow's protocol: it is the client that has the model, and the run that it logs for"
NOT_OVER_REST = {
    "accounts.give_job_token": BY_MLED,
    "experiments.take_for_dead": BY_MLED,
    "accounts.take_job_token": BY_MLED,
    "accounts.change_password": "in person: whoever changes a password gives the old one, on the page for that",
    "artifacts.begin_numbered_upload": "words of MLflow's protocol; over REST an upload goes on from any place",
    "artifacts.collect_blobs": BY_MLED,
    "artifacts.mark_unnamed_blobs": BY_MLED,
    "artifacts.note_check": BY_MLED,
    "compliance.apply_verdict": BY_MLED,
    "compliance.begin_report": BY_MLED,
    "compliance.fail_report": BY_MLED,
    "compliance.issue_report": BY_MLED,
    "compliance.record_rehearsal": "the operator of the machine restores a back-up and says so by a command",
    "experiments.keep_archive": BY_MLED,
    "experiments.keep_sheet": OF_AN_IMPORT,
    "experiments.seal_run": BY_MLED,
    "experiments.settle_sheet": OF_AN_IMPORT,
    "registry.carry_out_promotion": BY_MLED,
    "registry.create_logged_model": BY_CLIENTS,
    "registry.finalize_logged_model": BY_CLIENTS,
    "registry.delete_model_files": BY_CLIENTS,
    "registry.put_model_file": BY_CLIENTS,
    "runner.begin_job": BY_MLED,
    "runner.carry_sweep": BY_MLED,
    "runner.end_job": BY_MLED,
    "runner.join_worker": "a worker says so of itself when it starts",
    "runner.put_back_job": BY_MLED,
    "runner.start_job": BY_MLED,
    "runner.keep_check": BY_MLED,
    "transfer.bring_in_experiment": OF_AN_IMPORT,
    "transfer.bring_in_links": OF_AN_IMPORT,
    "transfer.bring_in_logged_model": OF_AN_IMPORT,
    "transfer.bring_in_model_files": OF_AN_IMPORT,
    "transfer.bring_in_model_news": OF_AN_IMPORT,
    "transfer.bring_in_model_points": OF_AN_IMPORT,
    "transfer.bring_in_more": OF_AN_IMPORT,
    "transfer.bring_in_points": OF_AN_IMPORT,
    "transfer.bring_in_record": OF_AN_IMPORT,
    "transfer.bring_in_registered_model": OF_AN_IMPORT,
    "transfer.bring_in_run": OF_AN_IMPORT,
    "transfer.bring_in_version": OF_AN_IMPORT,
    "transfer.complete_model": OF_AN_IMPORT,
    "transfer.complete_run": OF_AN_IMPORT,
    "transfer.finish_record": OF_AN_IMPORT,
    "transfer.end_export": BY_MLED,
    "transfer.end_exports_of": "part of forgetting a person",
    "transfer.fail_transfer": BY_MLED,
    "transfer.finish_transfer": BY_MLED,
    "transfer.start_transfer": BY_MLED,
}


@pytest.fixture(scope="module")
def reached() -> tuple[dict[str, list[Way]], dict[str, list[Way]]]:
    return ways()


def test_every_action_has_its_way_over_rest_or_a_reason(reached):
    """One that no door calls at all is told by test_doors."""
    rest, _ = reached
    called = set().union(*(names_used(tree) for _, tree in modules((*DOORS, *BEHIND_DOORS))))
    has_door = {verb for verb in ACTIONS if CALLED_BY.get(verb, verb.partition(".")[2]) in called}
    assert has_door - set(rest) - set(NOT_OVER_REST) == set()


def test_each_exception_is_still_one(reached):
    rest, _ = reached
    assert set(NOT_OVER_REST) - set(ACTIONS) == set()
    assert set(NOT_OVER_REST) & set(rest) == set()


def test_whatever_a_page_or_the_console_does_rest_does(reached):
    rest, pages = reached
    assert len(pages) > 80
    assert set(pages) - set(rest) == set()


def test_no_view_asks_less_of_a_token_than_its_acts_do(reached):
    """A token that only logs does not come to an act of managing by an address that asks for less."""
    rest, _ = reached
    rank = {scope: place for place, scope in enumerate(Scope)}
    least: dict[Way, int] = {}
    for verb, found in rest.items():
        for way in found:
            asked = rank[PERMISSIONS[ACTIONS[verb].permission].scope]
            least[way] = min(asked, least.get(way, asked))
    assert [str(way) for way, asked in least.items() if rank[PERMISSIONS[way.needs].scope] < asked] == []


# --- What reading the code finds


def _act() -> None: ...


def _by_another() -> None:
    _act()


def _in_a_comprehension() -> list[None]:
    return [_act() for _ in range(2)]


_TABLE = {"do": (_act, "words")}


def _by_a_table() -> None:
    _TABLE["do"][0]()


class _View:
    def post(self) -> None:
        _by_another()


def _apart() -> None: ...


@pytest.mark.parametrize("door", [_act, _by_another, _in_a_comprehension, _by_a_table, _View])
def test_a_way_is_found_however_it_winds(door, monkeypatch):
    monkeypatch.setattr("tests.architecture.reach.ROOMS", frozenset({"tests"}))
    assert Reach({_act: "room.act"}).of(door) == {"room.act"}
    assert Reach({_act: "room.act"}).of(_apart) == set()
