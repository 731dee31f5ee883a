"""Ticked rounds of the queue: assigned, taken, begun, withdrawn; each on its own."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions.users import change_password
from accounts.roles import Role
from audit.compliance.actions.reviews import decide_review, start_review, submit_run, withdraw_drawn
from audit.compliance.actions.sampling import draw_sample
from audit.compliance.models import Review
from audit.compliance.tasks import apply_covered_verdicts
from audit.ledger.sequencer import run_once as in_order
from experiments.models import Run
from experiments.values import ReviewState, RunStatus
from kernel.clock import now
from kernel.errors import Conflict, Invalid, NotFound, Refused
from tests.compliance.test_log import client_of
from tests.factories import PASSWORD, a_member, a_person, a_run, a_team, events_since
from tests.registry.promoting import proof_of

pytestmark = pytest.mark.django_db
TOMORROW = now().date() + dt.timedelta(days=1)


@pytest.fixture
def team():
    made = a_team()
    change_password(made.auditor, password=PASSWORD)
    return made


def ended(team) -> Run:
    return Run.objects.select_related("project").get(pk=a_run(team.scientist, status=RunStatus.FINISHED).pk)


def submitted(team, number: int = 1) -> list[Review]:
    for _ in range(number):
        submit_run(team.scientist, ended(team))
    return list(Review.objects.filter(run__project=team.project, state="submitted").select_related("run__project"))


def drawn(team, run: Run) -> Review:
    draw_sample(team.auditor, team.project, method="random", runs=[run], size=1, seed="7")
    return Review.objects.select_related("run__project").get(run=run, state="submitted")


def act(actor, team, verb: str, rounds: list[Review], **given: str):
    form = {"runs": [str(one.pk) for one in rounds], **given}
    return client_of(actor).post(f"/p/{team.project.slug}/reviews/many/{verb}/", form, follow=True)


def test_ticked_rounds_are_assigned_with_a_day_and_keep_theirs_where_none_is_given(team):
    rounds = submitted(team, 3)
    mei = str(team.auditor.user_id)
    text = act(team.auditor, team, "assign", rounds[:2], assigned_to=mei, due=TOMORROW.isoformat()).content.decode()
    assert "2 runs assigned." in text
    assert [(one.assigned_to_id, one.due) for one in Review.objects.filter(pk__in=[r.pk for r in rounds[:2]])] == [
        (team.auditor.user_id, TOMORROW)
    ] * 2
    act(team.auditor, team, "assign", rounds, assigned_to="")
    again = {one.pk: one for one in Review.objects.filter(pk__in=[r.pk for r in rounds])}
    assert [again[one.pk].due for one in rounds] == [TOMORROW, TOMORROW, None]
    assert {one.assigned_to_id for one in again.values()} == {None}


def test_one_is_taken_and_ticked_ones_are_begun_each_with_its_event(team):
    first, second = submitted(team, 2)
    page = client_of(team.auditor)
    kept = events_since(
        lambda: page.post(f"/p/{team.project.slug}/reviews/many/take/", {"one": str(first.pk), "runs": str(second.pk)})
    )
    assert [one.verb for one in kept] == ["compliance.assign_review"]
    first.refresh_from_db()
    assert first.assigned_to_id == team.auditor.user_id
    kept = events_since(lambda: act(team.auditor, team, "start", [first, second]))
    assert [one.verb for one in kept if one.verb.startswith("compliance.")] == ["compliance.start_review"] * 2
    assert set(Review.objects.filter(run__project=team.project).values_list("state", flat=True)) == {"in_review"}
    other = a_member(team.project, Role.AUDITOR, "Max")
    client_of(other).post(f"/p/{team.project.slug}/reviews/{first.pk}/take/")
    first.refresh_from_db()
    assert first.assigned_to_id == other.user_id


def test_what_cannot_be_done_is_told_and_the_rest_is_done(team):
    mine = submitted(team)[0]
    sampled = drawn(team, ended(team))
    text = act(team.auditor, team, "withdraw", [mine, sampled], reason="Drawn by mistake.").content.decode()
    assert "1 run taken out of the sample." in text
    assert f"1 not: {mine.run.readable_id}: Its author submitted it" in text
    for form, words in (({}, "Tick the runs first"), ({"runs": "seven"}, "no round of review")):
        page = client_of(team.auditor).post(f"/p/{team.project.slug}/reviews/many/start/", form, follow=True)
        assert words in page.content.decode()
    bad = act(team.auditor, team, "assign", [mine], assigned_to=str(team.scientist.user_id)).content.decode()
    assert "does not review in this project" in bad
    many = {"chosen": ",".join([str(mine.pk)] * 201)}
    page = client_of(team.auditor).post(f"/p/{team.project.slug}/reviews/many/start/", many, follow=True)
    assert "At most 200" in page.content.decode()


def test_others_are_refused_and_foreign_rounds_are_absent(team):
    (mine,) = submitted(team)
    address = f"/p/{team.project.slug}/reviews/many"
    assert client_of(team.scientist).post(f"{address}/start/", {"runs": str(mine.pk)}).status_code == 403
    assert client_of(a_person()).post(f"{address}/start/", {"runs": str(mine.pk)}).status_code == 404
    assert client_of(team.auditor).post(f"{address}/dance/", {"runs": str(mine.pk)}).status_code == 404
    other = a_team()
    (theirs,) = submitted(other)
    assert client_of(team.auditor).post(f"{address}/start/", {"runs": str(theirs.pk)}).status_code == 404
    text = client_of(team.scientist).get(f"/p/{team.project.slug}/reviews/").content.decode()
    assert 'form="selection"' not in text
    assert "data-take" in client_of(team.auditor).get(f"/p/{team.project.slug}/reviews/").content.decode()


def test_a_drawn_run_goes_out_of_its_sample_as_it_was(team):
    run = ended(team)
    review = drawn(team, run)
    with pytest.raises(Invalid):
        withdraw_drawn(team.auditor, review, reason=" ")
    with pytest.raises(Refused):
        withdraw_drawn(team.scientist, review, reason="No.")
    with pytest.raises(NotFound):
        withdraw_drawn(a_person(), review, reason="No.")
    page, address = client_of(team.auditor), f"/p/{team.project.slug}/reviews/{review.pk}/"
    assert "Withdraw it from the sample" in page.get(address).content.decode()
    assert "This field is required" in page.post(f"{address}withdraw/", {}).content.decode()
    page.post(f"{address}withdraw/", {"withdraw-reason": "Drawn by mistake."})
    review.refresh_from_db()
    run.refresh_from_db()
    assert (review.state, review.reason, run.review_state) == (
        "withdrawn", "Drawn by mistake.", ReviewState.NOT_REVIEWED,
    )  # fmt: skip
    with pytest.raises(Conflict):
        withdraw_drawn(team.auditor, review, reason="Again.")
    again = drawn(team, run)
    assert (
        page.delete(f"/api/v1/reviews/{again.pk}/", {"reason": "Over REST."}, content_type="application/json").json()[
            "state"
        ]
        == "withdrawn"
    )


def test_a_verdict_stands_while_a_drawn_round_comes_and_goes(team):
    (review,) = submitted(team)
    start_review(team.auditor, review)
    in_order()
    decide_review(team.auditor, review, compliant=True, reason="Seen.", proof=proof_of(team.auditor))
    while in_order():
        pass
    apply_covered_verdicts()
    run = Run.objects.select_related("project").get(pk=review.run_id)
    assert run.review_state == ReviewState.COMPLIANT
    withdraw_drawn(team.auditor, drawn(team, run), reason="Not this one.")
    run.refresh_from_db()
    assert run.review_state == ReviewState.COMPLIANT


def test_a_page_reads_a_run_s_facts_once_however_many_rounds_were_signed(team):
    def metrics_read(address: str) -> int:
        page = client_of(team.auditor)
        with CaptureQueriesContext(connection) as found:
            assert page.get(address).status_code == 200
        return sum("experiments_metric" in one["sql"] for one in found)

    run, read = ended(team), []
    for number in (1, 2):
        submit_run(team.scientist, Run.objects.select_related("project").get(pk=run.pk))
        review = Review.objects.select_related("run__project").get(run=run, number=number)
        while in_order():
            pass
        decide_review(team.auditor, review, compliant=True, reason="Seen.", proof=proof_of(team.auditor))
        while in_order():
            pass
        apply_covered_verdicts()
        read.append(metrics_read(f"/r/{run.uid.hex}/review/"))
    assert read[0] == read[1] > 0
