"""What an auditor reads before signing and finds after it: counts, digests, recalls, the way on, the first page."""

import datetime as dt
import re

import pytest

from accounts.actions.governance import govern_project
from accounts.actions.users import change_password
from accounts.models import Notice
from accounts.templatetags.mled import short_digest
from artifacts.actions.recall import withdraw_version
from audit.compliance.actions.assessments import assess_run, judgement_of
from audit.compliance.actions.profiles import choose_profile
from audit.compliance.actions.reports import request_report
from audit.compliance.actions.reviews import submit_run
from audit.compliance.actions.sampling import review_trail
from audit.compliance.models import Report, Review
from audit.compliance.queries.my_work import duties_of, reports_lately
from audit.compliance.tasks import apply_covered_verdicts
from audit.ledger.sequencer import run_once as in_order
from experiments.actions.batches import log_batch
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.metrics.seal import seal_of
from experiments.models import Run
from experiments.values import RunStatus
from kernel import clock
from kernel.actor import operator
from tests.compliance.test_review_pages import a_verdict, address_of, page_of, text_of
from tests.factories import PASSWORD, a_batch, a_run, a_team, again

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    made = a_team()
    change_password(made.auditor, password=PASSWORD)
    return made


@pytest.fixture
def run(team) -> Run:
    made = a_run(team.scientist, name="gru", status=RunStatus.FINISHED)
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "0.1"}, loss=[0.9, 0.5]))
    return Run.objects.select_related("project", "created_by").get(pk=made.pk)


def submitted(team, run: Run) -> Review:
    submit_run(team.scientist, run)
    return Review.objects.select_related("run__project").get(run=run, state__in=Review.OPEN)


def test_page_and_dialogue_count_the_rules_alike_and_name_what_is_signed(team, run):
    govern_project(operator(), team.project, is_governed=True, protected_names=["production"])
    choose_profile(team.manager, team.project, profile="gxp")
    review = submitted(team, run)
    assess_run(team.scientist, run, judgement=judgement_of(run))
    url = address_of(review)
    context = page_of(team.auditor).get(url).context
    facts = dict(context["sign_facts"])
    said_there = ", ".join(f"{number} {outcome.label.lower()}" for outcome, number in context["counts"])
    later = len(context["by_verdict"])
    assert later > 1
    assert facts["Rules"] == f"{said_there}; {later} more are met by the verdict itself or after it"
    assert facts["Record"] == f"sha256:{short_digest(seal_of(run))}"
    page_of(team.auditor).post(f"{url}decide/", a_verdict(team, "flag", text="Which seed?"))
    signed = Review.objects.get(pk=review.pk).signature
    text = text_of(page_of(team.auditor).get(url))
    assert f'<dt>Record</dt><dd class="mono sm" title="{seal_of(run)}">{facts["Record"]}' in text
    assert f'<dt>Signed text</dt><dd class="mono sm" title="{signed.digest}">' in text


def test_recalled_data_is_told_beside_the_evidence_and_before_one_signs(team, run):
    log_inputs(team.scientist, run, inputs=[DatasetInput("vitals", "7be1c0f2")])
    given = run.inputs.get().dataset_version
    withdraw_version(team.scientist, given, reason="Two patients withdrew consent.")
    text = text_of(page_of(team.auditor).get(address_of(submitted(team, run))))
    assert "Recalled data</a>" in text
    assert "Built on recalled data:" in text
    assert "It was built on recalled data:" in text
    assert text.count("Two patients withdrew consent.") > 1


def test_after_a_verdict_the_next_in_the_queue_is_one_key_away(team, run):
    more = [a_run(team.scientist, name=f"gru-{number}", status=RunStatus.FINISHED) for number in (2, 3)]
    first, second, third = (submitted(team, one) for one in (run, *more))
    page = page_of(team.auditor)
    text = text_of(page.post(f"{address_of(second)}decide/", a_verdict(team), follow=True))
    assert re.search(rf'href="{address_of(third)}" data-next-run[^>]*>Next in the queue \(2 wait\)', text)
    page.post(f"{address_of(third)}decide/", a_verdict(team))
    text = text_of(page.get(address_of(third)))
    assert re.search(rf'href="{address_of(first)}" data-next-run[^>]*>Next in the queue \(1 waits\)', text)
    assert "Next in the queue" not in text_of(page_of(team.scientist).get(address_of(third)))
    page.post(f"{address_of(first)}decide/", a_verdict(team))
    assert "Next in the queue" not in text_of(page.get(address_of(first)))


def test_the_link_to_a_rounds_history_and_the_notice_of_a_verdict_name_the_run(team, run):
    review = submitted(team, run)
    page = page_of(team.auditor)
    assert f"of round 1 of {run.readable_id}</span>" in text_of(page.get(address_of(review)))
    page.post(f"{address_of(review)}decide/", a_verdict(team, "flag", text="Which seed?"))
    in_order()
    apply_covered_verdicts()
    assert f"{run.readable_id} was flagged by" in Notice.objects.get(kind="review.decided").text


def test_who_audits_sees_on_their_first_page_what_waits_in_each_project(team, run):
    auditor, queue = page_of(team.auditor), f"/p/{team.project.slug}/reviews/"
    submitted(team, run)
    text = text_of(auditor.get("/"))
    assert "1 run waits for a verdict" in text
    assert f'href="{queue}">1 to review' in text
    assert "review overdue" not in text
    for other in (team.scientist, team.administrator, a_team().auditor):
        assert f'href="{queue}">1 to review' not in text_of(page_of(other).get("/"))


def test_what_is_done_every_quarter_is_overdue_after_one(team, monkeypatch):
    assert duties_of(again(team.auditor)) == []
    later = clock.now() + dt.timedelta(days=91)
    monkeypatch.setattr(clock, "_now", later.timestamp)
    (found,) = duties_of(again(team.auditor))
    assert (found.waiting, found.trail_overdue, found.access_overdue) == (0, True, True)
    in_order()
    review_trail(team.auditor, team.project, up_to=0, note="Nothing odd.")
    (found,) = duties_of(again(team.auditor))
    assert (found.trail_overdue, found.access_overdue) == (False, True)
    assert duties_of(again(team.scientist)) == []


def test_ones_own_reports_of_the_last_days_stand_on_the_first_page(team, run, monkeypatch):
    made = request_report(
        team.auditor, team.project, kind=Report.Kind.COMPLIANCE, scope=Report.Scope.PROJECT, title="For March"
    )
    address = f'href="/p/{team.project.slug}/reports/{made.pk}/"'
    assert address in text_of(page_of(team.auditor).get("/"))
    assert address not in text_of(page_of(team.manager).get("/"))
    assert not reports_lately(a_team().auditor).exists()
    assert list(reports_lately(team.auditor)) == [made]
    later = clock.now() + dt.timedelta(days=8)
    monkeypatch.setattr(clock, "_now", later.timestamp)
    assert not reports_lately(team.auditor).exists()
