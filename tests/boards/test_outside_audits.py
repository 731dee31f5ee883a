"""A public board and audits keep out of each other's way, and the log tells what happened all the same."""

import dataclasses

import pytest

from accounts.actions.governance import govern_project
from accounts.actions.projects import edit_project
from accounts.models import Project
from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.findings import Flag, open_finding
from audit.compliance.actions.holds import place_hold
from audit.compliance.actions.profiles import choose_profile
from audit.compliance.actions.reports import request_report
from audit.compliance.actions.reviews import submit_run
from audit.compliance.models import Report
from boards.actions.boards import end_board, open_board, set_terms
from boards.models import Board
from experiments.models import Experiment, Run
from experiments.values import RunStatus
from kernel.errors import Conflict, Invalid, NotFound, Refused
from tests.boards.making import TERMS, an_entry
from tests.factories import a_person, a_run, again, an_administrator, events_since


def opening(team):
    return open_board(team.manager, team.project, terms=TERMS)


def test_a_manager_opens_a_board_with_an_experiment_of_its_own(team):
    a_run(team.scientist)
    [event] = events_since(lambda: opening(team))
    board = Board.objects.get(project=team.project)
    assert (event.verb, event.subject) == ("boards.open_board", f"boards.board {board.pk.hex}")
    assert event.changed("accounts.project")["visibility"] == ["private", "board"]
    assert board.experiment.name == "Entries"
    assert not Run.objects.filter(experiment=board.experiment).exists()


def test_opening_it_again_sets_its_terms_and_keeps_its_entries(team, board):
    an_entry(board)
    end_board(team.manager, board, reason="For now.")
    assert not events_since(lambda: end_board(team.manager, board, reason="For now."))
    again_open = open_board(team.manager, team.project, terms=dataclasses.replace(TERMS, question="Other?"))
    assert (again_open.pk, again_open.question, again_open.experiment) == (board.pk, "Other?", board.experiment)
    assert Experiment.objects.filter(project=team.project, name__startswith="Entries").count() == 1
    end_board(team.manager, board, reason="Over.")
    with pytest.raises(Conflict, match="no board any more"):
        set_terms(team.manager, board, terms=TERMS)


def test_only_a_manager_opens_sets_terms_and_ends(team, board):
    for who in (team.scientist, team.engineer, team.auditor, an_administrator(), a_person()):
        for act in (
            lambda w: open_board(w, team.project, terms=TERMS),
            lambda w: set_terms(w, board, terms=TERMS),
            lambda w: end_board(w, board, reason="No."),
        ):
            with pytest.raises((Refused, NotFound)):
                act(who)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"question": " "}, "question"),
        ({"question": "x" * 301}, "question"),
        ({"result_key": "a//b"}, "result_key"),
        ({"entries_a_day": 0}, "entries_a_day"),
        ({"instructions": "x" * 20_001}, "instructions"),
        ({"result_label": "a\x00"}, "result_label"),
    ],
)
def test_wrong_terms_are_told(team, wrong, field):
    with pytest.raises(Invalid) as told:
        open_board(team.manager, team.project, terms=dataclasses.replace(TERMS, **wrong))
    assert told.value.field == field
    assert not Project.objects.get(pk=team.project.pk).is_board


def test_a_governed_project_or_one_under_audit_becomes_no_board(team):
    govern_project(team.manager, team.project, is_governed=True, protected_names=["production"])
    with pytest.raises(Conflict, match="governed"):
        opening(team)
    govern_project(team.manager, team.project, is_governed=False, protected_names=[], reason="Again open.")
    edit_project(team.manager, team.project, risk_class="high")
    with pytest.raises(Conflict, match="high risk"):
        opening(team)
    edit_project(team.manager, team.project, risk_class="limited")
    hold = place_hold(team.manager, team.project, reason="Asked for.")
    with pytest.raises(Conflict, match="hold"):
        opening(team)
    assert hold.lifted_at is None


def test_a_reviewed_project_becomes_no_board(team):
    submit_run(team.scientist, a_run(team.scientist, status=RunStatus.FINISHED))
    with pytest.raises(Conflict, match="Auditors reviewed"):
        opening(team)


def test_a_project_with_rules_of_its_own_becomes_no_board(team):
    choose_profile(team.manager, team.project, profile="eu-ai-act-high-risk")
    with pytest.raises(Conflict, match="rules"):
        opening(team)


def test_a_board_is_neither_governed_nor_reviewed_nor_reported(team, board):
    entry, _ = an_entry(board)
    run = Run.objects.select_related("project").get(pk=entry.run_id)
    manager, auditor = again(team.manager), again(team.auditor)
    mine = Run.objects.get(pk=a_run(team.scientist, status=RunStatus.FINISHED).pk)
    flag = Flag(kind="other", text="Look.")
    refused = (
        lambda: govern_project(manager, team.project, is_governed=True, protected_names=["production"]),
        lambda: edit_project(manager, team.project, risk_class="high"),
        lambda: choose_profile(manager, run.project, profile="eu-ai-act-high-risk"),
        lambda: submit_run(again(team.scientist), mine),
        lambda: assess_run(auditor, run),
        lambda: open_finding(auditor, run, flag),
        lambda: request_report(
            auditor,
            run.project,
            kind=Report.Kind.COMPLIANCE,
            scope=Report.Scope.RUN,
            title="",
            reason="x",
            subject=run.uid.hex,
        ),
    )
    for act in refused:
        with pytest.raises(Conflict, match="board"):
            act()


def test_a_board_that_ended_may_be_reviewed_again(team, board):
    mine = a_run(team.scientist, status=RunStatus.FINISHED)
    end_board(team.manager, board, reason="Over.")
    assert submit_run(again(team.scientist), Run.objects.get(pk=mine.pk)).review_state == "submitted"
