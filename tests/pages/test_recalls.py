"""Recalling a version of a dataset on its pages: what is flagged, who is told, how it is taken back."""

import pytest

from accounts.roles import Role
from artifacts.models import Dataset
from tests.factories import Team, a_member
from tests.pages.conftest import Browser, address
from tests.pages.icu import at, number, trained_on


def test_a_recall_tells_before_what_it_will_flag_and_whom(emil: Browser, team: Team, icu: Dataset):
    trained_on(team.scientist, number(icu, 1))
    page = emil.get(at(icu, "v/1/recall/"))
    assert "1 run built on it will bear a flag" in page
    assert "Told: Ada." in page


def test_a_recall_flags_run_table_data_and_overview_and_tells_the_owner(emil: Browser, ada: Browser, team: Team, icu):
    run = trained_on(team.scientist, number(icu, 1))
    page = emil.follow(at(icu, "v/1/recall/"), reason="mg/dL and mmol/L are mixed.")
    assert "This version was recalled" in page
    assert "mg/dL and mmol/L are mixed." in page
    assert "Reinstate" in page
    assert "Recalled data" in ada.get(f"/r/{run.uid.hex}/")
    assert "mg/dL and mmol/L are mixed." in ada.get(f"/r/{run.uid.hex}/data/")
    assert "built on recalled data" in ada.get(address(team.project, "runs/"))
    overview = ada.get(address(team.project))
    assert "Recalled data in use" in overview
    assert overview.links("/v/1/used-by/")
    assert "was recalled: mg/dL and mmol/L are mixed." in ada.get("/")


def test_what_is_reinstated_bears_no_flag(emil: Browser, ada: Browser, team: Team, icu: Dataset):
    run = trained_on(team.scientist, number(icu, 1))
    emil.follow(at(icu, "v/1/recall/"), reason="Units are mixed.")
    page = emil.follow(at(icu, "v/1/reinstate/"), reason="They were converted.")
    assert "is reinstated" in page
    assert "This version was recalled" not in page
    assert "Recalled data" not in ada.get(f"/r/{run.uid.hex}/")
    assert "built on recalled data" not in ada.get(address(team.project, "runs/"))
    assert "Recalled data in use" not in ada.get(address(team.project))


@pytest.mark.parametrize("way", ["recall", "reinstate"])
def test_without_a_reason_nothing_happens(emil: Browser, icu: Dataset, way):
    for reason in ("", "   "):
        page = emil.post(at(icu, f"v/1/{way}/"), expecting=200, reason=reason)
        assert "required" in page or "Say why" in page
    assert not hasattr(number(icu, 1), "record") or number(icu, 1).record.state == "active"


def test_a_recall_twice_is_one_recall(emil: Browser, ada: Browser, team: Team, icu: Dataset):
    emil.follow(at(icu, "v/1/recall/"), reason="Units are mixed.")
    emil.follow(at(icu, "v/1/recall/"), reason="Units are mixed.")
    page = ada.post(at(icu, "v/1/recall/"), expecting=200, reason="Something else.")
    assert "was recalled already" in page
    assert "Something else." in page
    assert number(icu, 1).record.state_reason == "Units are mixed."


def test_reinstating_what_was_never_recalled_is_explained(emil: Browser, icu: Dataset):
    assert "is not recalled" in emil.post(at(icu, "v/1/reinstate/"), expecting=200, reason="x")


def test_a_scientist_recalls_only_what_they_made(team: Team, icu: Dataset):
    other = Browser(a_member(team.project, Role.DATA_SCIENTIST, "Nina"))
    assert not other.get(at(icu, "v/1/")).links("/recall/")
    other.get(at(icu, "v/1/recall/"), expecting=403)
    other.post(at(icu, "v/1/recall/"), expecting=403, reason="x")
