"""A team whose records may go once they are old, and a clock by which they are."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from accounts.models import Project
from audit.compliance import due
from audit.compliance.actions.profiles import choose_retention
from tests.factories import Team, a_team


def a_team_that_keeps_shortly() -> Team:
    """A team whose project keeps its records for the shortest time there is."""
    team = a_team()
    choose_retention(team.manager, team.project, retention_class="short")
    return dataclasses.replace(team, project=Project.objects.get(pk=team.project.pk))


def two_years_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the retention of runs asks the clock."""
    real = due.now
    monkeypatch.setattr(due, "now", lambda: real() + dt.timedelta(days=731))
