"""The registry's pages: models, versions, cards, aliases, comparison; and who may do what there."""

import pytest

from accounts.actions.governance import govern_project
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.actions.files import put_file
from experiments.actions.runs import update_run
from experiments.models import Run
from experiments.values import RunStatus
from registry.actions.aliases import set_alias
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from tests.factories import Team, a_batch, a_run
from tests.pages.conftest import Browser, address
from tests.world import stored


def a_trained_run(team: Team, name: str, **last: float) -> Run:
    """A finished run of Ada's with the files of a model."""
    run = a_run(team.scientist, name=name)
    log_batch(team.scientist, run, batch=a_batch(params={"lr": name}, **{k: [v] for k, v in last.items()}))
    put_file(team.scientist, run, path="model/MLmodel", stored=stored(f"flavors: {name}\n".encode()))
    put_file(team.scientist, run, path="model/model.pkl", stored=stored(b"weights of " + name.encode()))
    return update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=1_700_000_060_000)


def a_version(team: Team, model: RegisteredModel, run: Run) -> ModelVersion:
    return create_version(team.scientist, model, source=f"runs:/{run.uid.hex}/model", run=run)


@pytest.fixture
def risk(team: Team) -> RegisteredModel:
    """A model with two versions; the first is the champion."""
    model = create_registered_model(team.scientist, team.project, name="sepsis-risk", description="Score **hourly**.")
    first = a_version(team, model, a_trained_run(team, "gru", auroc=0.85, ece=0.03))
    a_version(team, model, a_trained_run(team, "tcn", auroc=0.87, ece=0.04))
    set_alias(team.engineer, model, alias="champion", version=first)
    set_metric_direction(team.scientist, team.project, key="auroc", higher_is_better=True)
    set_metric_direction(team.scientist, team.project, key="ece", higher_is_better=False)
    return model


def at(team: Team, rest: str = "") -> str:
    return address(team.project, f"models/{rest}")


# --- The list


def test_an_empty_registry_says_how_to_fill_it(team, ada):
    page = ada.get(at(team))
    assert "No model yet" in page
    assert "registered_model_name=" in page
    assert page.links("/register/")


def test_the_list_tells_versions_aliases_and_data(team, ada, risk):
    page = ada.get(at(team))
    assert "sepsis-risk v2 of 2 champion v1" in page
    assert "not recorded" in page  # the run named no data
    assert "No model of that name" in ada.get(at(team), q="nothing")
    assert "sepsis-risk" in ada.get(at(team), q="RISK")


def test_a_prompt_is_no_model_of_the_list(team, ada):
    create_registered_model(team.scientist, team.project, name="greeting", tags={"mlflow.prompt.is_prompt": "true"})
    assert "greeting" not in ada.get(at(team))


def test_the_list_takes_the_same_number_of_statements_for_many_models(team, ada, risk, django_assert_max_num_queries):
    for number in range(6):
        model = create_registered_model(team.scientist, team.project, name=f"more-{number}")
        a_version(team, model, a_trained_run(team, f"run-{number}", auroc=0.5))
    with django_assert_max_num_queries(30):
        assert "more-5" in ada.get(at(team))


# --- Registering


def test_a_run_is_registered_under_a_new_name_and_then_as_its_next_version(team, ada):
    run = a_trained_run(team, "gru", auroc=0.85)
    form = address(team.project, f"register/?run={run.uid.hex}")
    assert "gru" in ada.get(form)
    page = ada.follow(form, name="ward-risk", folder="model", description="First try.")
    assert "ward-risk v1 is registered." in page
    assert "First try." in page
    assert "ward-risk v2 is registered." in ada.follow(form, name="ward-risk", folder="/model/")
    assert ModelVersion.objects.filter(model__name="ward-risk", run=run, root_path="model").count() == 2


def test_a_name_alone_is_registered(team, ada):
    page = ada.follow(address(team.project, "register/"), name="plans", description="")
    assert "It has no version yet." in page
    page = ada.post(address(team.project, "register/"), expecting=200, name="plans")
    assert "exists in this project" in page


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        ("", "model", "required"),
        ("a/b", "model", "cannot be used"),
        ("x" * 257, "model", "256"),
        ("fine", "", "This field is required"),
        ("fine", "../other", ".."),
    ],
)
def test_what_cannot_be_registered_is_told_in_the_form(team, ada, name, path, words):
    run = a_trained_run(team, "gru")
    page = ada.post(address(team.project, f"register/?run={run.uid.hex}"), expecting=200, name=name, folder=path)
    assert words in page
    assert not ModelVersion.objects.exists()


def test_readers_and_strangers_register_nothing(team, zoe):
    for who in (team.manager, team.auditor):
        Browser(who).get(address(team.project, "register/"), expecting=403)
    zoe.get(address(team.project, "register/"), expecting=404)


def test_a_run_of_another_project_is_not_found(team, ada, outsider):
    from tests.factories import a_team

    other = a_team()
    run = a_run(other.scientist)
    ada.get(address(team.project, f"register/?run={run.uid.hex}"), expecting=404)


# --- A model


def test_a_model_shows_versions_aliases_and_its_description_as_markdown(team, ada, risk):
    page = ada.get(at(team, "sepsis-risk/"))
    assert "v2" in page
    assert "champion" in page
    assert "<strong>hourly</strong>" in page.source


def test_an_alias_moves_back_to_where_it_was(team, risk):
    emil, here = Browser(team.engineer), at(team, "sepsis-risk/")
    emil.post(f"{here}do/move-alias/", alias="champion", version="2")
    assert "Back to v1" in emil.get(here)
    assert "champion is v1 now." in emil.follow(f"{here}do/move-alias/", alias="champion", version="1")
    assert ModelAlias.objects.get(name="champion").version.number == 1


def test_model_acts_are_done_by_those_who_may(team, risk):
    emil, here = Browser(team.engineer), at(team, "sepsis-risk/")
    assert "The description is saved." in emil.follow(f"{here}do/describe/", description="New *words*")
    assert "<em>words</em>" in emil.get(here).source
    assert "The tag tier is set." in emil.follow(f"{here}do/tag/", key="tier", value="high")
    assert "The tag tier is gone." in emil.follow(f"{here}do/untag/", key="tier")
    assert "is now ward-risk" in emil.follow(f"{here}do/rename/", name="ward-risk")
    emil.get(here, expecting=404)
    assert "is deleted with its versions" in emil.follow(at(team, "ward-risk/do/delete-model/"))
    emil.get(at(team, "ward-risk/"), expecting=404)


@pytest.mark.parametrize("verb", ["rename", "describe", "move-alias", "remove-alias", "tag", "delete-model"])
def test_readers_are_told_and_strangers_find_nothing(team, zoe, risk, verb):
    fields = {"name": "x", "description": "x", "alias": "champion", "version": "2", "key": "k", "value": "v"}
    page = Browser(team.auditor).follow(at(team, f"sepsis-risk/do/{verb}/"), **fields)
    assert "You may not" in page
    zoe.post(at(team, f"sepsis-risk/do/{verb}/"), expecting=404, **fields)
    model = RegisteredModel.objects.get(pk=risk.pk)
    assert (model.name, model.description, model.is_deleted) == ("sepsis-risk", "Score **hourly**.", False)
    assert ModelAlias.objects.get(name="champion").version.number == 1


def test_an_act_that_there_is_not_is_not_found(team, ada, risk):
    ada.post(at(team, "sepsis-risk/do/burn/"), expecting=404)
    ada.post(at(team, "sepsis-risk/v/1/do/burn/"), expecting=404)
    ada.get(at(team, "sepsis-risk/v/1/secrets/"), expecting=404)
    ada.get(at(team, "sepsis-risk/v/9/"), expecting=404)
    ada.get(at(team, "nothing/"), expecting=404)


def test_the_history_names_people_versions_and_moves(team, ada, risk):
    second = ModelVersion.objects.get(model=risk, number=2)
    set_alias(team.engineer, risk, alias="champion", version=second)
    page = ada.get(at(team, "sepsis-risk/history/"))
    assert "Emil moved an alias champion v1 → v2" in page
    assert "Ada registered the model" in page
    only = ada.get(at(team, "sepsis-risk/v/2/history/"))
    assert "Ada registered the version" in only
    assert "champion v1 → v2" in only
    assert "registered the model" not in only


# --- Comparing


def test_two_versions_side_by_side(team, ada, risk):
    page = ada.get(at(team, "sepsis-risk/compare/"))
    assert "auroc ↑ 0.8500 0.8700 +0.0200 Better" in page
    assert "ece ↓ 0.0300 0.0400 +0.0100 Worse" in page
    assert "lr gru tcn" in page
    assert "MLmodel" in page
    turned = ada.get(at(team, "sepsis-risk/compare/"), a=2, b=1)
    assert "auroc ↑ 0.8700 0.8500 −0.0200 Worse" in turned


@pytest.mark.parametrize(("query", "status"), [({"a": "x"}, 400), ({"b": "99"}, 404), ({"a": "-1"}, 400)])
def test_versions_that_there_are_not_are_not_compared(team, ada, risk, query, status):
    ada.get(at(team, "sepsis-risk/compare/"), expecting=status, **query)


def test_one_version_alone_is_compared_with_nothing(team, ada):
    create_registered_model(team.scientist, team.project, name="lonely")
    assert "Nothing to compare" in ada.get(at(team, "lonely/compare/"))


# --- A version


def test_a_version_stands_beside_the_one_in_production(team, ada, risk):
    page = ada.get(at(team, "sepsis-risk/v/2/"))
    assert "Against champion, v1" in page
    assert "auroc ↑ 0.8500 0.8700 +0.0200 Better" in page
    assert "ece ↓ 0.0300 0.0400 +0.0100 Worse" in page
    assert "this version is in production" in ada.get(at(team, "sepsis-risk/v/1/"))


def test_a_version_says_where_it_comes_from_and_how_it_is_loaded(team, ada, risk):
    page = ada.get(at(team, "sepsis-risk/v/1/"))
    run = ModelVersion.objects.get(model=risk, number=1).run
    assert page.links(f"/r/{run.uid.hex}/")
    assert 'mlflow.pyfunc.load_model("models:/sepsis-risk/1")' in page
    assert "models:/sepsis-risk@champion" in page
    assert "sha256:" in page
    assert "Lineage" in page


def test_its_card_shows_facts_and_gaps_and_is_written_section_by_section(team, ada, risk):
    here = at(team, "sepsis-risk/v/1/")
    assert "Known limits Not recorded. Write it" in ada.get(here)
    assert 'name="text"' in ada.get(f"{here}card/", edit="limits").source
    page = ada.follow(f"{here}do/card/", section="limits", before="", text="Drifts above **0.7**.")
    assert "The model card is saved." in page
    assert "<strong>0.7</strong>" in page.source
    again = ada.post(f"{here}do/card/", expecting=409, section="limits", before="", text="Mine.")
    assert "Somebody changed this section while you wrote" in again
    assert ">Mine.</textarea>" in again.source
    assert "<strong>0.7</strong>" in again.source
    long = ada.post(f"{here}do/card/", expecting=400, section="bias", before="", text="x" * 70_000)
    assert f">{'x' * 70_000}</textarea>" in long.source
    assert "Drifts above" in ada.get(here)
    assert "has no section" in ada.follow(f"{here}do/card/", section="nothing", before="", text="x")


def test_its_files_are_shown_with_digests_and_downloaded(team, ada, risk):
    here = at(team, "sepsis-risk/v/1/")
    page = ada.get(f"{here}files/")
    assert "2 files" in page
    assert "flavors: gru" in page
    answer = ada.client.get(f"{here}files/model.pkl")
    assert answer.getvalue() == b"weights of gru"
    assert answer["Content-Disposition"].startswith("attachment")
    ada.get(f"{here}files/nothing.txt", expecting=404)


def test_version_acts_are_done_by_those_who_may(team, risk):
    emil, here = Browser(team.engineer), at(team, "sepsis-risk/v/2/")
    assert "candidate is v2 now." in emil.follow(f"{here}do/set-alias/", alias="candidate")
    assert "The alias candidate is gone." in emil.follow(f"{here}do/remove-alias/", alias="candidate")
    assert "v2 is in stage Staging." in emil.follow(f"{here}do/stage/", stage="Staging")
    assert "The tag tier is set." in emil.follow(f"{here}do/tag/", key="tier", value="high")
    assert "The tag tier is gone." in emil.follow(f"{here}do/untag/", key="tier")
    assert "The description is saved." in emil.follow(f"{here}do/describe/", description="Second try")
    assert "v2 is deleted" in emil.follow(f"{here}do/delete-version/")
    emil.get(here, expecting=404)


@pytest.mark.parametrize("verb", ["set-alias", "remove-alias", "stage", "card", "describe", "tag", "delete-version"])
def test_readers_change_no_version_and_strangers_find_none(team, zoe, risk, verb):
    fields = {"alias": "champion", "stage": "Archived", "section": "limits", "text": "x", "before": "",
              "description": "x", "key": "k", "value": "v"}  # fmt: skip
    page = Browser(team.auditor).follow(at(team, f"sepsis-risk/v/1/do/{verb}/"), **fields)
    assert "You may not" in page
    zoe.post(at(team, f"sepsis-risk/v/1/do/{verb}/"), expecting=404, **fields)
    version = ModelVersion.objects.get(model=risk, number=1)
    assert (version.stage, version.description, version.is_deleted) == ("None", "", False)


def test_a_reader_is_offered_no_change(team, risk):
    page = Browser(team.auditor).get(at(team, "sepsis-risk/v/1/"))
    assert "Actions" not in page
    assert "Write it" not in page
    assert "Not recorded." in page


@pytest.mark.parametrize(
    "rest", ["", "sepsis-risk/", "sepsis-risk/compare/", "sepsis-risk/history/", "sepsis-risk/v/1/",
             "sepsis-risk/v/1/card/", "sepsis-risk/v/1/files/", "sepsis-risk/v/1/history/",
             "sepsis-risk/v/1/files/MLmodel", "sepsis-risk/v/1/promote/"]
)  # fmt: skip
def test_the_registry_is_hidden_from_strangers(team, zoe, risk, rest):
    zoe.get(at(team, rest), expecting=404)
    assert "/login/" in Browser().get(at(team, rest), expecting=302).response["Location"]


def test_an_administrator_keeps_the_system_and_reads_no_model(team, risk):
    root = Browser(team.administrator)
    root.get(at(team), expecting=403)
    root.get(at(team, "sepsis-risk/v/1/"), expecting=404)


# --- Governed


def test_a_governed_project_locks_its_names(team, risk):
    govern_project(team.manager, team.project, is_governed=True, protected_names=["champion", "production"])
    emil, here = Browser(team.engineer), at(team, "sepsis-risk/v/2/")
    page = emil.follow(f"{here}do/set-alias/", alias="champion")
    assert "'champion' is protected" in page
    assert "promotion" in page
    page = emil.get(here)
    assert "Request promotion" in page
    assert "Remove alias champion" not in emil.get(at(team, "sepsis-risk/v/1/"))
    assert "because of what stands on it" in emil.follow(at(team, "sepsis-risk/v/1/do/delete-version/"))
    assert ModelAlias.objects.get(name="champion").version.number == 1


# --- On other pages


def test_a_run_with_model_files_offers_to_register_them(team, ada, risk):
    run = ModelVersion.objects.get(model=risk, number=1).run
    page = ada.get(f"/r/{run.uid.hex}/")
    assert f"runs:/{run.uid.hex}/model" in page
    assert "sepsis-risk v1" in page
    [link] = page.links("/register/")
    assert 'value="model"' in ada.get(link).source
    assert not Browser(team.auditor).get(f"/r/{run.uid.hex}/").links("/register/")


def test_the_jump_box_finds_models_and_only_those_one_sees(team, ada, zoe, risk):
    assert "sepsis-risk" in ada.get("/jump/", q="sepsis")
    assert ada.get("/jump/", q="sepsis").links("/models/sepsis-risk/")
    assert "Nothing found" in zoe.get("/jump/", q="sepsis")


def test_recalled_data_is_told_wherever_the_model_is(team, ada):
    from artifacts.actions.recall import withdraw_version
    from experiments.actions.inputs import DatasetInput, log_inputs
    from experiments.models import RunInput

    run = a_run(team.scientist, name="gru")
    log_inputs(team.scientist, run, inputs=[DatasetInput("icu-vitals", "7be1", "local", "x", tags={})])
    put_file(team.scientist, run, path="model/MLmodel", stored=stored(b"flavors: {}\n"))
    model = create_registered_model(team.scientist, team.project, name="ward-risk")
    a_version(team, model, run)
    here = at(team, "ward-risk/v/1/")
    assert "icu-vitals v1" in ada.get(here)
    assert "Recalled data" not in ada.get(here)
    taken = RunInput.objects.get(run=run).dataset_version
    withdraw_version(team.engineer, taken, reason="Lactate units were mixed.")
    for path in (at(team), at(team, "ward-risk/"), here):
        assert "Recalled data" in ada.get(path)
    page = ada.get(here)
    assert "Data behind this version was recalled: icu-vitals v1" in page
    assert page.links(f"/datasets/{taken.dataset_id}/v/1/")


@pytest.mark.parametrize("name", ["a b", "50% off?", "ünï#code", "dots.and-dashes_", "<b>bold", "quote'\"s", "日本語"])
def test_any_name_that_is_kept_has_pages(team, ada, name):
    model = create_registered_model(team.scientist, team.project, name=name)
    a_version(team, model, a_trained_run(team, "gru", auroc=0.8))
    [version] = ada.get(at(team)).links("/v/1/")
    for url in (version.removesuffix("v/1/"), version):
        page = ada.get(url)
        assert name in page
        assert "<b>bold" not in page.source
    assert "The description is saved." in ada.follow(f"{version}do/describe/", description="x")


def test_a_stage_may_archive_what_was_in_it(team, risk):
    emil = Browser(team.engineer)
    emil.post(at(team, "sepsis-risk/v/1/do/stage/"), stage="Production")
    emil.post(at(team, "sepsis-risk/v/2/do/stage/"), stage="Production", archive="1")
    stages = dict(ModelVersion.objects.filter(model=risk).values_list("number", "stage"))
    assert stages == {1: "Archived", 2: "Production"}
    assert "v1 is in stage None." in emil.follow(at(team, "sepsis-risk/v/1/do/stage/"), stage="None", archive="1")


def test_rooms_above_add_their_marks(team, ada, risk, monkeypatch):
    from registry.pages import slots

    judged = slots.Mark("ok", "shieldok", "Compliant")
    monkeypatch.setattr(
        slots, "version_marks", [*slots.version_marks, lambda viewer, versions: {one.pk: [judged] for one in versions}]
    )
    for path in (at(team), at(team, "sepsis-risk/"), at(team, "sepsis-risk/v/2/")):
        assert "Compliant" in ada.get(path)


def test_a_test_set_is_the_same_only_where_its_content_is(team, ada):
    from experiments.metrics.batch import Batch, MetricPoint
    from tests.factories import STARTED_MS
    from tests.factories_registry import a_logged_model, a_version_of

    model = create_registered_model(team.scientist, team.project, name="ward-risk")
    for number, digest in enumerate(("7be1c0f2", "7be1c0f2", "0d9a4411")):
        run = a_run(team.scientist)
        logged = a_logged_model(team.scientist, run)
        point = MetricPoint(
            "auroc", 0.8 + number / 100, STARTED_MS, model_id=logged.model_id, dataset_name="holdout",
            dataset_digest=digest,
        )  # fmt: skip
        log_batch(team.scientist, run, batch=Batch(metrics=[point]))
        a_version_of(team.scientist, model, logged)
    assert "same test set: holdout 7be1c0f2" in ada.get(at(team, "ward-risk/compare/"), a=1, b=2)
    page = ada.get(at(team, "ward-risk/compare/"), a=2, b=3)
    assert "same test set" not in page
    assert "holdout 7be1c0f2 / holdout 0d9a4411" in page


def test_a_form_that_is_sent_twice_makes_one_version_and_one_opened_later_makes_the_next(team, ada):
    run = a_trained_run(team, "gru")
    form = address(team.project, f"register/?run={run.uid.hex}")

    asked = {"name": "twice", "folder": "model", "opened": ada.get(form).field("id_opened")}
    assert "twice v1 is registered." in ada.follow(form, **asked)
    assert "twice v1 is registered." in ada.follow(form, **asked)
    assert ModelVersion.objects.filter(model__name="twice").count() == 1
    assert "twice v2 is registered." in ada.follow(form, **{**asked, "opened": ada.get(form).field("id_opened")})
    assert "twice v3 is registered." in ada.follow(form, **{**asked, "opened": "9" * 15})  # a time to come says nothing
    plain = address(team.project, "register/")
    alone = {"name": "alone", "opened": ada.get(plain).field("id_opened")}
    for _ in range(2):
        assert "It has no version yet." in ada.follow(plain, **alone)
    assert RegisteredModel.objects.filter(name="alone").count() == 1
