"""Each kind of report: what it speaks of, as it was under its head."""

import pytest
from kombu.exceptions import OperationalError

from accounts.actions.members import remove_member
from accounts.models import Membership
from audit.compliance import tasks
from audit.compliance.models import Report
from audit.compliance.reports import freezing
from audit.ledger.sequencer import Sequencer
from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags
from experiments.values import RunStatus
from kernel.actor import system
from kernel.errors import Invalid, NotFound, Refused, TooMany
from registry.actions.cards import write_card
from runner.actions.comparing import keep_check
from tests.compliance.report_building import asked_for, built, content, head, sections, table
from tests.factories import a_batch, a_run, a_team, user_of
from tests.registry.promoting import a_candidate, a_governed_team, approved_by, log_goes_on
from tests.registry.promoting import asked_for as promotion_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team):
    made = a_run(team.scientist, name="gru", status=RunStatus.FINISHED)
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "0.1"}, loss=[0.9, 0.5]))
    return made


def test_a_trail_holds_the_events_that_its_filter_finds(team, run):
    done = built(asked_for(team.auditor, team.project, kind="trail", question={"action": "experiments.create_run"}))
    assert done.records == 1
    (row,) = table(done)
    assert (row["verb"], row["outcome"]) == ("experiments.create_run", "done")
    of_run = built(asked_for(team.auditor, team.project, kind="trail", scope="run", subject=run.readable_id))
    assert {row["subject"] for row in table(of_run)} == {f"experiments.run {run.uid.hex}"}
    again_ = built(
        asked_for(
            team.manager, team.project, kind="trail", question={"action": "experiments.create_run"}, as_of=done.head_at
        )
    )
    assert again_.digest == done.digest


def test_a_reproducibility_summary_shows_every_condition(team, run):
    done = built(asked_for(team.engineer, team.project, kind="reproducibility", scope="run", subject=run.uid.hex))
    (section,) = sections(done)
    assert {"label": "Parameters", "value": "1, none overwritten"} in section["environment"]
    assert {"label": "Seed", "value": ""} in section["environment"]
    assert "Nobody did it again." in section["gaps"]
    again = a_run(team.engineer, tags={"mled.reproduces": run.uid.hex}, status=RunStatus.FINISHED)
    log_batch(team.engineer, again, batch=a_batch(params={"lr": "0.2"}, loss=[0.9, 0.5]))
    keep_check(system(), again)
    done = built(asked_for(team.engineer, team.project, kind="reproducibility", scope="run", subject=run.uid.hex))
    ((section,), words) = sections(done), "same; not the same: Parameters: lr 0.1 then, 0.2 now."
    assert section["reproductions"][0]["label"] == again.readable_id
    assert section["reproductions"][0]["value"].endswith(words)


def test_an_access_review_says_who_may_do_what_and_why_as_it_was(team, run):
    first = built(asked_for(team.auditor, team.project, kind="access"))
    names = {row["name"]: row for row in table(first)}
    scientist = names[str(user_of(team.scientist))]
    assert scientist["why"].startswith("Data scientist, since ")
    assert "Reads: " in scientist["rights"]
    assert "Nobody had signed off who may do what." in head(first)["notes"]
    membership = Membership.objects.get(user=user_of(team.scientist), project=team.project)
    remove_member(team.manager, membership)
    second = built(asked_for(team.auditor, team.project, kind="access", as_of=first.head_at))
    assert second.digest == first.digest
    third = built(asked_for(team.auditor, team.project, kind="access"))
    assert str(user_of(team.scientist)) not in {row["name"] for row in table(third)}


def test_a_model_card_shows_what_was_written_approved_and_not_recorded():
    team = a_governed_team()
    version = a_candidate(team.scientist, team.project)
    write_card(team.scientist, version, section="limits", text="Not for children.")
    approved_by(team.manager, promotion_of(team, version))
    log_goes_on()
    done = built(asked_for(team.engineer, team.project, kind="model_card", scope="version", subject=str(version.pk)))
    assert (done.state, done.records) == (Report.State.DONE, 1)
    (card,) = sections(done)
    written = {one["label"]: one["value"] for one in card["written"]}
    assert written["Known limits"].startswith("Not for children.\n(")
    assert written["Bias examined"] == ""
    assert "Nobody wrote: Bias examined." in card["gaps"]
    (signature,) = card["signatures"]
    assert signature["printed_name"] == str(user_of(team.manager))
    assert signature["seq"] is not None
    assert card["chain"]["wrong"] == ""
    write_card(team.scientist, version, section="limits", text="For nobody.")
    again = built(asked_for(team.manager, team.project, kind="model_card", scope="project", as_of=done.head_at))
    assert {one["label"]: one["value"] for one in sections(again)[0]["written"]}["Known limits"] == written[
        "Known limits"
    ]
    by_name = asked_for(
        team.engineer, team.project, kind="compliance", scope="version", subject=f"{version.model.name}/1"
    )
    assert by_name.subject == str(version.pk)
    assert built(by_name).records == 1
    theirs = a_candidate(team.engineer, team.project)
    with pytest.raises(NotFound):
        asked_for(team.engineer, team.project, kind="model_card", scope="version", subject="none/1")
    with pytest.raises(Refused, match="your own runs only"):
        asked_for(team.scientist, team.project, kind="model_card", scope="version", subject=str(theirs.pk))


def test_parts_of_a_large_report_come_one_after_the_other_in_order(team, run, monkeypatch):
    monkeypatch.setattr(freezing, "PART", 2)
    for number in range(4):
        a_run(team.scientist, name=f"more-{number}", status=RunStatus.FINISHED)
    done = built(asked_for(team.engineer, team.project))
    assert [len(part.runs) for part in done.parts.order_by("number")] == [2, 2, 1]
    numbers = [int(row["id"].rpartition("-")[2]) for row in table(done)]
    assert numbers == sorted(numbers)
    assert len(numbers) == 5
    assert [row["section_sha256"] for row in table(done)] == [
        digest for part in done.parts.order_by("number") for digest in part.digests
    ]


def test_cells_that_begin_a_formula_are_defused(team, run):
    a_run(team.scientist, name="=cmd|' /C calc'!A0", status=RunStatus.FINISHED)
    done = built(asked_for(team.engineer, team.project))
    assert b"\n=cmd" not in content(done, "report.csv")
    assert "'=cmd|' /C calc'!A0" in {row["name"] for row in table(done)}
    assert {"=cmd|' /C calc'!A0", "gru"} == {one["name"] for one in sections(done)}


def test_the_task_builds_what_waits_and_a_broker_that_is_away_loses_nothing(team, run, monkeypatch):
    def away() -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.build_reports, "delay", away)
    tasks.wake_building()
    reports = [asked_for(team.engineer, team.project), asked_for(team.auditor, team.project, kind="trail")]
    finished = 0
    for _ in range(4):
        Sequencer().run_until_empty()
        finished += tasks.build_reports()
    assert finished == 2
    assert {Report.objects.get(pk=one.pk).state for one in reports} == {Report.State.DONE}
    assert tasks.build_reports() == 0


def test_nobody_has_more_than_a_few_reports_under_way(team, run, monkeypatch):
    monkeypatch.setattr("audit.compliance.actions.reports.OPEN_MAX", 2)
    for _ in range(2):
        asked_for(team.engineer, team.project)
    with pytest.raises(TooMany):
        asked_for(team.engineer, team.project)
    asked_for(team.manager, team.project)


def test_a_run_that_came_after_the_moment_is_left_out_and_deleted_ones_are_asked_for(team, run):
    first = built(asked_for(team.engineer, team.project))
    later = a_run(team.scientist, name="later", status=RunStatus.FINISHED)
    set_tags(team.scientist, later, tags={"a": "b"})
    question = {"query": "", "lifecycle": "all"}
    then = built(asked_for(team.engineer, team.project, question=question, as_of=first.head_at))
    assert [row["name"] for row in table(then)] == ["gru"]
    with pytest.raises(Invalid, match="no run in it"):
        asked_for(team.engineer, team.project, question={"lifecycle": "deleted"})
