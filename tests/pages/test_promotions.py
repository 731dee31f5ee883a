"""Promotions on pages: asked by one, decided and signed by another, printed with the version."""

import re

import pytest

from artifacts.actions.recall import withdraw_version
from audit.ledger.models import AuditEvent
from registry.actions.aliases import set_alias
from registry.actions.cards import write_card
from registry.models import ModelAlias, ModelVersion, PromotionRequest
from registry.tasks import carry_out_promotions
from tests.factories import PASSWORD, Team, user_of
from tests.ledger.forger import forging
from tests.pages.conftest import Browser, address
from tests.registry.promoting import a_candidate, a_governed_team, approved_by, asked_for, log_goes_on

State = PromotionRequest.State


@pytest.fixture
def team(db, settings, tmp_path) -> Team:
    settings.MLED_DATA = tmp_path
    return a_governed_team()


@pytest.fixture
def candidate(team: Team) -> ModelVersion:
    return a_candidate(team.scientist, team.project)


@pytest.fixture
def asked(team: Team, candidate: ModelVersion) -> PromotionRequest:
    return asked_for(team, candidate)


def version_page(version: ModelVersion, rest: str = "") -> str:
    return address(version.model.project, f"models/{version.model.name}/v/{version.number}/{rest}")


def page_of(asked: PromotionRequest, rest: str = "") -> str:
    return address(asked.model.project, f"promotions/{asked.pk}/{rest}")


def sign(who: Browser, email: str, asked: PromotionRequest, decision: str = "approve", **more: str):
    fields = {"decision": decision, "confirm": "1", "password": PASSWORD, "email": email, "comment": "Checked."} | more
    return who.client.post(page_of(asked, "decide/"), fields, follow=True)


def text_of(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def fresh(asked: PromotionRequest) -> PromotionRequest:
    return PromotionRequest.objects.get(pk=asked.pk)


# --- Asking


def test_a_scientist_asks_and_sees_the_evidence_first(team, candidate):
    ada = Browser(team.scientist)
    page = ada.get(version_page(candidate, "promote/"))
    assert "Alias champion" in page
    assert "Stage Production" in page
    assert "Files present, digests recorded" in page
    page = ada.follow(version_page(candidate, "promote/"), target="alias:champion", comment="Better on every ward.")
    assert "Asked. Whoever may decide is told." in page
    assert "“Better on every ward.”" in page
    request = PromotionRequest.objects.get()
    assert (request.kind, request.target, request.state) == ("alias", "champion", State.ASKED)


def test_asking_twice_makes_one_request(team, candidate):
    ada, here = Browser(team.scientist), version_page(candidate, "promote/")
    ada.post(here, target="alias:champion")
    page = ada.post(here, expecting=200, target="alias:champion")
    assert "asked for this on" in page
    assert PromotionRequest.objects.count() == 1


@pytest.mark.parametrize("target", ["", "alias:other", "champion", "stage:Nowhere"])
def test_what_is_not_protected_cannot_be_asked_for(team, candidate, target):
    page = Browser(team.scientist).post(version_page(candidate, "promote/"), expecting=200, target=target)
    assert "invalid-feedback" in page.source
    assert not PromotionRequest.objects.exists()


def test_readers_do_not_ask_and_strangers_find_nothing(team, candidate, zoe):
    for who in (team.auditor, team.manager):
        Browser(who).get(version_page(candidate, "promote/"), expecting=403)
        Browser(who).post(version_page(candidate, "promote/"), expecting=403, target="alias:champion")
    zoe.post(version_page(candidate, "promote/"), expecting=404, target="alias:champion")
    assert not PromotionRequest.objects.exists()


# --- Looking


def test_the_panel_stands_beside_the_version_and_on_its_own_page(team, asked):
    for path in (version_page(asked.version), page_of(asked)):
        page = Browser(team.engineer).get(path)
        assert "Promotion to champion" in page
        assert "protected alias" in page
        assert "Approve and sign" in page
        assert "Evidence" in page
        assert "Approved for alias champion" in page


def test_who_asked_or_made_it_is_told_why_they_do_not_decide(team, asked):
    page = Browser(team.scientist).get(page_of(asked))
    assert "You asked for this promotion, so somebody else decides about it." in page
    assert "Approve and sign" not in page
    assert "Withdraw the request" in page


def test_an_auditor_reads_the_evidence_and_decides_nothing(team, asked):
    otto = Browser(team.auditor)
    page = otto.get(page_of(asked))
    assert "You may not approve or reject promotions" in page
    assert "Approve and sign" not in page
    text = text_of(sign(otto, user_of(team.auditor).email, asked))
    assert "You may not approve or reject promotions" in text
    assert fresh(asked).state == State.ASKED


def test_in_a_governed_project_they_are_one_click_away_for_all_who_read(team, asked):
    for who in (team.auditor, team.scientist, team.manager):
        assert Browser(who).get(address(team.project)).links(address(team.project, "promotions/"))


def test_the_list_puts_what_waits_first(team, asked):
    other = asked_for(team)
    approved_by(team.engineer, other)
    page = Browser(team.auditor).get(address(team.project, "promotions/"))
    assert "2, oldest first" in page
    assert "Requested" in page
    assert "Awaiting checkpoint" in page
    assert "1 promotion open" in Browser(team.manager).get(address(team.project, "models/"))


@pytest.mark.parametrize("rest", ["", "state/", "decide/", "withdraw/"])
def test_promotions_are_hidden_from_strangers(team, asked, zoe, rest):
    if rest in ("", "state/"):
        zoe.get(page_of(asked, rest), expecting=404)
    else:
        zoe.post(page_of(asked, rest), expecting=404, decision="approve", confirm="1", password="x")
    assert "/login/" in Browser().get(page_of(asked), expecting=302).response["Location"]
    assert fresh(asked).state == State.ASKED


def test_a_promotion_of_another_project_is_not_found(team, asked):
    other = a_governed_team()
    Browser(other.engineer).get(address(other.project, f"promotions/{asked.pk}/"), expecting=404)


# --- Deciding


def test_a_second_person_approves_with_a_signature_and_it_takes_effect(team, asked):
    emil = Browser(team.engineer)
    text = text_of(sign(emil, user_of(team.engineer).email, asked))
    assert "Approved and signed. It takes effect within seconds." in text
    assert "awaiting checkpoint" in text
    assert "hx-get" in emil.get(page_of(asked)).source
    assert "awaiting checkpoint" in emil.get(page_of(asked, "state/"))
    assert not ModelAlias.objects.filter(name="champion").exists()
    log_goes_on()
    carry_out_promotions()
    assert emil.get(page_of(asked, "state/")).response["HX-Refresh"] == "true"
    assert ModelAlias.objects.get(name="champion").version == asked.version
    page = emil.get(version_page(asked.version))
    assert "Signature Matches" in page
    assert "Signed by Emil , ML engineer" in page
    assert "Approved for alias champion" in page
    assert re.search(r"Log no\. \d+, covered by a signed checkpoint", page.text)


def test_the_page_of_the_model_leads_from_an_alias_to_the_promotion_that_set_it(team, asked):
    approved_by(team.engineer, asked)
    log_goes_on()
    carry_out_promotions()
    page = Browser(team.scientist).get(address(asked.model.project, f"models/{asked.model.name}/"))
    assert page_of(asked) in page.links("/promotions/")
    assert "set by a promotion" in page


def test_a_signature_that_matches_no_more_says_so(team, asked, settings):
    approved_by(team.engineer, asked)
    log_goes_on()
    carry_out_promotions()
    from experiments.actions.batches import log_batch
    from tests.factories import a_batch

    log_batch(team.scientist, asked.version.logged_model.source_run, batch=a_batch(auc=[0.99, 0.99, 0.99]))
    page = Browser(team.auditor).get(version_page(asked.version))
    assert "Does not match" in page
    assert "metrics" in page


def test_a_rejection_needs_a_comment_and_a_signature(team, asked):
    emil, email = Browser(team.engineer), user_of(team.engineer).email
    text = text_of(sign(emil, email, asked, "reject", comment=""))
    assert "Say why you reject this" in text
    assert fresh(asked).state == State.ASKED
    text = text_of(sign(emil, email, asked, "reject", comment="Ward 3 is worse."))
    assert "Rejected and signed." in text
    assert "“Ward 3 is worse.”" in text
    assert fresh(asked).signature is not None


def test_a_rejection_without_a_reason_asks_for_it_before_the_password(team, asked):
    answer = Browser(team.engineer).client.post(page_of(asked, "decide/"), {"decision": "reject", "comment": " "})
    assert b"Say why you reject this; it is kept." in answer.content
    assert b"data-open" not in answer.content
    assert fresh(asked).is_open


def test_without_scripts_the_dialogue_comes_open_with_what_was_written(team, asked):
    page = Browser(team.engineer).post(page_of(asked, "decide/"), expecting=200, decision="approve", comment="Fine.")
    assert "<dialog" in page.source
    assert " open data-open" in page.source
    assert "Fine." in page.source
    assert fresh(asked).state == State.ASKED


def test_no_password_and_no_address_are_no_attempt(team, asked):
    emil, email = Browser(team.engineer), user_of(team.engineer).email
    for _ in range(6):
        text = text_of(sign(emil, email, asked, password=""))
        nameless = text_of(sign(emil, "", asked))
    assert "Nothing was signed: there is no password." in text
    assert "Nothing was signed: there is no e-mail address." in nameless
    assert fresh(asked).is_open
    assert "Approved and signed." in text_of(sign(emil, email, asked))


def test_data_recalled_after_an_approval_are_flagged_on_its_page(team, asked):
    data = asked.version.run.inputs.get().dataset_version
    approved_by(team.engineer, asked)
    ada = Browser(team.scientist)
    assert "was recalled" not in ada.get(page_of(asked))
    withdraw_version(team.manager, data, reason="Wrong labels.")
    page = ada.get(page_of(asked))
    assert f"Data behind this version was recalled: {data}" in page
    assert "That came after the approval." in page


def test_a_wrong_password_signs_nothing_and_says_so_in_the_dialogue(team, asked):
    emil = Browser(team.engineer)
    response = sign(emil, user_of(team.engineer).email, asked, password="guess")
    assert response.status_code == 200
    assert "data-open" in response.content.decode()
    assert "is-invalid" in response.content.decode()
    assert fresh(asked).state == State.ASKED


def test_within_five_minutes_the_next_signature_asks_for_the_password_alone(team, asked):
    emil, email = Browser(team.engineer), user_of(team.engineer).email
    sign(emil, email, asked)
    other = asked_for(team)
    page = emil.get(page_of(other))
    assert 'name="password"' in page.source
    assert 'name="email"' not in page.source
    silent = text_of(sign(emil, "", other, "reject", password="", comment="Too many at once."))
    assert "Nothing was signed: there is no password." in silent
    assert fresh(other).is_open
    text = text_of(sign(emil, "", other, "reject", comment="Too many at once."))
    assert "Rejected and signed." in text


def test_a_signature_is_shown_even_where_the_log_was_made_to_say_what_is_no_role(team, asked):
    approved_by(team.engineer, asked)
    event = fresh(asked).signature.event_id
    with forging():
        AuditEvent.objects.filter(pk=event).update(actor_roles="ml_engineer,emperor")
        assert "Signed by Emil , ML engineer, emperor" in Browser(team.engineer).get(page_of(asked))


def test_sending_the_form_twice_decides_once(team, asked):
    emil, email = Browser(team.engineer), user_of(team.engineer).email
    sign(emil, email, asked)
    text = text_of(sign(emil, email, asked))
    assert "You approved this promotion already" in text
    assert PromotionRequest.objects.filter(state=State.APPROVED).count() == 1


def test_what_another_decided_meanwhile_is_told(team, asked):
    approved_by(team.engineer, asked)
    text = text_of(sign(Browser(team.manager), user_of(team.manager).email, asked, "reject"))
    assert "Emil approved this promotion on" in text
    assert fresh(asked).state == State.APPROVED


def test_a_point_that_blocks_is_named_and_the_button_is_off(team):
    from registry.actions.registered_models import create_registered_model
    from registry.actions.versions import create_version
    from tests.factories_registry import a_run_with_a_model

    run = a_run_with_a_model(team.scientist, team.project)
    model = create_registered_model(team.scientist, team.project, name="thin")
    version = create_version(team.scientist, model, source=f"runs:/{run.uid.hex}/model", run=run)
    asked = asked_for(team, version)
    emil = Browser(team.engineer)
    page = emil.get(page_of(asked))
    assert "block approval" in page
    assert re.search(r'value="approve"[^>]*disabled', page.source)
    text = text_of(sign(emil, user_of(team.engineer).email, asked))
    assert "It cannot be approved." in text
    assert fresh(asked).state == State.ASKED


@pytest.mark.parametrize("decision", ["", "maybe"])
def test_a_decision_that_there_is_not_is_refused(team, asked, decision):
    Browser(team.engineer).post(page_of(asked, "decide/"), expecting=400, decision=decision, confirm="1")


# --- Withdrawing


def test_who_asked_withdraws_and_others_cannot(team, asked):
    page = Browser(team.engineer).follow(page_of(asked, "withdraw/"))
    assert "Only who asked for a promotion withdraws it." in page
    page = Browser(team.scientist).follow(page_of(asked, "withdraw/"), reason="Found a bug.")
    assert "Withdrawn. Nothing was moved." in page
    assert "“Found a bug.”" in page
    again = Browser(team.scientist).follow(page_of(asked, "withdraw/"))
    assert "already" in again
    assert fresh(asked).state == State.WITHDRAWN


# --- Going back


def test_going_back_is_asked_for_where_the_alias_is_protected(team, candidate):
    from accounts.actions.governance import govern_project
    from kernel.actor import operator

    model = candidate.model
    second = a_candidate(team.scientist, team.project, model=model)
    govern_project(operator(), team.project, is_governed=False, protected_names=["champion"], reason="trial")
    set_alias(team.engineer, model, alias="champion", version=candidate)
    set_alias(team.engineer, model, alias="champion", version=second)
    govern_project(operator(), team.project, is_governed=True, protected_names=["champion"])
    page = Browser(team.scientist).get(address(team.project, f"models/{model.name}/"))
    assert "Ask to go back to v1" in page
    [link] = page.links("/promote/")
    assert 'value="alias:champion"' in Browser(team.scientist).get(link).source


def test_the_card_that_is_written_fills_the_checklist(team, asked):
    assert "Model card written" in Browser(team.engineer).get(page_of(asked))
    write_card(team.scientist, asked.version, section="limits", text="Drifts above 0.7.")
    assert "Drifts above 0.7." in Browser(team.engineer).get(page_of(asked))


# --- On other pages


def test_home_tells_what_waits_for_whoever_may_decide(team, asked):
    assert "Waiting for you" in Browser(team.engineer).get("/")
    assert page_of(asked) in Browser(team.engineer).get("/").links("/promotions/")
    for who in (team.scientist, team.auditor):
        assert "Waiting for you" not in Browser(who).get("/")
    approved_by(team.engineer, asked)
    assert "Waiting for you" not in Browser(team.manager).get("/")


def test_the_overview_tells_pending_approvals(team, asked):
    for who in (team.scientist, team.auditor, team.manager):
        page = Browser(who).get(address(team.project))
        assert "Pending approvals 1" in page
        assert page_of(asked) in page.links("/promotions/")
    assert "Pending approvals" not in Browser(team.administrator).get(address(team.project))
