"""Datasets in the browser: two versions uploaded, told apart, trained on, recalled; the flags arrive everywhere."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import ADA, Logged
from tests.browser.looking import NARROW, faults_of, serious

pytestmark = pytest.mark.once

PLACE = "vitals"
EMIL = "emil.vitals@example.org"
LONG = "W" * 500
HEAD = "patient,ward,age,lactate"
FIRST = "\n".join([HEAD, *(f"p{n},icu-{n % 3},{40 + n % 50},{9 * (n % 7) + 1}.5" for n in range(300)), ""])
SECOND = "\n".join([f"{HEAD},unit", *(f"p{n},icu-{n % 3},{40 + n % 50},{n % 7}.5,mmol/L" for n in range(320)), ""])
PAGES = [
    "/p/vitals/",
    "/p/vitals/datasets/",
    "/p/vitals/datasets/?q=nothing",
    "/p/vitals/datasets/new/",
    "{icu}v/1/",
    "{icu}v/2/",
    "{icu}v/2/files/",
    "{icu}v/2/schema/",
    "{icu}v/2/diff/",
    "{icu}v/1/used-by/",
    "{icu}v/2/use/",
    "{icu}v/2/history/",
    "{icu}v/2/record/?field=purpose",
    "{icu}v/2/recall/",
    "{icu}v/1/reinstate/",
    "{icu}new-version/",
    "{icu}external/",
    "{icu}diff/?old=1&new=2",
    "{icu}aliases/",
    "{icu}edit/",
    "{bare}",
    "{long}v/1/",
    "{long}v/1/use/",
    "{long}aliases/",
    "/p/vitals/runs/",
    "/r/{run}/",
    "/r/{run}/data/",
    "/me/notices/",
    "/jump/?q=icu",
    "/",
]


@dataclasses.dataclass(frozen=True)
class Vitals:
    """A project of Ada's and Emil's: its datasets by name, a run on recalled data, Emil's password."""

    pages: dict[str, str]
    run: str
    password: str
    token: str

    def path(self, pattern: str) -> str:
        return pattern.format(run=self.run, **self.pages)


class Api:
    """Somebody who speaks REST."""

    def __init__(self, url: str, token: str) -> None:
        self.base = f"{url}/api/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, body: object = None) -> dict:
        answer = self.session.post(self.base + path, json=body)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else {}

    def upload(self, content: bytes) -> str:
        upload = self.post(f"/projects/{PLACE}/uploads/", {"size_bytes": len(content)})["id"]
        sent = self.session.patch(f"{self.base}/uploads/{upload}/", data=content, headers={"Upload-Offset": "0"})
        assert sent.ok, sent.text[:300]
        self.post(f"/uploads/{upload}/finish/")
        return str(upload)

    def dataset(self, name: str, *versions: dict[str, str]) -> str:
        """The path of a new dataset's pages; versions: path -> content."""
        made = self.post(f"/projects/{PLACE}/datasets/", {"name": name, "description": "Of adults in three wards."})
        for files in versions:
            sent = [{"path": path, "upload": self.upload(text.encode())} for path, text in files.items()]
            self.post(f"/projects/{PLACE}/datasets/{made['id']}/versions/", {"files": sent, "note": "A note."})
        return f"/p/{PLACE}/datasets/{made['id']}/"


@pytest.fixture(scope="session")
def vitals(logged: Logged) -> Vitals:
    live = logged.live
    live.create_project(PLACE, name="Vital signs")
    live.add_member(PLACE, ADA, "data_scientist")
    password = live.create_user(EMIL, name="Emil", role="ml_engineer", project=PLACE)
    token = live.issue_token(ADA, project=PLACE)
    ada, emil = Api(live.url, token), live.issue_token(EMIL, project=PLACE, scopes=("read", "log", "manage"))
    pages = {
        "icu": ada.dataset("icu-vitals", {"icu.csv": FIRST}, {"icu.csv": SECOND, "README.md": "# icu\n"}),
        "bare": ada.dataset("bare"),
        "long": ada.dataset(LONG, {f"{'d' * 200}/{'f' * 200}.csv": f"{'c' * 400}\n{'v' * 3000}\n"}),
    }
    run = train(live.tracking_uri(PLACE), emil, "icu-vitals", digest_of(ada, pages["icu"], 1), "on-first")
    Api(live.url, emil).post(f"{pages['icu'].replace('/p/', '/projects/')}versions/1/withdraw/", {"reason": "Mixed."})
    return Vitals(pages, run, password, token)


def digest_of(api: Api, path: str, number: int) -> str:
    answer = api.session.get(f"{api.base}{path.replace('/p/', '/projects/')}versions/{number}/")
    return str(answer.json()["digest"])


def train(uri: str, token: str, name: str, digest: str, run_name: str) -> str:
    """A run that MLflow's client binds to a version, by name and digest."""
    from mlflow import MlflowClient
    from mlflow.data.http_dataset_source import HTTPDatasetSource
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.entities import DatasetInput, InputTag

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_TOKEN", token)
        client = MlflowClient(uri)
        run = client.create_run("0", run_name=run_name).info.run_id
        data = MetaDataset(HTTPDatasetSource("https://example.org/icu.csv"), name=name, digest=digest[:36])
        said = DatasetInput(data._to_mlflow_entity(), [InputTag("mlflow.data.context", "train")])
        client.log_inputs(run, [said])
        client.log_metric(run, "val/auroc", 0.87)
        client.set_terminated(run)
    return str(run)


def a_csv(text: str, name: str = "icu.csv") -> dict:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def test_from_two_uploads_to_a_recall_that_everybody_sees(sign_in, logged: Logged, vitals: Vitals):
    ada: Page = sign_in(ADA)
    ada.goto(f"/p/{PLACE}/datasets/")
    ada.get_by_role("link", name="New dataset").click()
    ada.get_by_label("Name").fill("icu-story")
    ada.get_by_role("button", name="Make dataset").click()

    ada.set_input_files("#files", a_csv(FIRST))
    expect(ada.locator("#upload-list li")).to_have_attribute("data-state", "done")
    ada.get_by_label("Note").fill("As exported from the wards.")
    ada.get_by_label("Licence").fill("DUA-2291")
    ada.get_by_role("button", name="Make v1").click()
    expect(ada.get_by_role("heading", name="icu-story v1")).to_be_visible()
    expect(ada.get_by_role("region", name="Columns")).to_contain_text("lactate")
    expect(ada.locator("svg.m-histogram").first).to_be_visible()

    ada.get_by_role("link", name="New version").click()
    expect(ada.get_by_label("Licence")).to_have_value("DUA-2291")
    ada.set_input_files("#files", a_csv(SECOND))
    ada.get_by_label("Note").fill("All in mmol/L now.")
    ada.get_by_role("button", name="Make v2").click()
    expect(ada.get_by_role("heading", name="What changed since v1")).to_be_visible()
    changes = ada.get_by_role("region", name="Difference to v1")
    expect(changes).to_contain_text("+20")
    expect(changes).to_contain_text("unit added")
    expect(changes).to_contain_text("lactate")
    ada.get_by_role("link", name="Diff to v1").click()
    expect(ada.get_by_role("region", name="Columns that differ")).to_contain_text("lactate")
    expect(ada.get_by_role("region", name="Files that differ")).to_contain_text("icu.csv")

    ada.get_by_role("link", name=re.compile("^v1")).first.click()
    digest = ada.get_by_role("button", name="Copy digest").get_attribute("data-copy")
    emils = logged.live.issue_token(EMIL, project=PLACE)
    run = train(logged.live.tracking_uri(PLACE), emils, "icu-story", digest, "gru-on-story")
    ada.reload()
    expect(ada.get_by_role("region", name="Used by runs")).to_contain_text("gru-on-story")

    ada.get_by_role("link", name="Recall").click()
    dialog = ada.get_by_role("dialog")
    expect(dialog).to_contain_text("1 run built on it will bear a flag")
    expect(dialog).to_contain_text("Told: Emil")
    assert serious(ada) == []
    expect(dialog.get_by_label("Reason")).to_be_focused()
    ada.keyboard.type("mg/dL and mmol/L are mixed.")
    dialog.get_by_role("button", name="Recall v1").click()
    expect(ada.get_by_text("This version was recalled")).to_be_visible()

    emil: Page = sign_in(EMIL, vitals.password)
    expect(emil.get_by_role("heading", name="Notices")).to_be_visible()
    emil.locator(".m-bell > summary").click()
    emil.locator(".m-notices").get_by_role(
        "button", name=re.compile("Open ?: Version 1 of dataset 'icu-story'")
    ).click()
    expect(emil.get_by_role("heading", name="icu-story v1")).to_be_visible()
    emil.goto(f"/r/{run}/")
    expect(emil.get_by_role("link", name="Recalled data")).to_be_visible()
    emil.goto(f"/p/{PLACE}/runs/")
    expect(emil.locator("tr", has_text="gru-on-story").get_by_text("built on recalled data")).to_be_attached()
    emil.goto(f"/p/{PLACE}/")
    expect(emil.locator("section", has_text="Recalled data in use")).to_contain_text("icu-story v1")

    ada.get_by_role("link", name="Reinstate").click()
    ada.get_by_label("Reason").fill("They were converted.")
    ada.get_by_role("button", name="Reinstate v1").click()
    expect(ada.get_by_role("link", name="Recall", exact=True)).to_be_visible()
    emil.goto(f"/r/{run}/")
    expect(emil.get_by_role("heading", name="gru-on-story")).to_be_visible()
    expect(emil.get_by_role("link", name="Recalled data")).to_have_count(0)
    assert [*ada.complaints, *emil.complaints] == []


def test_an_upload_goes_on_where_the_connection_broke(sign_in, vitals: Vitals, tmp_path: Path):
    large = tmp_path / "large.bin"
    large.write_bytes(b"0123456789abcdef" * 1_400_000)
    ada: Page = sign_in(ADA)
    ada.goto(vitals.path("{bare}new-version/"))
    offsets: list[str] = []

    def break_the_second(route: Route) -> None:
        if route.request.method == "PATCH":
            offsets.append(route.request.headers["upload-offset"])
            if len(offsets) == 2:
                return route.abort("connectionreset")
        return route.continue_()

    ada.route("**/api/v1/uploads/**", break_the_second)
    ada.set_input_files("#files", str(large))
    expect(ada.locator("#upload-list")).to_contain_text("Connection lost. Trying again in 1 s")
    expect(ada.locator("#upload-list li")).to_have_attribute("data-state", "done", timeout=30_000)
    assert offsets[0] == "0"
    assert offsets[1] == offsets[2] != "0"
    ada.get_by_role("button", name=re.compile("^Make v")).click()
    expect(ada.get_by_text("22.4 MB in 1 file")).to_be_visible()


def test_a_file_chosen_again_after_a_reload_goes_on(sign_in, vitals: Vitals, tmp_path: Path):
    large = tmp_path / "reloaded.bin"
    large.write_bytes(b"fedcba9876543210" * 1_400_000)
    ada: Page = sign_in(ADA)
    ada.on("dialog", lambda dialog: dialog.accept())
    ada.goto(vitals.path("{bare}new-version/"))
    offsets: list[str] = []

    def break_all_but_the_first(route: Route) -> None:
        if route.request.method == "PATCH":
            offsets.append(route.request.headers["upload-offset"])
        return route.abort("connectionreset") if len(offsets) > 1 else route.continue_()

    ada.route("**/api/v1/uploads/**", break_all_but_the_first)
    ada.set_input_files("#files", str(large))
    expect(ada.locator("#upload-list")).to_contain_text("Connection lost")
    ada.unroute("**/api/v1/uploads/**")
    asked: list[str] = []
    ada.goto(vitals.path("{bare}new-version/"))
    ada.on("request", lambda request: asked.append(f"{request.method} {request.headers.get('upload-offset', '')}"))
    ada.set_input_files("#files", str(large))
    expect(ada.locator("#upload-list li")).to_have_attribute("data-state", "done", timeout=30_000)
    sent = [one for one in asked if one.startswith("PATCH")]
    assert sent[0] == f"PATCH {offsets[1]}" != "PATCH 0"


def test_a_folder_goes_up_with_its_paths(sign_in, vitals: Vitals, tmp_path: Path):
    for path in ("train/a.csv", "train/b.csv", "test/a.csv"):
        (tmp_path / "icu" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "icu" / path).write_text(f"path\n{path}\n")
    ada: Page = sign_in(ADA)
    ada.goto(vitals.path("{bare}new-version/"))
    ada.set_input_files("#folder", str(tmp_path / "icu"))
    expect(ada.locator("#upload-whole")).to_contain_text("3 of 3 files")
    assert sorted(ada.locator("#upload-list .p").all_inner_texts()) == ["test/a.csv", "train/a.csv", "train/b.csv"]
    ada.get_by_role("button", name="Leave out train/b.csv").click()
    expect(ada.locator("#upload-list li")).to_have_count(2)
    ada.get_by_role("button", name=re.compile("Make v")).click()
    expect(ada.get_by_text("in 2 files")).to_be_visible()
    assert ada.complaints == []


def test_files_are_dropped_onto_the_page(sign_in, vitals: Vitals):
    ada: Page = sign_in(ADA)
    ada.goto(vitals.path("{icu}new-version/"))
    dropped = ada.evaluate_handle(
        "() => { const data = new DataTransfer(); data.items.add(new File(['a\\n1\\n'], 'dropped.csv')); return data }"
    )
    ada.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    expect(ada.locator("#upload-list")).to_contain_text("dropped.csv")
    expect(ada.locator("#upload-list li")).to_have_attribute("data-state", "done")
    assert ada.complaints == []


def test_a_refused_form_keeps_the_files_and_the_words(sign_in, vitals: Vitals):
    ada: Page = sign_in(ADA)
    ada.goto(vitals.path("{icu}new-version/"))
    ada.get_by_role("button", name="Make v3").click()
    expect(ada.get_by_role("alert")).to_contain_text("Choose at least one file")
    ada.set_input_files("#files", a_csv(FIRST))
    ada.get_by_label("Note").fill("Typed with care.")
    ada.get_by_role("button", name="Make v3").click()
    expect(ada.get_by_role("alert").first).to_contain_text("has exactly this content")
    expect(ada.get_by_label("Note")).to_have_value("Typed with care.")
    expect(ada.locator("#upload-list")).to_contain_text("icu.csv")
    expect(ada.locator("#upload-whole")).to_contain_text("1 of 1 file")
    assert ada.complaints == []


def test_an_upload_works_by_keyboard_alone(sign_in, vitals: Vitals):
    ada: Page = sign_in(ADA)
    # It listens from the beginning: a chooser that opens before the browser was told to hand it over is nobody's.
    ada.on("filechooser", lambda chooser: chooser.set_files(a_csv("a\n7\n", "keyed.csv")))
    ada.goto(vitals.path("{icu}new-version/"))
    expect(ada.locator("#files")).not_to_have_attribute("name", "files")
    ada.wait_for_load_state()
    ada.locator("#files").focus()
    expect(ada.locator("#files")).to_be_focused()
    ada.keyboard.press("Enter")
    expect(ada.locator("#upload-list li")).to_have_attribute("data-state", "done")
    ada.get_by_role("button", name="Leave out keyed.csv").focus()
    ada.keyboard.press("Enter")
    expect(ada.locator("#upload-list li")).to_have_count(0)


def test_without_scripts_a_file_goes_up_and_a_version_is_recalled(browser: Browser, logged: Logged, vitals: Vitals):
    context = browser.new_context(base_url=logged.live.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/login/")
    page.fill("[name=login]", ADA)
    page.fill("[name=password]", logged.passwords[ADA])
    page.click("text=Sign in >> nth=-1")
    page.goto(vitals.path("{bare}new-version/"))
    page.set_input_files("#files", a_csv("a,b\n1,2\n", "plain.csv"))
    page.click("button[data-send]")
    expect(page.locator("main")).to_contain_text("is there.")
    page.click(".acts a.btn-stop")
    page.fill("[name=reason]", "A test.")
    page.click("main button.btn-stop")
    expect(page.locator("main")).to_contain_text("This version was recalled")
    context.close()


def test_pages_of_datasets_are_open_to_all_and_nothing_sticks_out(sign_in, vitals: Vitals):
    page: Page = sign_in(EMIL, vitals.password)
    assert faults_of(page, map(vitals.path, PAGES)) == {}
    assert page.complaints == []


def test_on_a_narrow_screen_the_versions_are_a_menu(sign_in, vitals: Vitals):
    page: Page = sign_in(EMIL, vitals.password)
    page.set_viewport_size(NARROW)
    page.goto(vitals.path("{icu}v/2/"))
    page.get_by_text("v2 of 2 versions").click()
    page.get_by_role("link", name=re.compile("^v1")).click()
    expect(page.get_by_role("heading", name="icu-vitals v1")).to_be_visible()
