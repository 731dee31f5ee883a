"""What the random walk does with rules: asking them, saying that they do not apply, waiving, choosing profiles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from audit.compliance.actions import assessments, exceptions, profiles
from audit.compliance.models import NotApplicable, ProfileCopy, Waiver
from audit.compliance.profile import profiles as every_profile
from audit.compliance.retention import CLASSES
from kernel.clock import now
from tests.factories import again

RULES = ("D1", "V5", "Z1")


def _until(walk: Any) -> dt.date:
    return now().date() + dt.timedelta(days=walk.chance.choice((-1, 0, 30, 800)))


def _waive(walk: Any) -> None:
    reason = walk.text() or "Seen."
    exceptions.waive_rule(walk.who(), walk.run(), rule=walk.chance.choice(RULES), reason=reason, until=_until(walk))


def _change_copy(walk: Any) -> None:
    copy = ProfileCopy.objects.filter(project=walk.team.project).first()
    version = copy.version if copy and walk.chance.random() < 0.8 else 0
    names = {field: ["lr"] for field in ("required_params", "required_tags", "required_metrics")}
    profiles.change_copy(walk.who(), walk.team.project, version=version, tolerances={"loss": 0.1}, **names)


def _take_back(walk: Any) -> None:
    said = walk.any(NotApplicable)
    exceptions.remove_not_applicable(walk.who(), said.run, rule=said.rule)


COMPLIANCE: list[Callable[[Any], Any]] = [
    lambda w: assessments.assess_run(w.who(), w.run()),
    lambda w: exceptions.set_not_applicable(w.who(), w.run(), rule=w.chance.choice(RULES), reason=w.text()),
    _take_back,
    _waive,
    lambda w: exceptions.cosign_waiver(w.chance.choice((w.who(), again(w.team.auditor))), w.any(Waiver, ended_at=None)),
    lambda w: exceptions.end_waiver(w.who(), w.any(Waiver, ended_at=None), reason=w.text()),
    lambda w: profiles.choose_profile(
        w.who(), w.team.project, profile=w.chance.choice([*every_profile(), "none"]), reason=w.text()
    ),
    lambda w: profiles.choose_retention(
        w.who(), w.team.project, retention_class=w.chance.choice([*list(CLASSES)[:3], "none"])
    ),
    _change_copy,
]
