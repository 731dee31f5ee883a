"""Each failure of docs/errors.md, really provoked: it names what, why, what next, and by what it is found again."""

from __future__ import annotations

import re

import pytest

from tests.services.processes import ROOT
from tests.site import provoking_installations, provoking_requests, provoking_starts  # noqa: F401 - they register
from tests.site.failure import Failure
from tests.site.failures import FAILURES, as_page
from tests.site.provoking import PROVOKED, Hands

pytestmark = pytest.mark.once


def says(told: str, expected: str) -> bool:
    """Whether the expected words are told in this order; '…' stands for what differs each time."""
    pattern = ".*?".join(re.escape(part.strip()) for part in expected.split("…"))
    return re.search(pattern, told, flags=re.S) is not None


@pytest.mark.parametrize("failure", FAILURES, ids=lambda one: one.name.replace(" ", "-"))
def test_it_is_told(failure: Failure, request: pytest.FixtureRequest):
    told = PROVOKED[failure.name](Hands(request))
    assert told.code == failure.code
    assert says(told.what, failure.what), told.what
    assert says(told.next_step, failure.next_step), told.next_step
    assert told.id or not failure.has_id
    whole = f"{told.what} {told.next_step}"
    assert "Traceback" not in whole
    assert "hunter2" not in whole


def test_every_failure_is_provoked():
    assert {one.name for one in FAILURES} == set(PROVOKED)
    assert len(FAILURES) >= 30


def test_the_docs_list_them():
    """After a change of the table: python -m tests.site.failures > docs/errors.md"""
    assert (ROOT / "docs" / "errors.md").read_text() == as_page()
