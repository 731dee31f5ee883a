"""Where the pages of experiments and runs are."""

from django.urls import path

from artifacts.pages.shelf_urls import shelf_urls
from experiments.pages import (
    artifacts,
    bulk,
    chart_data,
    charts,
    client_link,
    column_acts,
    curves,
    directions,
    experiment_acts,
    experiments,
    export,
    home,
    nested,
    notes,
    points,
    relations,
    run,
    run_table,
    saved_views,
    stars,
)
from experiments.pages.compare import adding, as_file, tabs
from experiments.pages.compare import overview as comparison
from experiments.pages.projects import overview
from experiments.pages.query_urls import QUERY_URLS

app_name = "experiments"
urlpatterns = [
    path("", home.home, name="home"),
    path("mlflow/<slug:slug>/", client_link.client_link, name="client_link"),
    path("jump/", home.jump, name="jump"),
    *QUERY_URLS,
    path("charts/data.bin", chart_data.data, name="charts_data"),
    path("charts/data.csv", chart_data.table, name="charts_csv"),
    path("p/<slug:slug>/charts/", charts.of_project, name="charts"),
    path("points/data.json", points.of_runs, name="points_of_runs"),
    path("compare/", comparison.page, name="compare"),
    path("compare/table.csv", as_file.page, name="compare_csv"),
    path("compare/found/", adding.found, name="compare_found"),
    path("compare/<str:tab>/", tabs.page, name="compare_tab"),
    path("p/<slug:slug>/", overview.overview, name="project"),
    path("p/<slug:slug>/experiments/", experiments.experiments, name="experiments"),
    path("p/<slug:slug>/experiments/<int:experiment>/do/<str:verb>/", experiment_acts.act, name="experiment_act"),
    path("p/<slug:slug>/direction/", directions.set_direction, name="set_direction"),
    path("p/<slug:slug>/runs/", run_table.runs, name="runs"),
    path("p/<slug:slug>/views/", saved_views.save, name="view_save"),
    path("p/<slug:slug>/views/<int:view>/do/<str:verb>/", saved_views.act, name="view_act"),
    path("p/<slug:slug>/runs/export.<str:kind>", export.runs_file, name="export"),
    path("p/<slug:slug>/points.json", points.of_project, name="points"),
    path("p/<slug:slug>/what-matters/", relations.page, name="relations"),
    path("p/<slug:slug>/what-matters/table.csv", relations.as_file, name="relations_csv"),
    path("p/<slug:slug>/runs/do/<str:verb>/", bulk.act, name="runs_act"),
    path("p/<slug:slug>/runs/columns/", column_acts.keep, name="columns"),
    path("p/<slug:slug>/runs/newer/", run_table.newer, name="newer"),
    path("p/<slug:slug>/runs/nested/<str:run>/", nested.children, name="nested"),
    path("r/<str:run>/", run.overview, name="run"),
    path("r/<str:run>/curves.bin", curves.curve_data, name="curve_data"),
    path("r/<str:run>/curves.csv", curves.curve_csv, name="curve_csv"),
    *shelf_urls("r/<str:run>/", "run", artifacts.find_shelf),
    path("r/<str:run>/star/", stars.star, name="run_star"),
    path("r/<str:run>/edit/", notes.edit, name="run_edit"),
    path("r/<str:run>/do/<str:verb>/", run.act, name="run_act"),
    path("r/<str:run>/<str:tab>/", run.tab, name="run_tab"),
]
