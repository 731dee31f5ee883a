"""A model from a run to production in the browser: registered, asked for by one, refused to them, signed by another."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Logged, copied
from tests.browser.looking import faults_of, serious
from tests.services.live import LiveMled

pytestmark = pytest.mark.once

EMIL, ERIN, MONA = "emil.ward@example.org", "erin.ward@example.org", "mona.ward@example.org"
ROLES = {EMIL: "ml_engineer", ERIN: "ml_engineer", MONA: "project_manager"}
LONG = "W" * 256
PAGES = [
    "/",
    "/p/ward/",
    "/p/ward/models/",
    "/p/ward/models/?q=nothing",
    "/p/ward/register/",
    "/p/ward/models/sepsis-risk/",
    "/p/ward/models/sepsis-risk/?edit=description",
    "/p/ward/models/sepsis-risk/compare/?all=1",
    "/p/ward/models/sepsis-risk/history/",
    "/p/ward/models/sepsis-risk/v/1/",
    "/p/ward/models/sepsis-risk/v/2/",
    "/p/ward/models/sepsis-risk/v/2/card/?edit=limits",
    "/p/ward/models/sepsis-risk/v/2/files/",
    "/p/ward/models/sepsis-risk/v/2/deliveries/",
    "/p/ward/models/sepsis-risk/v/2/history/",
    "/p/ward/models/sepsis-risk/v/3/promote/",
    f"/p/ward/models/{LONG}/",
    f"/p/ward/models/{LONG}/v/1/",
    "/p/ward/promotions/",
    "/p/ward/promotions/{promotion}/",
    "/p/ward/webhooks/",
    "/p/ward/webhooks/{webhook}/",
    "/p/ward/settings/",
    "/r/{run}/",
    "/jump/?q=sepsis",
]


@dataclasses.dataclass(frozen=True)
class Ward:
    """A governed project with a model in it: its people's passwords, its runs by name, what waits in it."""

    live: LiveMled
    passwords: dict[str, str]
    runs: dict[str, str]
    promotion: str
    webhook: str


@pytest.fixture(scope="session")
def ward(logged: Logged) -> Ward:
    live = logged.live
    live.create_project("ward", name="Ward risk")
    passwords = {
        email: live.create_user(email, name=email.split(".")[0].capitalize(), role=role, project="ward")
        for email, role in ROLES.items()
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", live.issue_token(EMIL))
        runs = _log(live.tracking_uri("ward"))
    with live.in_database():
        promotion, webhook = _arranged()
    return Ward(live, passwords, runs, promotion, webhook)


def _log(uri: str) -> dict[str, str]:
    """Four runs with a model among their files, by MLflow's client; three of them registered."""
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, DatasetInput

    client, runs = MlflowClient(uri), {}
    experiment = client.create_experiment("wards")
    data = DatasetInput(Dataset("icu-vitals", "7be1c0f2a94440c9", "local", "s3://vitals/7"), [])
    for number, name in enumerate(("gru-d", "tcn", "transformer-m", "wide")):
        run = client.create_run(experiment, run_name=name).info.run_id
        client.log_inputs(run, [data])
        client.log_param(run, "lr", str(10**-number))
        client.log_param(run, "layers", "4")
        for key, value in {"auroc": 0.85 + number / 100, "ece": 0.03 + number / 200, "latency_ms": 11.0}.items():
            client.log_metric(run, f"test/{key}", value)
        client.log_text(run, f"flavors:\n  python_function: {{}}\nrun_id: {run}\n", "model/MLmodel")
        client.log_text(run, f"weights of {name}", "model/model.pkl")
        client.set_terminated(run)
        runs[name] = run
    client.create_registered_model("sepsis-risk", description="Hourly score for **adult** ICU patients.")
    for name in ("gru-d", "tcn", "transformer-m"):
        client.create_model_version("sepsis-risk", f"runs:/{runs[name]}/model", run_id=runs[name])
    client.set_registered_model_alias("sepsis-risk", "champion", "1")
    client.set_registered_model_alias("sepsis-risk", "candidate", "2")
    client.create_registered_model(LONG, tags={"t" * 250: "v" * 4000})
    client.create_model_version(LONG, f"runs:/{runs['wide']}/model", run_id=runs["wide"], tags={"k" * 250: "v" * 900})
    return runs


def _arranged() -> tuple[str, str]:
    """The project is governed, version 2 is asked for by Emil, and a webhook waits. Their ids."""
    from accounts.actions.governance import govern_project
    from accounts.models import Project, User
    from experiments.actions.experiments import set_metric_direction
    from kernel.actor import Actor, ActorKind, Door, operator
    from registry.actions.cards import write_card
    from registry.actions.promotions import ask_promotion
    from registry.actions.webhooks import create_webhook, edit_webhook
    from registry.models import ModelVersion
    from registry.webhooks.secrets import new_secret

    project, user = Project.objects.get(slug="ward"), User.objects.get(email=EMIL)
    emil = Actor(ActorKind.USER, Door.WEB, user_id=user.pk, user_name=user.name)
    govern_project(operator(), project, is_governed=True, protected_names=["champion", "production"])
    for key, higher in {"test/auroc": True, "test/ece": False, "test/latency_ms": False}.items():
        set_metric_direction(emil, project, key=key, higher_is_better=higher)
    hook = create_webhook(emil, project, url="https://deploy.example.org/mled", secret=new_secret())
    second = ModelVersion.objects.get(model__name="sepsis-risk", number=2)
    write_card(emil, second, section="intended_use", text="Risk score for adult ICU patients. Not for children.")
    write_card(emil, second, section="limits", text="Calibration drifts above **0.7**. Ward 3 has few cases.")
    asked = ask_promotion(emil, second, kind="alias", target="champion", comment="Better on all but ward 3.")
    edit_webhook(emil, hook, is_active=False)
    return str(asked.pk), str(hook.pk)


@pytest.fixture
def signed_in(sign_in, ward: Ward) -> Callable[[str], Page]:
    """Several people at once, each in a browser of their own."""
    return lambda email: sign_in(email, ward.passwords[email])


def addresses(ward: Ward) -> list[str]:
    return [
        path.format(promotion=ward.promotion, webhook=ward.webhook, run=ward.runs["transformer-m"]) for path in PAGES
    ]


def test_from_a_run_to_production_with_a_second_persons_signature(signed_in, ward: Ward):
    emil, erin = signed_in(EMIL), signed_in(ERIN)
    emil.goto(f"/r/{ward.runs['wide']}/")
    emil.get_by_role("link", name="Register model").click()
    emil.get_by_label("Name").fill("ward-score")
    emil.get_by_role("button", name="Register", exact=True).click()
    expect(emil.get_by_role("status").first).to_contain_text("ward-score v1 is registered.")
    emil.get_by_role("link", name="Request promotion").click()
    emil.get_by_label("Alias champion").check()
    emil.get_by_label(re.compile("^Comment")).fill("Good enough for the pilot.")
    emil.get_by_role("button", name="Ask for promotion").click()
    expect(emil.get_by_text("You asked for this promotion, so somebody else decides about it.")).to_be_visible()
    expect(emil.get_by_role("button", name="Approve and sign")).to_have_count(0)

    erin.goto("/")
    erin.get_by_role("link", name="ward-score v1 to champion").click()
    erin.get_by_label(re.compile("^Comment")).fill("Checked the wards.")
    erin.get_by_role("button", name="Approve and sign").click()
    dialog = erin.get_by_role("dialog")
    expect(dialog).to_contain_text("Approved for alias champion: ward-score v1")
    expect(dialog).to_contain_text("Checked the wards.")
    dialog.get_by_label("Your e-mail address").fill(ERIN)
    dialog.get_by_label("Your password").fill("wrong")
    erin.keyboard.press("Enter")
    expect(erin.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    erin.get_by_role("dialog").get_by_label("Your e-mail address").fill(ERIN)
    erin.get_by_role("dialog").get_by_label("Your password").fill(ward.passwords[ERIN])
    erin.get_by_role("dialog").get_by_role("button", name="Sign").click()
    expect(erin.get_by_text("Approved and signed, awaiting checkpoint.")).to_be_visible()
    ward.live.manage("sequencer", "--once")
    expect(erin.get_by_text("In effect since")).to_be_visible()
    expect(erin.get_by_role("region", name="Signature").first).to_contain_text("Erin")

    emil.goto("/p/ward/models/ward-score/v/1/")
    expect(emil.locator("h1 ~ .m-b", has_text="champion")).to_be_visible()
    signature = emil.get_by_role("region", name="Signature")
    expect(signature).to_contain_text("Matches")
    expect(signature).to_contain_text("Approved for alias champion")
    expect(signature).to_contain_text("covered by a signed checkpoint")
    assert [words for words in (*emil.complaints, *erin.complaints) if "400" not in words] == []


def test_escape_signs_nothing(signed_in, ward: Ward):
    erin = signed_in(ERIN)
    erin.goto(f"/p/ward/promotions/{ward.promotion}/")
    erin.get_by_role("button", name="Reject").click()
    expect(erin.locator("#comment")).to_be_focused()
    expect(erin.get_by_role("dialog")).to_have_count(0)
    erin.locator("#comment").fill("Ward 3 is worse.")
    erin.get_by_role("button", name="Reject").click()
    expect(erin.get_by_role("dialog")).to_contain_text("Rejected for alias champion: sepsis-risk v2")
    erin.keyboard.press("Escape")
    expect(erin.get_by_role("dialog")).to_have_count(0)
    erin.reload()
    expect(erin.get_by_role("button", name="Approve and sign")).to_be_visible()


def test_a_person_without_scripts_signs_too(browser: Browser, ward: Ward):
    context = browser.new_context(base_url=ward.live.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/")
    page.fill("[name=login]", ERIN)
    page.fill("[name=password]", ward.passwords[ERIN])
    page.click("text=Sign in >> nth=-1")
    page.goto(f"/p/ward/promotions/{ward.promotion}/")
    page.fill("[name=comment]", "Written before the dialogue.")
    page.click("button[value=reject]")
    expect(page.locator("dialog#sign")).to_be_visible()
    expect(page.locator("dialog#sign")).to_contain_text("Rejected for alias champion")
    expect(page.locator("[name=comment]").first).to_have_value("Written before the dialogue.")
    context.close()


def test_a_webhook_is_added_and_its_secret_is_copied_once(signed_in, ward: Ward):
    erin = signed_in(ERIN)
    erin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    erin.goto("/p/ward/webhooks/")
    erin.get_by_role("textbox", name="Address").fill("https://ci.example.org/mled")
    erin.get_by_label("version.created: a model version was registered").check()
    erin.get_by_role("button", name="Add webhook").click()
    secret = erin.locator("#secret").inner_text()
    erin.get_by_role("button", name="Copy", exact=True).click()
    assert copied(erin, secret) == secret
    erin.get_by_role("link", name="I have stored it").click()
    expect(erin.get_by_role("heading", level=1)).to_have_text("https://ci.example.org/mled")
    assert secret not in erin.content()
    erin.get_by_text("Actions").click()
    erin.get_by_role("button", name="Switch off").click()
    expect(erin.get_by_text("Switched off.")).to_be_visible()
    assert erin.complaints == []


def test_the_registry_is_open_to_all_and_nothing_sticks_out(signed_in, ward: Ward):
    erin = signed_in(ERIN)
    findings = faults_of(erin, addresses(ward))
    erin.goto(f"/p/ward/promotions/{ward.promotion}/")
    erin.get_by_role("button", name="Approve and sign").click()
    for theme in ("dark", "light"):
        erin.emulate_media(color_scheme=theme)
        if found := serious(erin):
            findings[f"the signature dialogue, {theme}"] = found
    assert findings == {}
    assert erin.complaints == []
