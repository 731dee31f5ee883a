"""The pages of rules: what is missing and how to fix it, what people say of a rule, what a project asks."""

import html

import pytest
from django.test import Client

from audit.compliance.actions.assessments import assess_run
from audit.compliance.actions.profiles import choose_profile
from audit.compliance.models import NotApplicable, ProfileCopy, Waiver
from audit.compliance.pages.afterwards import lines_for
from experiments.actions.batches import log_batch
from experiments.queries.experiments import wire_id
from experiments.values import RunStatus
from kernel.clock import now
from tests.factories import a_batch, a_run, a_team, user_of

pytestmark = pytest.mark.django_db
TODAY = now().date().isoformat()


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team):
    made = a_run(team.scientist, name="gru", status=RunStatus.FINISHED)
    log_batch(team.scientist, made, batch=a_batch(params={"lr": "0.1"}, loss=[0.9, 0.5]))
    return made


def page_of(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def test_before_the_first_assessment_the_tab_says_when_it_comes_and_asks_on_demand(team, run):
    page = page_of(team.scientist)
    url = f"/r/{run.uid.hex}/rules/"
    assert "Not checked yet" in page.get(url).content.decode()
    page.post(f"{url}do/assess/")
    text = page.get(url).content.decode()
    assert "What is missing, and how to fix it" in text
    assert "mlflow.log_param(&quot;seed&quot;, 17)" in text
    assert "no statement that a law is complied with" in text


def test_what_can_still_be_said_of_a_run_is_said_without_opening_it_again(team, run):
    page, url = page_of(team.scientist), f"/r/{run.uid.hex}/rules/"
    page.post(f"{url}do/assess/")
    text = html.unescape(page.get(url).content.decode())
    assert "start_run(" not in text
    assert f'client.log_param("{run.uid.hex}", "seed", 17)' in text
    assert f'client.set_experiment_tag("{wire_id(run.experiment)}", "mled.units", "loss: <unit>")' in text
    assert f'client.set_tag("{run.uid.hex}", "mled.hardware"' in text
    assert "import platform" in text
    assert "client.enable_system" not in text


def test_lines_of_a_script_become_lines_for_one_run_where_they_can(team, run):
    uid = run.uid.hex
    first = "client = mlflow.MlflowClient()\n"
    assert lines_for(run, 'mlflow.set_tag("a", "b")') == f'{first}client.set_tag("{uid}", "a", "b")'
    assert lines_for(run, 'mlflow.log_artifact("uv.lock")') == f'{first}client.log_artifact("{uid}", "uv.lock")'
    slices = 'mlflow.log_metric("auroc/f", value)   # or mlflow.set_tag("mled.subgroups", "why not")'
    assert lines_for(run, slices) == f'{first}client.set_tag("{uid}", "mled.subgroups", "why not")'
    assert lines_for(run, 'mlflow.log_input(holdout, context="test")') == ""
    assert lines_for(run, "mlflow.end_run()") == lines_for(run, "") == ""


def test_the_tab_counts_what_is_not_met(team, run):
    assess_run(team.scientist, run)
    text = page_of(team.auditor).get(f"/r/{run.uid.hex}/").content.decode()
    assert f'href="/r/{run.uid.hex}/rules/">Rules<span class="n">' in text


def test_the_author_says_that_a_rule_does_not_apply_and_takes_it_back(team, run):
    page, url = page_of(team.scientist), f"/r/{run.uid.hex}/rules/"
    page.post(f"{url}do/except/", {"rule": "V5", "reason": "Nothing random in it."})
    assert NotApplicable.objects.get().reason == "Nothing random in it."
    assert "Ask it anyway" in page.get(url).content.decode()
    page.post(f"{url}do/ask/", {"rule": "V5"})
    assert not NotApplicable.objects.exists()


def test_a_manager_waives_and_an_auditor_signs_along(team, run):
    choose_profile(team.manager, team.project, profile="model-risk")
    url = f"/r/{run.uid.hex}/rules/"
    manager, auditor = page_of(team.manager), page_of(team.auditor)
    manager.post(f"{url}do/waive/", {"rule": "D1", "reason": "Bought data.", "until": TODAY})
    assert "An auditor has to sign along" in auditor.get(url).content.decode()
    auditor.post(f"{url}do/cosign/", {"rule": "D1"})
    assert Waiver.objects.get().cosigned_at is not None
    assert "until " + TODAY in auditor.get(url).content.decode()
    manager.post(f"{url}do/end/", {"rule": "D1"})
    assert Waiver.objects.get().ended_at is not None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rule": "V5", "reason": "x", "until": "soon"}, "is no day"),
        ({"rule": "V5", "reason": "", "until": TODAY}, "Say why"),
        ({"rule": "Z9", "reason": "x", "until": TODAY}, "There is no rule"),
    ],
)
def test_what_cannot_be_waived_is_said_on_the_page(team, run, given, words):
    page, url = page_of(team.manager), f"/r/{run.uid.hex}/rules/"
    assert words in page.post(f"{url}do/waive/", given, follow=True).content.decode()
    assert not Waiver.objects.exists()


def test_a_form_that_was_not_taken_stays_open_with_what_was_typed_and_the_error_at_its_field(team, run):
    page, url = page_of(team.manager), f"/r/{run.uid.hex}/rules/"
    page.post(f"{url}do/assess/")
    given = {"rule": "V5", "reason": "The <b>vendor</b> hashes it.", "until": "2026-01-01"}
    answer = page.post(f"{url}do/waive/", given)
    text = answer.content.decode()
    form = text[text.index('id="waive-V5"') :]
    form = form[: form.index("</form>")]
    assert answer.status_code == 400
    assert 'value="The &lt;b&gt;vendor&lt;/b&gt; hashes it."' in form
    assert 'value="2026-01-01" aria-describedby="unsent-why"' in form
    assert "A waiver lasts until a day within the next 366 days." in form
    assert text.count('id="unsent-why"') == text.count('<details class="mt-1" open>') == 1
    refused = page_of(team.scientist).post(f"{url}do/except/", {"rule": "V5", "reason": " "})
    assert refused.status_code == 400
    assert 'id="except-V5" name="reason" required maxlength="4000" value=" "' in refused.content.decode()
    assert page.post(f"{url}do/waive/", given | {"until": TODAY}).status_code == 302
    assert Waiver.objects.get().reason == given["reason"]


def test_who_may_not_waive_is_refused_and_an_act_that_nobody_knows_is_not_found(team, run):
    url = f"/r/{run.uid.hex}/rules/do/"
    given = {"rule": "V5", "reason": "x", "until": TODAY}
    assert page_of(team.scientist).post(f"{url}waive/", given).status_code == 403
    assert page_of(team.manager).post(f"{url}bless/").status_code == 404


def test_a_manager_chooses_profile_retention_and_what_every_run_has_to_have(team):
    page, url = page_of(team.manager), f"/p/{team.project.slug}/rules/"
    page.post(url, {"part": "following", "following-profile": "gxp"})
    page.post(url, {"part": "keeping", "keeping-retention_class": "ten-years"})
    asked = {
        "part": "asking",
        "asking-version": "0",
        "asking-required_params": "lr\n\nbatch",
        "asking-tolerances": "auroc = 0.01",
    }
    page.post(url, asked)
    team.project.refresh_from_db()
    copy = ProfileCopy.objects.get()
    assert (team.project.profile, team.project.retention_class) == ("gxp", "ten-years")
    assert (copy.required_params, copy.tolerances) == (["lr", "batch"], {"auroc": 0.01})
    text = page.get(url).content.decode()
    assert "21 CFR Part 11" in text
    assert "auroc = 0.01" in text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"part": "following", "following-profile": "house"}, "Say why"),
        ({"part": "keeping", "keeping-retention_class": "short"}, "never shorter"),
        ({"part": "asking", "asking-version": "7"}, "meanwhile"),
        ({"part": "asking", "asking-version": "0", "asking-tolerances": "auroc"}, "is no tolerance"),
    ],
)
def test_what_a_project_cannot_ask_stands_beside_its_field(team, given, words):
    page, url = page_of(team.manager), f"/p/{team.project.slug}/rules/"
    page.post(url, {"part": "following", "following-profile": "gxp"})
    page.post(url, {"part": "keeping", "keeping-retention_class": "ten-years"})
    answer = page.post(url, given)
    assert answer.status_code == 200
    assert words in answer.content.decode()


def test_a_part_that_the_rules_do_not_have_is_not_found(team):
    asked = {"part": "other", "other-profile": "gxp"}
    assert page_of(team.manager).post(f"/p/{team.project.slug}/rules/", asked).status_code == 404


def test_others_read_the_rules_and_cannot_change_them(team):
    url = f"/p/{team.project.slug}/rules/"
    assert "A project manager changes them" in page_of(team.scientist).get(url).content.decode()
    assert page_of(team.scientist).post(url, {"part": "following", "following-profile": "gxp"}).status_code == 403


def test_rules_are_asked_and_answered_by_rest(team, run):
    page = page_of(team.manager)
    base = f"/api/v1/runs/{run.uid.hex}"
    assert page.get(f"{base}/assessment/").status_code == 404
    told = page.post(f"{base}/assessment/").json()
    assert {one["rule"] for one in told["results"]} >= {"D1", "V6"}
    assert page.get(f"{base}/assessment/").json()["digest"] == told["digest"]
    made = page.put(f"{base}/rules/V5/waiver/", {"reason": "x", "until": TODAY}, content_type="application/json")
    assert made.status_code == 201
    assert [one["rule"] for one in page.get(f"{base}/waivers/").json()] == ["V5"]
    assert page.delete(f"{base}/rules/V5/waiver/").json()["ended_at"] is not None
    scientist = page_of(team.scientist)
    assert (
        scientist.put(f"{base}/rules/D1/exception/", {"reason": "x"}, content_type="application/json").status_code
        == 204
    )
    assert scientist.delete(f"{base}/rules/D1/exception/").status_code == 204
    rules = f"/api/v1/projects/{team.project.slug}/rules/"
    assert page.patch(rules, {"profile": "gxp"}, content_type="application/json").json()["profile"] == "gxp"
    own = page.put(rules, {"version": 0, "required_params": ["lr"]}, content_type="application/json").json()["own"]
    assert own["required_params"] == ["lr"]
    assert page.get(rules).json()["rules"]["D1"] == "B"
