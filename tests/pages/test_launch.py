"""The form that launches, read and posted as a browser without scripts does."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from artifacts.actions.recall import withdraw_version
from artifacts.models import DatasetVersion, VersionProfile
from audit.ledger.acting import acting
from experiments.models import Run
from experiments.queries.reproductions import LIKE
from experiments.queries.runs import params_of, tags_of
from experiments.values import RunStatus
from kernel.actor import system
from runner.actions.jobs import end_job
from runner.models import Job, RunnerRules, Sweep, Template
from tests.factories import Team, a_version
from tests.factories_runner import a_worker, held_by
from tests.pages.conftest import Browser, Page, address

ROWS = b"age,lactate,died\n70,4.1,yes\n41,1.2,no\n66,3.9,yes\n30,0.8,no\n"


@pytest.fixture
def version(team: Team) -> DatasetVersion:
    return a_version(team.scientist, files={"stays.csv": ROWS}, record={"licence": "DUA-2291"})


@pytest.fixture
def here(team: Team) -> str:
    return address(team.project, "launch/")


def filled(version: DatasetVersion, **more: object) -> dict[str, object]:
    return {
        "what": "trainer:tabular",
        "name": "first",
        "experiment": "icu/here",
        "input.train": str(version.pk),
        "param.target": "died",
        "param.epochs": "5",
        "seed": "7",
        "key": "k1",
        **more,
    }


def chosen(page: Page, field: str) -> str:
    """What stands in a field that is chosen from a list."""
    select = re.search(rf'<select[^>]* id="{field}".*?</select>', page.source, re.S)
    assert select, f"no field {field}"
    found = re.search(r'<option(?: value="([^"]*)")?[^>]* selected[^>]*>([^<]*)', select[0])
    return (found[1] if found[1] is not None else found[2]) if found else ""


def test_a_form_is_filled_launched_once_and_confirmed_with_its_id(ada: Browser, team: Team, version, here: str):
    page = ada.get(f"{here}?dataset={version.pk}")
    assert str(version) in page
    assert "DUA-2291" in page
    assert "Data is there" in page
    assert "No worker now" in page
    assert "target: It is needed." in page
    assert chosen(page, "input-train") == str(version.pk)
    told = ada.follow(here, **filled(version, tags="cohort-b, ward=icu-2"))
    run = Run.objects.get()
    for words in (
        f"{run.readable_id} is launched.",
        run.uid.hex,
        f"/r/{run.uid.hex}/",
        "Next in line",
        "No worker serves",
    ):
        assert words in told
    assert run.status == RunStatus.SCHEDULED
    params = params_of(team.scientist, run)
    assert (params["target"], params["epochs"], params["seed"]) == ("died", "5", "7")
    tags = tags_of(team.scientist, run)
    assert (tags["cohort-b"], tags["ward"]) == ("true", "icu-2")
    job = Job.objects.get()
    assert job.recipe.inputs.get().version == version
    again = ada.post(here, **filled(version))
    assert run.uid.hex in again.response.url
    assert Job.objects.count() == 1
    assert "is launched" not in ada.get(f"/r/{run.uid.hex}/")
    worker = a_worker("grinder")
    assert "1 of 1 slot in queue default" in ada.get(here)
    held_by(job, worker)
    assert "all 1 slots of queue default are taken" in ada.get(here)
    asked = ada.post(here, expecting=200, **filled(version, do="look", gpus="3"))
    assert "No worker of the queue default has 3 graphics cards now: none has any. It waits until one has." in asked


def test_every_mistake_is_told_beside_its_field_and_nothing_is_launched(ada: Browser, team: Team, version, here: str):
    wrong = filled(
        version,
        **{
            "experiment": "",
            "param.epochs": "many",
            "param.lr": "7",
            "seed": "-1",
            "network": "on",
            "tags": "=x",
            "memory_mb": "9999999",
            "secrets": ["TOKEN"],
            "name": "n" * 260,
            "queue": "q" * 41,
        },
    )
    page = ada.post(here, expecting=200, **wrong)
    assert "10 fields need another look" in page
    assert "What you typed is kept, nothing is launched." in page
    for words in ("'many' is not a whole number", "over the most, 1", "allow its jobs the network", "keeps no secret"):
        assert words in page
    for anchor in (
        "experiment",
        "param-epochs",
        "param-lr",
        "secrets",
        "seed",
        "memory_mb",
        "tags",
        "network",
        "queue",
    ):
        assert f'href="#{anchor}"' in page.source
        assert f'id="{anchor}' in page.source
    assert page.field("param-epochs") == "many"
    assert page.field("tags") == "=x"
    assert chosen(page, "input-train") == str(version.pk)
    nowhere = ada.post(here, expecting=200, **filled(version, **{"input.train": "0" * 32, "what": "trainer:none"}))
    assert "no built-in trainer 'none'" in nowhere
    withdraw_version(team.scientist, version, reason="wrong labels")
    recalled = ada.post(here, expecting=200, **filled(version))
    assert "wrong labels" in recalled
    assert "Data was recalled" in recalled
    assert not Job.objects.exists()
    assert not Run.objects.exists()


def test_each_mistake_is_said_once_in_each_place_with_the_columns_that_there_are(
    ada: Browser, team: Team, version, here: str
):
    columns = [{"name": name} for name in ("age", "lactate", "died")]
    VersionProfile.objects.update_or_create(
        version=version, defaults={"state": VersionProfile.State.DONE, "columns": columns}
    )
    wrong = {"param.target": "dead", "param.epochs": "0", "cpus": "9999", "key": "k2"}
    page = ada.post(here, expecting=200, **filled(version, **wrong))
    assert "3 fields need another look" in page
    # In the list, at its field, and as the first of what stands in the way beside the form.
    assert page.text.count("The training data have no column 'dead', but age, lactate, died.") == 3
    for words in ("epochs : 0 is below the least, 1.", "9,999 is over the most that this project allows", "1 to 5,000"):
        assert words in page
    for twice in ("epochs: epochs", "cpus: 9", "9,999.0"):
        assert twice not in page
    assert '<option value="lactate">' in page.source
    assert 'list="columns-target"' in page.source


def test_what_a_form_will_start_is_counted_and_a_chosen_file_counts(ada: Browser, team: Team, version, here: str):
    swept = {
        "do": "look",
        "sweep": "grid",
        "sweep_space": "lr = 0.01..0.5 20 steps\ndepth = 1..12",
        "sweep_runs": "500",
    }
    told = ada.post(here, expecting=200, **filled(version, **swept))
    assert "A sweep of 100 runs 2 at the same time" in told
    code = {"what": "folder", "do": "look", "experiment": "own", "command": "python t.py"}
    assert "Code: Choose the file of your code." in ada.post(here, expecting=200, **code)
    assert "to fill" not in ada.post(here, expecting=200, **code, code_file="[object File]")


def test_another_thing_to_run_takes_no_parameters_of_the_one_before_along(ada: Browser, team: Team, version, here: str):
    stale = '{"epochs": 40, "lr": 0.05}'
    asked = {"what": "folder", "do": "change", "params_json": stale, "params_json_was": stale}
    assert ada.post(here, expecting=200, **filled(version, **asked)).area("params_json") == "{}"
    asked["params_json"] = '{"lr": 7}'
    assert '"lr": 7' in ada.post(here, expecting=200, **filled(version, **asked)).area("params_json")


def test_a_template_that_is_chosen_brings_its_own_values_and_the_rules_their_limits(
    ada: Browser, team: Team, version, here: str
):
    kept = {"param.epochs": "7", "do": "template", "template_name": "seven"}
    ada.post(here, expecting=302, **filled(version, **kept))
    of_trainer = filled(version, **{"what_was": "trainer:tabular", "param.target": "", "param.epochs": "40"})
    asked = {**of_trainer, "what": f"template:{Template.objects.get().pk.hex}"}
    for page in (ada.post(here, expecting=200, **asked, do="change"), ada.post(here, expecting=200, **asked)):
        assert (page.field("param-epochs"), page.field("param-target"), page.field("name")) == ("7", "died", "first")
    assert "another thing to run: look at its fields" in page
    assert not Job.objects.exists()
    with acting(system(), "runner.rules_of_a_test", project_id=team.project.pk):
        RunnerRules(project=team.project, memory_mb_max=1024, seconds_max=600, disk_mb_max=2000).save()
    form = ada.get(here)
    assert (chosen(form, "memory_mb"), chosen(form, "seconds"), form.field("disk_mb")) == ("1024", "600", "2000")
    assert "2 GB" not in form
    limits = {name: chosen(form, name) for name in ("memory_mb", "seconds")}
    ada.post(here, expecting=302, **filled(version, **limits, disk_mb=form.field("disk_mb")))


def test_who_may_not_launch_is_not_offered_it(team: Team, zoe: Browser, version, here: str):
    for role in (team.auditor, team.manager):
        them = Browser(role)
        assert not them.get("/").links("/launch/")
        assert not them.get(address(team.project, "runs/")).links("/launch/")
        them.get(here, expecting=403)
        them.post(here, expecting=403, **filled(version))
    zoe.get(here, expecting=404)
    assert Browser(team.scientist).get("/").links("/launch/") == [here]
    assert not Job.objects.exists()


def test_a_form_like_a_run_does_it_again_or_with_changes_that_are_shown_first(
    ada: Browser, team: Team, version, here: str
):
    ada.post(here, **filled(version))
    first = Run.objects.get()
    job = held_by(Job.objects.get(), a_worker())
    end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    like = ada.get(f"{here}?like={first.readable_id}")
    assert f"Same conditions as {first.readable_id}" in like
    assert (like.field("param-epochs"), like.field("seed"), like.field("name")) == ("5", "7", "first")
    same = {"like": first.readable_id, "key": "k2"}
    changed = ada.post(here, expecting=200, **filled(version, **same, **{"param.epochs": "6", "do": "look"}))
    assert f"1 field differs from {first.readable_id}" in changed
    assert "params.epochs 5 → 6" in changed
    ada.post(here, **filled(version, **same))
    assert Job.objects.get(reproduces=first).recipe == job.recipe
    ada.post(here, **filled(version, **{**same, "key": "k3", "param.epochs": "6"}))
    other = Run.objects.order_by("-pk").first()
    assert other is not None
    assert tags_of(team.scientist, other)[LIKE] == first.uid.hex
    assert "was 5" in ada.post(here, expecting=200, **filled(version, **same, **{"param.epochs": "6", "do": "json"}))
    ada.get(f"{here}?like=none-1", expecting=404)


def test_what_stands_in_the_form_is_kept_as_a_template_and_started_from(ada: Browser, team: Team, version, here: str):
    kept = {"do": "template", "template_name": "Weekly", "template_description": "What runs each Monday."}
    assert "A template has a name" in ada.post(here, expecting=200, **filled(version, do="template"))
    page = ada.follow(here, **filled(version, **kept))
    assert "The template is kept." in page
    template = Template.objects.get()
    assert "There is a template 'Weekly' already." in ada.post(here, expecting=200, **filled(version, **kept))
    opened = ada.get(f"{here}?template={template.pk}")
    assert "What runs each Monday." in opened
    assert opened.field("param-epochs") == "5"
    ada.post(here, **filled(version, what=f"template:{template.pk}"))
    assert params_of(team.scientist, Run.objects.get())["epochs"] == "5"
    ada.get(f"{here}?template={version.pk}", expecting=404)


def test_a_template_is_changed_in_the_form_that_it_opens_and_taken_off_the_list(
    ada: Browser, team: Team, version, here: str
):
    kept = {"do": "template", "template_name": "Weekly", "template_description": "What runs each Monday."}
    ada.post(here, **filled(version, **kept))
    template = Template.objects.get()
    what = f"template:{template.pk}"
    opened = ada.get(f"{here}?template={template.pk}")
    assert (opened.field("template_name"), opened.field("template_description")) == (
        template.name,
        template.description,
    )
    assert opened.source.count("What runs each Monday.") == 2  # on its card, and where it is changed
    changed = {"what": what, "do": "template_change", "template_name": "Daily", "param.epochs": "9"}
    assert "The template is kept." in ada.follow(here, **filled(version, **changed))
    template.refresh_from_db()
    assert (template.name, template.description, template.draft["params"]["epochs"]) == ("Daily", "", "9")
    wrong = ada.post(here, expecting=200, **filled(version, **{**changed, "template_name": ""}))
    assert "A template has a name" in wrong
    assert "from no template" in ada.post(here, expecting=200, **filled(version, do="template_retire"))
    assert "off the list" in ada.follow(here, what=what, do="template_retire")
    template.refresh_from_db()
    assert template.retired_at is not None
    assert "Daily" not in ada.get(here)
    assert "from no template" in ada.post(here, expecting=200, **filled(version, **changed))
    assert not Job.objects.exists()


def test_code_of_ones_own_is_sent_once_and_kept_while_the_rest_is_mended(ada: Browser, team: Team, version, here: str):
    fields = {"what": "folder", "command": "python train.py --lr {lr}", "experiment": "own", "key": "k4"}
    rows = {
        "param_key": ["lr", ""],
        "param_value": ["0.1", ""],
        "input_name": ["train"],
        "input_version": [str(version.pk)],
    }
    picture = SimpleUploadedFile("curve.PNG", b"\x89PNG")
    asked = {"what": "folder", "experiment": "own", "command": "python train.py", "key": "k0"}
    assert "is no code that can be run" in ada.post(here, expecting=200, **asked, code_file=picture)
    code = SimpleUploadedFile("train.py", b"print(1)\n")
    page = ada.post(here, expecting=200, code_file=code, **fields, **rows, seed="x")
    assert "train.py is uploaded" in page
    upload = re.search(r'name="code" value="([^"]+)"', page.source)
    assert upload
    assert page.field("command") == "python train.py --lr {lr}"
    more = ada.post(here, expecting=200, **fields, **rows, do="more")
    assert more.source.count('name="param_key"') == 5  # one is typed, three are empty, one is for scripts
    requirements = {"environment": "requirements", "requirements": "numpy==2.3.4\n"}
    ada.post(here, code=upload[1], code_name="train.py", **fields, **rows, **requirements)
    recipe = Job.objects.get().recipe
    assert (recipe.code_name, recipe.params, list(recipe.words)) == (
        "train.py", {"lr": 0.1}, ["python", "train.py", "--lr", "{lr}"],
    )  # fmt: skip
    assert recipe.inputs.get().name == "train"
    assert recipe.environment is not None
    repository = {**fields, "what": "repository", "url": "https://u:secret@git.example.org/a.git", "commit": "main"}
    page = ada.post(here, expecting=200, **repository, **rows)
    assert "holds a password or token" in page
    assert "is no full commit" in page
    assert 'href="#commit"' in page.source


def test_parameters_are_edited_as_json_and_swept(ada: Browser, team: Team, version, here: str):
    json = {"params_json": '{"target": "died", "epochs": 9}', "params_json_was": "{}"}
    page = ada.post(here, expecting=200, **filled(version, **json, do="json"))
    assert page.field("param-epochs") == "9"
    broken = ada.post(here, expecting=200, **filled(version, params_json="{", params_json_was="{}"))
    assert "This is not JSON" in broken
    assert not Job.objects.exists()
    sweep = {"sweep": "grid", "sweep_space": "epochs = 2, 3", "sweep_at_once": "1"}
    many = ada.post(here, expecting=200, **filled(version, **{**sweep, "sweep_space": "epochs = 2, none"}))
    assert 'href="#sweep_space"' in many.source
    wrong = "lr = 5..0.1\nfoo=1,2\nno equals\nmodel = svm"
    told = ada.post(here, expecting=200, **filled(version, **{**sweep, "sweep_space": wrong}))
    for words in ("lr", "names no parameter"):
        assert words in told
    wrong = "lr = 5..0.1\nfoo=1,2\nmodel = svm"
    told = ada.post(here, expecting=200, **filled(version, **{**sweep, "sweep_space": wrong}))
    for words in ("3 fields need another look", "There is no parameter &#x27;foo&#x27;", "linear, random_forest"):
        assert words in told.source.partition('id="launch-problems"')[2].partition("</ul>")[0]
    ada.post(here, **filled(version, **sweep))
    assert Sweep.objects.get().jobs_max == 2


def test_a_project_that_allows_network_offers_it(ada: Browser, team: Team, version, here: str):
    assert "the project allows none" in ada.get(here)
    with acting(team.manager, "runner.set_rules", project_id=team.project.pk) as act:
        rules = RunnerRules(project=team.project, allows_network=True, seconds_max=1800)
        rules.save()
        act.speaks_of(rules.ledger_subject)
    page = ada.get(here)
    assert 'name="network"' in page.source
    assert "30 minutes" in page
    assert "4 hours" not in page
    ada.post(here, **filled(version, network="on"))
    assert Job.objects.get().recipe.has_network
