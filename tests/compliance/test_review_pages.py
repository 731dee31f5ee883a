"""The pages of reviews: a run's tab, a round with its verdict, the queue."""

import datetime as dt
import re

import pytest
from django.test import Client

from accounts.actions.governance import govern_project
from accounts.actions.users import change_password
from accounts.models import Project
from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.findings import Flag, answer_finding, open_finding
from audit.compliance.actions.profiles import choose_profile
from audit.compliance.actions.reviews import amend_run, submit_run
from audit.compliance.actions.sampling import draw_sample
from audit.compliance.models import Draw, Finding, Review, TrailReview
from audit.compliance.pages import assurance
from audit.compliance.pages.run_review import pairs_in, said
from audit.compliance.queries.reviews import Change
from audit.compliance.tasks import apply_covered_verdicts
from audit.compliance.trail import trail_is_overdue
from audit.ledger.sequencer import run_once as in_order
from experiments.actions.batches import log_batch
from experiments.actions.runs import set_tags
from experiments.models import Param, Run
from experiments.queries.runs import tags_of
from experiments.values import ReviewState, RunStatus
from kernel.actor import operator, system
from kernel.clock import now
from kernel.errors import Invalid
from tests.factories import PASSWORD, a_batch, a_person, a_run, a_team, user_of

pytestmark = pytest.mark.django_db
TOMORROW = (now().date() + dt.timedelta(days=1)).isoformat()


@pytest.fixture
def team():
    made = a_team()
    change_password(made.auditor, password=PASSWORD)
    return made


@pytest.fixture
def run(team) -> Run:
    made = a_run(team.scientist, name="gru", status=RunStatus.FINISHED)
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "0.1"}, tags={"stage": "draft"}, loss=[0.9, 0.5]))
    return Run.objects.select_related("project", "created_by").get(pk=made.pk)


def page_of(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def text_of(response) -> str:
    return response.content.decode()


def submitted(team, run: Run) -> Review:
    submit_run(team.scientist, run, comment="Ready for you.")
    return Review.objects.select_related("run__project").get(run=run, state__in=Review.OPEN)


def address_of(review: Review) -> str:
    return f"/p/{review.run.project.slug}/reviews/{review.pk}/"


def a_verdict(team, decision: str = "compliant", **given: str) -> dict[str, str]:
    signed = {"email": user_of(team.auditor).email, "password": PASSWORD, "confirm": "1"}
    return {"decision": decision, "comment": "Seen.", "kind": "missing", **signed, **given}


# --- The run's tab


def test_an_author_submits_withdraws_and_the_tab_says_where_it_stands(team, run):
    page, url = page_of(team.scientist), f"/r/{run.uid.hex}/review/"
    text = text_of(page.get(url))
    assert "Not reviewed yet" in text
    assert "Submit for review" in text
    page.post(f"{url}do/submit/", {"submit-comment": "Ready for you."})
    text = text_of(page.get(url))
    assert "Ready for you." in text
    assert "nobody yet" in text
    page.post(f"{url}do/withdraw/", {"withdraw-reason": "Not yet."})
    assert Review.objects.get().state == Review.State.WITHDRAWN
    assert "Not yet." in text_of(page.get(url))


def test_rules_asked_before_the_verdict_say_that_they_are_asked_again(team, run):
    assess_run(team.scientist, run)
    page, rules = page_of(team.auditor), f"/r/{run.uid.hex}/rules/"
    review = submitted(team, run)
    page.post(f"{address_of(review)}start/")
    in_order()
    assert "met by the verdict itself or after it" in text_of(page.get(address_of(review)))
    page.post(f"{address_of(review)}decide/", a_verdict(team))
    in_order()
    apply_covered_verdicts()
    decided = text_of(page.get(address_of(review)))
    assert "left to the verdict and what follows it" in decided
    assert "Nobody has approved it with a signature." not in decided
    run.refresh_from_db()
    assert run.review_state == ReviewState.COMPLIANT
    text = text_of(page.get(rules))
    assert "Nobody has approved it with a signature." in text
    assert "Something changed since these were checked" in text
    assess_run(system(), Run.objects.select_related("project").get(pk=run.pk))
    text = text_of(page.get(rules))
    assert "Something changed since" not in text
    assert "Nobody has approved it with a signature." not in text


def test_empty_parameters_and_tags_are_said_to_be_empty_in_the_evidence(team):
    bare = a_run(team.scientist, status=RunStatus.FINISHED)
    log_batch(team.scientist, bare, batch=a_batch(params={"ignore": ""}, tags={"why": ""}))
    text = text_of(page_of(team.auditor).get(address_of(submitted(team, bare))))
    for key in ("ignore", "why"):
        assert f'<dt title="{key}">{key}</dt><dd title=""><span class="t3">empty</span></dd>' in text


def test_what_cannot_be_submitted_or_amended_stands_beside_its_field(team, run):
    page, url = page_of(team.scientist), f"/r/{run.uid.hex}/review/do/"
    submitted(team, run)
    assert "is in review already" in text_of(page.post(f"{url}submit/", {}, follow=True))
    assert "This field is required" in text_of(page.post(f"{url}amend/", {"amend-tags": "a = b"}))
    text = text_of(page.post(f"{url}amend/", {"amend-reason": "x", "amend-params": "seed"}))
    assert "names no value" in text
    assert "id_amend-params_error" in text
    assert not Param.objects.filter(run=run, key="seed").exists()


def test_an_amendment_puts_no_old_note_back_over_a_newer_one(team, run):
    submit_run(team.scientist, run)
    page, url = page_of(team.scientist), f"/r/{run.uid.hex}/review/"
    opened = page.get(url).content.decode()
    before = re.search(r'name="amend-before" value="([0-9a-f]+)"', opened)
    assert before is not None
    amend_run(team.scientist, run, reason="Newer.", note="Written in another window.")
    late = {"amend-reason": "Old tab.", "amend-name": run.name, "amend-note": "Old.", "amend-before": before.group(1)}
    told = page.post(f"{url}do/amend/", late)
    answer = text_of(told)
    assert "Somebody changed name or note while you wrote" in answer
    assert "Written in another window." in answer
    assert tags_of(team.scientist, run)["mlflow.note.content"] == "Written in another window."
    now_ = re.search(r'name="amend-before" value="([0-9a-f]+)"', told.content.decode())
    assert now_ is not None
    page.post(f"{url}do/amend/", late | {"amend-before": now_.group(1)})
    assert tags_of(team.scientist, run)["mlflow.note.content"] == "Old."


def test_an_author_amends_what_was_submitted_with_a_reason(team, run):
    submitted(team, run)
    url = f"/r/{run.uid.hex}/review/do/amend/"
    given = {"amend-reason": "The seed was missing.", "amend-params": "seed = 17", "amend-tags": "stage = candidate"}
    page_of(team.scientist).post(url, {**given, "amend-name": "gru-2", "amend-note": "Better."})
    assert Param.objects.get(run=run, key="seed").value == "17"
    run.refresh_from_db()
    assert run.name == "gru-2"
    history = text_of(page_of(team.auditor).get(f"/r/{run.uid.hex}/history/"))
    assert "Reason: The seed was missing." in history
    assert "amended the run" in history


def test_a_sample_locks_nothing_even_where_submitting_does_and_the_tab_says_so(team, run):
    govern_project(operator(), team.project, is_governed=True, protected_names=["production"])
    draw_sample(team.auditor, team.project, method="random", runs=[run], size=1, seed="s")
    url = f"/r/{run.uid.hex}/review/"
    assert "A sample does not lock it" in text_of(page_of(team.scientist).get(url))
    set_tags(team.scientist, Run.objects.get(pk=run.pk), tags={"note": "still written to"})
    assert not Run.objects.get(pk=run.pk).is_locked


def test_others_read_the_tab_and_cannot_submit_and_outsiders_find_nothing(team, run):
    url = f"/r/{run.uid.hex}/review/"
    text = text_of(page_of(team.engineer).get(url))
    assert "Submit for review" not in text
    assert "Its author submits it" in text
    assert page_of(team.engineer).post(f"{url}do/submit/", {}).status_code == 403
    assert page_of(team.scientist).post(f"{url}do/bless/", {}).status_code == 404
    outsider = page_of(a_person())
    assert outsider.get(url).status_code == 404
    assert outsider.post(f"{url}do/submit/", {}).status_code == 404
    assert Client().get(url).status_code == 302


# --- A round


def test_an_auditor_reads_the_evidence_and_signs_that_it_is_compliant(team, run):
    review = submitted(team, run)
    page, url = page_of(team.auditor), address_of(review)
    text = text_of(page.get(url))
    for words in ("Ready for you.", "loss", "lr", "Code and environment", "Latest history", "Rules", "Verdict"):
        assert words in text
    page.post(f"{url}start/")
    assert Review.objects.get().state == Review.State.IN_REVIEW
    assert "data-open" in text_of(page.post(f"{url}decide/", {"decision": "compliant", "comment": "Seen."}))
    in_order()
    page.post(f"{url}decide/", a_verdict(team))
    said_then = {one["rule"]: one["outcome"] for one in Review.objects.get().assessment.results}
    assert said_then["H1"] == "pass"
    assert "awaiting checkpoint" in text_of(page.get(url))
    assert "awaiting checkpoint" in text_of(page.get(f"{url}state/"))
    in_order()
    apply_covered_verdicts()
    assert page.get(f"{url}state/").headers["HX-Refresh"] == "true"
    text = text_of(page.get(url))
    assert "covered by a signed checkpoint" in text
    assert "Nothing. The record is as it was decided about." in text
    run.refresh_from_db()
    assert run.review_state == ReviewState.COMPLIANT
    page.post(f"{url}decide/", a_verdict(team), follow=True)
    assert Review.objects.get().state == Review.State.COMPLIANT


def test_a_flag_opens_a_finding_that_is_answered_asked_again_and_closed(team, run):
    url = address_of(submitted(team, run))
    auditor, author = page_of(team.auditor), page_of(team.scientist)
    found = {"text": "Which seed?", "rule": "V5", "due": TOMORROW}
    auditor.post(f"{url}decide/", a_verdict(team, "flag", **found))
    in_order()
    apply_covered_verdicts()
    finding = Finding.objects.get()
    assert (finding.text, finding.rule, finding.owner_id) == ("Which seed?", "V5", team.scientist.user_id)
    tab, acts = f"/r/{run.uid.hex}/review/", f"/findings/{finding.pk}/do/"
    text = text_of(author.get(tab))
    assert "Which seed?" in text
    assert "Answer 1 finding; then submit it again." in text
    assert "Say it in words." in text_of(author.post(f"{acts}answer/", {"text": "  "}))
    author.post(f"{acts}answer/", {"text": "It was 17."})
    auditor.post(f"{acts}again/", {"text": "Where does it stand?"})
    author.post(f"{acts}answer/", {"text": "Now in the parameters."})
    gone = auditor.post(f"{acts}close/", {"text": "seed = 17 is there.", "review": url.split("/")[-2]})
    assert gone.url.startswith(url)
    text = text_of(author.get(tab))
    for words in ("It was 17.", "Where does it stand?", "seed = 17 is there.", "Submit for review"):
        assert words in text
    assert "This finding is closed." in text_of(author.post(f"{acts}answer/", {"text": "More."}, follow=True))
    assert author.post(f"{acts}close/", {"text": "x"}).status_code == 403
    assert page_of(a_person()).post(f"{acts}answer/", {"text": "x"}).status_code == 404


def test_what_is_found_wrong_with_a_verdict_stands_where_it_was_written(team, run):
    review = submitted(team, run)
    page, url = page_of(team.auditor), f"{address_of(review)}decide/"
    assert "Say why it is flagged" in text_of(page.post(url, a_verdict(team, "flag", comment="")))
    assert "a flag has at least one finding" in text_of(page.post(url, a_verdict(team, "flag")))
    late = text_of(page.post(url, a_verdict(team, "flag", text="Which seed?", due="2020-01-01")))
    assert re.search(r'role="alert">.*Not signed: The day is past\.', late)
    assert "id_due_error" in late
    assert re.search(r"<input[^>]*name=\"due\"[^>]*autofocus", late)
    assert f'min="{now().date().isoformat()}"' in late
    assert ">Which seed?</textarea>" in late.replace("\n", "")
    assert late.count("autofocus") == 1
    assert "data-open" in text_of(page.post(url, a_verdict(team, password="wrong")))
    assert page.post(url, a_verdict(team, "bless")).status_code == 400
    review.refresh_from_db()
    assert review.is_open
    assert not Finding.objects.exists()


def test_who_had_a_hand_in_the_run_sees_why_they_do_not_decide(team, run):
    review = submitted(team, run)
    url = address_of(review)
    text = text_of(page_of(team.scientist).get(url))
    assert "why-not" in text
    assert "data-decision" not in text
    assert page_of(team.scientist).post(f"{url}decide/", a_verdict(team)).status_code == 403
    outsider = page_of(a_person())
    assert outsider.get(url).status_code == outsider.post(f"{url}decide/", a_verdict(team)).status_code == 404


def test_rules_of_a_governed_project_stand_in_the_way_of_a_verdict(team, run):
    govern_project(operator(), team.project, is_governed=True, protected_names=["production"])
    choose_profile(team.manager, team.project, profile="gxp")
    page, url = page_of(team.auditor), address_of(submitted(team, run))
    assert "rules block it" in text_of(page.post(f"{url}decide/", a_verdict(team)))
    assert Review.objects.get().is_open


def test_a_change_after_the_verdict_stands_on_both_pages(team, run):
    review = submitted(team, run)
    url = address_of(review)
    page_of(team.auditor).post(f"{url}decide/", a_verdict(team))
    in_order()
    apply_covered_verdicts()
    amend_run(team.scientist, run, reason="It went on.", tags={"stage": "production"})
    for text in (
        text_of(page_of(team.auditor).get(url)),
        text_of(page_of(team.scientist).get(f"/r/{run.uid.hex}/review/")),
    ):
        assert "Changed since the verdict of round 1" in text
        assert "tags › stage" in text
        assert "Does not match" in text
    queue = text_of(page_of(team.auditor).get(f"/p/{team.project.slug}/reviews/?state=changed"))
    assert run.readable_id in queue


# --- The queue


def test_the_queue_lists_what_waits_and_the_sidebar_counts_it(team, run):
    url = f"/p/{team.project.slug}/reviews/"
    auditor = page_of(team.auditor)
    assert "Nothing waits for a verdict" in text_of(auditor.get(url))
    review = submitted(team, run)
    text = text_of(auditor.get(url))
    assert f'href="{address_of(review)}"' in text
    assert 'Review queue<span class="n">1</span>' in text
    assert "Not due yet" in text
    for state, words in (("flagged", "No run is flagged"), ("compliant", "No run was found"), ("odd", "gru")):
        assert words in text_of(auditor.get(f"{url}?state={state}"))
    assert page_of(a_person()).get(url).status_code == 404


def test_an_auditor_assigns_in_place_and_a_day_gone_by_is_called_overdue(team, run):
    review = submitted(team, run)
    page, url = page_of(team.auditor), f"/p/{team.project.slug}/reviews/"
    given = {"assigned_to": str(team.auditor.user_id), "due": "2020-01-01", "back": f"{url}?page=1"}
    assert page.post(f"{address_of(review)}assign/", given).url == f"{url}?page=1"
    review.refresh_from_db()
    assert (review.assigned_to_id, review.due) == (team.auditor.user_id, dt.date(2020, 1, 1))
    assert "overdue" in text_of(page.get(url))
    bad = page.post(f"{address_of(review)}assign/", {"due": "soon", "back": "//evil.example.org/"}, follow=True)
    assert "is no day" in text_of(bad)
    wrong = {"assigned_to": str(team.scientist.user_id)}
    assert "does not review" in text_of(page.post(f"{address_of(review)}assign/", wrong, follow=True))
    assert page_of(team.scientist).post(f"{address_of(review)}assign/", given).status_code == 403


def test_a_sample_is_drawn_and_what_cannot_be_drawn_is_said(team, run):
    page, url = page_of(team.auditor), f"/p/{team.project.slug}/reviews/"
    given = {"draw-method": "random", "draw-size": "1", "draw-seed": "41077", "draw-question": ""}
    page.post(f"{url}do/draw/", given)
    assert Draw.objects.get().drawn == [run.uid.hex]
    text = text_of(page.get(url))
    assert "41077" in text
    assert "1 of 1" in text
    for wrong, words in (
        ({"draw-seed": ""}, "A seed has 1 to"),
        ({"draw-size": "7"}, "Draw 1 to 1"),
        ({"draw-question": "loss >"}, "id_draw-question_error"),
        ({"draw-method": "model", "draw-question": "none-such"}, "id_draw-question_error"),
    ):
        answer = page.post(f"{url}do/draw/", {**given, **wrong})
        assert answer.status_code == 200
        assert words in text_of(answer)
    assert Draw.objects.count() == 1
    assert page_of(team.scientist).post(f"{url}do/draw/", given).status_code == 403
    assert page.post(f"{url}do/bless/", given).status_code == 404


def test_an_auditor_records_that_the_trail_was_looked_through(team, run):
    in_order()
    page, url = page_of(team.auditor), f"/p/{team.project.slug}/reviews/"
    assert "Nobody has looked through it yet" in text_of(page.get(url))
    far = page.post(f"{url}do/trail/", {"trail-up_to": "999999", "trail-note": "All."})
    assert "id_trail-up_to_error" in text_of(far)
    page.post(f"{url}do/trail/", {"trail-up_to": "0", "trail-note": "Nothing odd."})
    assert TrailReview.objects.get().note == "Nothing odd."
    assert "Up to date" in text_of(page.get(url))
    assert page_of(team.manager).post(f"{url}do/trail/", {"trail-up_to": "0", "trail-note": "x"}).status_code == 403


def test_what_waits_for_somebody_stands_on_their_first_page(team, run):
    review = submitted(team, run)
    auditor, author = page_of(team.auditor), page_of(team.scientist)
    assert "Reviews and findings for you" not in text_of(auditor.get("/"))
    auditor.post(f"{address_of(review)}assign/", {"assigned_to": str(team.auditor.user_id), "due": TOMORROW})
    assert f'href="{address_of(review)}"' in text_of(auditor.get("/"))
    auditor.post(f"{address_of(review)}decide/", a_verdict(team, "flag", text="Which seed?"))
    assert "Which seed?" in text_of(author.get("/"))
    first = text_of(auditor.get("/"))
    assert "Reviews and findings for you" not in first
    assert "Which seed?" not in first
    answer_finding(team.scientist, Finding.objects.get(), text="17.")
    assert "Which seed?" in text_of(auditor.get("/"))


def test_selected_runs_are_sent_to_review_together(team, run):
    page, going_on = page_of(team.scientist), a_run(team.scientist, name="going-on")
    url = f"/p/{team.project.slug}/runs/"
    assert "Request review" in text_of(page.get(url))
    chosen = {"runs": f"{run.readable_id},{going_on.readable_id}"}
    text = text_of(page.post(f"{url}do/request-review/", chosen, follow=True))
    assert "1 run sent to review" in text
    assert "Only a run that has ended is reviewed." in text
    assert [one.run_id for one in Review.objects.all()] == [run.pk]


# --- Words


def test_a_trail_is_overdue_after_ninety_days():
    old, young = Project(created_at=now() - dt.timedelta(days=91)), Project(created_at=now())
    assert trail_is_overdue(old, None)
    assert not trail_is_overdue(young, None)
    assert trail_is_overdue(old, now() - dt.timedelta(days=91))
    assert not trail_is_overdue(old, now() - dt.timedelta(days=89))


def test_pairs_are_read_a_line_each():
    assert pairs_in("seed = 17\n\n url= a=b ", "params") == {"seed": "17", "url": "a=b"}
    with pytest.raises(Invalid, match="names no value"):
        pairs_in("= 3", "params")


def test_changes_are_said_in_short_words():
    told = said([Change("metrics › loss", None, {"value": 0.5, "step": 3}), Change("tags › a", "x" * 100, None)])
    assert told == [Change("metrics › loss", "", "value 0.5, step 3"), Change("tags › a", "x" * 60 + "…", "")]


def test_a_finding_that_was_answered_counts_no_more_on_the_tab(team, run):
    url = address_of(submitted(team, run))
    page_of(team.auditor).post(f"{url}decide/", a_verdict(team, "flag", text="Which seed?"))
    page = page_of(team.scientist)
    assert '/review/">Review<span class="n">1</span>' in text_of(page.get(f"/r/{run.uid.hex}/"))
    answer_finding(team.scientist, Finding.objects.get(), text="17.")
    assert '/review/">Review</a>' in text_of(page.get(f"/r/{run.uid.hex}/"))


def test_a_tag_of_an_open_project_changes_under_review_and_the_next_round_says_so(team, run):
    url = address_of(submitted(team, run))
    page_of(team.auditor).post(f"{url}decide/", a_verdict(team, "flag", text="Which seed?"))
    in_order()
    apply_covered_verdicts()
    set_tags(team.scientist, Run.objects.get(pk=run.pk), tags={"stage": "late"})
    answer_finding(team.scientist, Finding.objects.get(), text="17.")
    second = submitted(team, Run.objects.select_related("project", "created_by").get(pk=run.pk))
    text = text_of(page_of(team.auditor).get(address_of(second)))
    assert "Changed since the verdict of round 1" in text
    assert '<span class="old">draft</span>' in text


# --- A project's first page


def test_the_overview_says_how_runs_stand_and_leads_to_them(team, run):
    page = text_of(page_of(team.manager).get(f"/p/{team.project.slug}/"))
    assert "No run was sent to review yet." in page
    submit_run(team.scientist, run, comment="")
    for who in (team.manager, team.scientist, team.engineer, team.auditor):
        page = text_of(page_of(who).get(f"/p/{team.project.slug}/"))
        panel = re.search(r'aria-labelledby="assurance-h".*?</section>', page, re.S)
        assert panel
        assert f'<a href="/p/{team.project.slug}/reviews/">1 run</a>' in panel[0]
        assert '<dt>Flagged</dt><dd><span class="t3">none</span>' in panel[0]
    assert "assurance-h" not in text_of(page_of(team.administrator).get(f"/p/{team.project.slug}/"))


def test_the_overview_counts_findings_and_those_that_are_overdue(team, run, monkeypatch):
    for days in (1, 2):
        flag = Flag("other", "Why?", due=now().date() + dt.timedelta(days=days))
        open_finding(team.auditor, run, flag=flag)
    monkeypatch.setattr(assurance, "now", lambda: now() + dt.timedelta(days=2))
    page = text_of(page_of(team.manager).get(f"/p/{team.project.slug}/"))
    assert 'findings-h">2</a>, <span class="down">1 overdue</span>' in page
