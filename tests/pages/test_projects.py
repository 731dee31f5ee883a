"""Home, projects, experiments as folders."""

import re

from experiments.actions.batches import log_batch
from experiments.actions.experiments import create_experiment, grant_access
from experiments.models import Experiment, Run
from experiments.values import RunStatus
from kernel.clock import now_ms
from tests.factories import Team, a_batch, a_project, a_run, default_experiment, unique, user_of
from tests.pages.conftest import Browser, address


def test_home_shows_my_projects_recent_runs_and_how_to_log(ada: Browser, team: Team, trained: Run):
    home = ada.get("/")
    assert team.project.name in home
    assert "Data scientist" in home
    assert "gru-d-w48" in home
    assert "val/loss" in home
    assert f"MLFLOW_TRACKING_URI=http://testserver/mlflow/{team.project.slug}" in home


def test_home_offers_logging_only_to_those_who_may(team: Team, trained: Run):
    assert "Make a token" not in Browser(team.auditor).get("/")


def test_home_takes_as_many_queries_for_one_run_as_for_many(ada: Browser, team: Team, django_assert_max_num_queries):
    for _ in range(8):
        log_batch(team.scientist, a_run(team.scientist), batch=a_batch(loss=[1.0]))
    with django_assert_max_num_queries(22):
        ada.get("/")


def test_an_overview_counts_and_links(ada: Browser, team: Team, trained: Run):
    page = ada.get(address(team.project))
    assert "Runs 1 not deleted" in page
    assert "gru-d-w48" in page
    assert "Ada" in page
    for link in page.links("?q="):
        ada.get(link)


def test_counts_end_where_those_of_searches_do_and_say_so(ada: Browser, team: Team, monkeypatch):
    monkeypatch.setattr("experiments.queries.search.COUNT_STOP", 2)
    monkeypatch.setattr("experiments.queries.overview.COUNT_STOP", 2)
    for ago, status in enumerate((RunStatus.FINISHED, RunStatus.FAILED, None)):
        a_run(team.scientist, started_ms=now_ms() - 1000 * ago, status=status)
    page = ada.get(address(team.project))
    assert "Runs 2+ not deleted" in page
    assert "Runs this week 2+ started in 7 days" in page
    assert "Going now 1 status running" in page
    assert "Failed this week 50 % 1 of the newest 2" in page
    assert "1 run going in your projects" in ada.get("/")
    assert re.search(r"Default.*2\+", ada.get(address(team.project, "experiments/")).text)


def test_an_empty_project_shows_the_way_to_the_first_run(ada: Browser, team: Team):
    assert "No run yet" in ada.get(address(team.project))


def test_an_administrator_sees_a_project_but_no_runs(team: Team, trained: Run):
    page = Browser(team.administrator).get(address(team.project))
    assert team.project.name in page
    assert "gru-d-w48" not in page


def test_slashes_show_as_folders(ada: Browser, team: Team):
    for name in ("vision/cls/resnet", "vision/cls/vit", "vision/seg", "//odd", "a/b/c/d/e/f/g"):
        create_experiment(team.scientist, team.project, name=name)
    page = ada.get(address(team.project, "experiments/"))
    assert page.text.count("vision/") == 1
    assert "cls/ resnet" in page
    assert "//odd" in page
    assert "e/f/g" in page


def test_a_scientist_makes_an_experiment(ada: Browser, team: Team):
    page = ada.follow(address(team.project, "experiments/"), name="ablation/dropout")
    assert "Experiment ablation/dropout is there" in page
    assert Experiment.objects.filter(project=team.project, name="ablation/dropout").exists()


def test_a_name_that_is_taken_is_kept_in_the_field_with_the_reason(ada: Browser, team: Team):
    create_experiment(team.scientist, team.project, name="taken")
    page = ada.post(address(team.project, "experiments/"), expecting=200, name="taken")
    assert page.field("id_name") == "taken"
    assert "exists in this project" in page
    assert 'aria-invalid="true"' in page.source


def test_an_auditor_is_offered_no_new_experiment_and_refused_one(team: Team):
    otto = Browser(team.auditor)
    assert "New experiment" not in otto.get(address(team.project, "experiments/"))
    assert "You may not" in otto.post(address(team.project, "experiments/"), expecting=403, name="mine")
    assert not Experiment.objects.filter(name="mine").exists()


def test_an_administrator_creates_a_project_and_leads_it(team: Team):
    root, slug = Browser(team.administrator), unique("new")
    page = root.follow("/projects/", name="New one", slug=slug, key="", purpose="")
    assert "You are its manager" in page
    assert "Project manager" in page


def test_a_bad_slug_is_explained_beside_its_field(team: Team):
    page = Browser(team.administrator).post("/projects/", expecting=200, name="X", slug="Not Good", key="", purpose="")
    assert page.field("id_slug") == "Not Good"
    assert "lower-case letters" in page


def test_a_scientist_is_offered_no_new_project(ada: Browser):
    assert "New project" not in ada.get("/projects/")
    assert "You may not" in ada.post("/projects/", expecting=403, name="X", slug="xy", key="", purpose="")


def test_only_my_projects_are_listed(ada: Browser, team: Team):
    other = a_project()
    page = ada.get("/projects/")
    assert team.project.slug in page
    assert other.slug not in page


# What may be done to an experiment.


def test_an_experiment_is_renamed_deleted_and_restored(ada: Browser, team: Team):
    made = create_experiment(team.scientist, team.project, name="width")
    a_run(team.scientist, made, name="inside")
    here = address(team.project, f"experiments/{made.pk}/do/")
    assert "Delete experiment" in ada.get(address(team.project, "runs/"), experiment=made.pk)
    assert "width is now ablation/width" in ada.follow(f"{here}rename/", name="ablation/width")
    assert "is deleted with its runs" in ada.follow(f"{here}delete/")
    assert "inside" not in ada.get(address(team.project, "runs/"))
    assert "Restore experiment" in ada.get(address(team.project, "runs/"), experiment=made.pk)
    ada.follow(f"{here}restore/")
    assert "inside" in ada.get(address(team.project, "runs/"))


def test_the_default_experiment_is_not_offered_for_deletion(ada: Browser, team: Team):
    page = ada.get(address(team.project, "runs/"), experiment=default_experiment(team.project).pk)
    assert "Rename" in page
    assert "Delete experiment" not in page


def test_an_auditor_does_nothing_to_an_experiment(team: Team):
    made = create_experiment(team.scientist, team.project, name="width")
    otto = Browser(team.auditor)
    assert "Actions" not in otto.get(address(team.project, "runs/"), experiment=made.pk)
    assert "You may not" in otto.follow(address(team.project, f"experiments/{made.pk}/do/delete/"))
    made.refresh_from_db()
    assert made.lifecycle == "active"


def test_an_experiment_of_another_project_is_not_found(ada: Browser, team: Team):
    foreign = default_experiment(a_project())
    ada.post(address(team.project, f"experiments/{foreign.pk}/do/rename/"), expecting=404, name="mine")


def test_an_empty_experiment_says_how_to_log_into_it(ada: Browser, team: Team):
    made = create_experiment(team.scientist, team.project, name='a "quoted" one')
    assert 'mlflow.set_experiment( "a "quoted" one" )' in ada.get(address(team.project, "runs/"), experiment=made.pk)


def test_my_account_shows_my_roles_and_changes_my_name(ada: Browser, team: Team):
    page = ada.get("/me/")
    assert f"{team.project.name} Data scientist" in page
    assert "Ada Lovelace" in ada.follow("/me/", name="Ada Lovelace")
    assert ada.post("/me/", expecting=200, name=" ").field("id_name") == " "


def test_an_administrator_is_told_that_they_do_not_read_experiments(team: Team, trained: Run):
    root = Browser(team.administrator)
    page = root.get(address(team.project))
    assert "It does not read experiments" in page
    assert "Runs 0" not in page
    assert not page.links(address(team.project, "runs/"))
    for room in ("runs/", "experiments/"):
        assert "You may not" in root.get(address(team.project, room), expecting=403)


def test_whoever_was_granted_one_experiment_sees_just_its_runs(team: Team, trained: Run, zoe: Browser, outsider):
    shared = create_experiment(team.scientist, team.project, name="shared")
    run = a_run(team.scientist, shared, name="for all eyes")
    grant_access(team.manager, shared, user=user_of(outsider))
    assert "for all eyes" in zoe.get(f"/r/{run.uid.hex}/")
    home = zoe.get("/")
    assert "for all eyes" in home
    assert trained.name not in home
    zoe.get(f"/r/{trained.uid.hex}/", expecting=404)
    zoe.get(address(team.project), expecting=404)


def test_only_those_who_may_log_are_told_how_to_log_from_a_script(ada: Browser, team: Team, trained: Run):
    assert "Log from your script" in ada.get(address(team.project))
    for reader in (team.auditor, team.manager, team.administrator):
        assert "Log from your script" not in Browser(reader).get(address(team.project))


def test_a_project_without_runs_in_sight_has_no_column_for_them(ada: Browser, team: Team, trained: Run):
    assert 'class="cols c21"' in ada.get(address(team.project)).source
    assert "cols c21" not in Browser(team.administrator).get(address(team.project)).source
