"""Code, packages, data, environment, pictures and texts of runs side by side."""

import json
import re

import pytest

from accounts.roles import Role
from experiments.actions.batches import log_batch
from experiments.actions.files import put_file
from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.models import Run
from registry.actions.files import put_model_file
from tests.factories import a_batch, a_run, a_team, again, events, join
from tests.factories_registry import a_logged_model
from tests.pages.conftest import Browser
from tests.world import stored

PICTURE = "images/val~roc+step+{step}+timestamp+{at}+0a6e1a2c-0d3e-4b1e-9f55-3f1f0a8a7f10{end}"


def keep(team, run: Run, **files: str) -> None:
    for path, text in files.items():
        put_file(team.scientist, run, path=path, stored=stored(text.encode()))


@pytest.fixture
def pair(team) -> list[Run]:
    return [a_run(team.scientist, name="first"), a_run(team.scientist, name="second")]


def tab(name: str, runs, **more: str) -> str:
    asked = "".join(f"&{key}={value}" for key, value in more.items())
    return f"/compare/{name}/?runs={','.join(run.readable_id for run in runs)}{asked}"


# --- Code and texts


def test_sources_stand_side_by_side_with_the_changed_words_marked(team, ada, pair):
    for run, rate in zip(pair, ("0.1", "0.3"), strict=True):
        keep(team, run, **{"code/train.py": f"import sys\nrate = {rate}\n", "code/same.py": "x = 1\n"})
    page = ada.get(tab("code", pair))
    assert "<del>1</del>" in page.source
    assert "<ins>3</ins>" in page.source
    assert [(one.path, one.change) for one in page.response.context["pairs"]] == [
        ("code/train.py", "changed"),
        ("code/same.py", "same"),
    ]
    assert "Both runs keep the same content" in ada.get(tab("code", pair, file="code/same.py"))
    assert 'class="m-diff unified' in ada.get(tab("code", pair, diff="unified")).source


def test_the_summary_says_same_commit_only_where_every_run_recorded_it_and_which_files_differ(team, ada, pair):
    def summary(runs=pair) -> str:
        return re.search(
            r'class="m-sub">([^<]*)<', ada.get(f"/compare/?runs={','.join(r.readable_id for r in runs)}").source
        )[1]

    assert "commit" not in summary()
    log_batch(team.scientist, pair[0], batch=a_batch(tags={"mlflow.source.git.commit": "a" * 40}))
    assert summary() == "0 of 0 parameters differ, commit recorded in 1 of 2 runs"
    log_batch(team.scientist, pair[1], batch=a_batch(tags={"mlflow.source.git.commit": "a" * 40}))
    assert summary() == "0 of 0 parameters differ, same commit"
    for run, rate in zip(pair, ("0.1", "0.3"), strict=True):
        keep(team, run, **{"code/train.py": rate, "code/same.py": "x = 1\n"})
    assert summary().endswith("same commit, 1 file differs")
    bare = a_run(team.scientist)
    log_batch(team.scientist, bare, batch=a_batch(tags={"mlflow.source.git.commit": "b" * 40}))
    log_inputs(team.scientist, bare, inputs=[DatasetInput(name="icu", digest="d1")])
    assert summary([*pair, bare]) == "0 of 0 parameters differ, data recorded in 1 of 3 runs, 2 commits"


@pytest.mark.parametrize("name", ["code", "data", "packages", "environment", "images"])
def test_every_tab_says_what_the_runs_stand_against_and_lets_another_be_the_base(ada, pair, team, name):
    for run in pair:
        log_inputs(team.scientist, run, inputs=[DatasetInput(name="icu", digest="d1")])
        keep(team, run, **{"code/train.py": "x", "requirements.txt": "numpy==2.0"})
    page = ada.get(tab(name, pair))
    assert "Against first" in page
    assert f"Set {pair[1].readable_id} as base" in page.source
    if name == "data":
        assert ">Set base</a>" in page.source


def test_a_patch_in_a_tag_is_code_too_and_a_dirty_checkout_is_said(team, ada, pair):
    for run, line in zip(pair, ("+a", "+b"), strict=True):
        tags = {"mlflow.source.git.diff": f"--- x\n{line}\n", "mlflow.source.git.dirty": "true"}
        log_batch(team.scientist, run, batch=a_batch(tags=tags))
    page = ada.get(tab("code", pair))
    assert page.response.context["current"].path == "uncommitted changes (git diff)"
    assert "Uncommitted changes yes yes" in page
    assert "The commit of" in page
    assert "rev-parse" in page


def test_texts_of_the_base_stand_against_the_run_that_is_chosen(team, ada, pair):
    third = a_run(team.scientist, name="third")
    for run, words in zip([*pair, third], ("one", "two", "three"), strict=True):
        keep(team, run, **{"notes.txt": words, "requirements.txt": "numpy==1", "train.py": "x"})
    page = ada.get(tab("files", [*pair, third], **{"with": third.readable_id}))
    assert [one.path for one in page.response.context["pairs"]] == ["notes.txt"]
    assert "three" in page
    assert "two" not in re.sub(r"<a .*?</a>", "", page.source[page.source.index("m-diff") :], flags=re.S)


def test_what_is_no_text_or_only_in_one_run_is_said_so(team, ada, pair):
    put_file(team.scientist, pair[0], path="a.txt", stored=stored(b"\x00\x01"))
    put_file(team.scientist, pair[1], path="a.txt", stored=stored(b"words"))
    keep(team, pair[1], **{"b.txt": "<script>alert(1)</script>"})
    assert "This file is not text." in ada.get(tab("files", pair))
    page = ada.get(tab("files", pair, file="b.txt"))
    assert "only in the other" in page
    assert "<script>alert" not in page.source
    assert "Neither run keeps a text file" in ada.get(tab("files", [a_run(team.scientist), a_run(team.scientist)]))


def test_what_an_auditor_reads_here_is_on_record(team, otto, pair):
    for run in pair:
        keep(team, run, **{"notes.txt": run.name})
    otto.get(tab("files", pair))
    opened = [kept.reason for kept in events() if kept.verb == "artifacts.open_file"]
    assert len(opened) == 2
    assert all("notes.txt" in reason for reason in opened)


# --- Packages


def test_packages_say_what_was_added_removed_and_changed_since_the_base(team, ada, pair):
    keep(team, pair[0], **{"requirements.txt": "numpy==2.4.6\npandas==2.0\nsix==1\n"})
    keep(team, pair[1], **{"requirements.txt": "NumPy==2.5.0\nscipy==1.9\nsix==1\n"})
    third = a_run(team.scientist)
    page = ada.get(tab("packages", [*pair, third]))
    [group] = page.response.context["groups"]
    cells = {row.name: [(cell.text, cell.delta) for cell in row.cells[:2]] for row in group.rows}
    assert cells == {
        "numpy": [("2.4.6", ""), ("2.5.0", "newer")],
        "pandas": [("2.0", ""), ("", "removed")],
        "scipy": [("", ""), ("1.9", "added")],
    }
    assert group.words == "3 of 4 differ"
    assert {row.cells[2].kind for row in group.rows} == {"unknown"}
    assert f"Packages of {third.readable_id} : not recorded." in page
    assert "six" in ada.get(tab("packages", pair, identical="1"))


def test_lists_of_a_runs_models_count_as_well(team, ada, pair):
    model = a_logged_model(team.scientist, pair[0])
    for path, content in {"requirements.txt": b"torch==2.6\n", "python_env.yaml": b"python: 3.12.1\n"}.items():
        put_model_file(team.scientist, model, path=path, stored=stored(content))
    keep(team, pair[1], **{"uv.lock": '[[package]]\nname = "torch"\nversion = "2.5"\n'})
    [row] = ada.get(tab("packages", pair)).response.context["groups"][0].rows
    assert [cell.text for cell in row.cells] == ["2.6", "2.5"]
    assert "3.12.1" in ada.get(tab("environment", pair))


def test_files_are_for_those_who_may_download(team, pair):
    other = a_team()
    theirs = a_run(other.scientist)
    put_file(other.scientist, theirs, path="requirements.txt", stored=stored(b"secretpackage==1\n"))
    join(other.project, team.scientist, Role.DATA_SCIENTIST)
    mine = Browser(again(team.scientist))
    assert "secretpackage" in mine.get(tab("packages", [pair[0], theirs], identical="1"))
    page = Browser(team.engineer).get(tab("packages", [pair[0], theirs], identical="1"))
    assert "secretpackage" not in page.source
    assert f"{theirs.readable_id} is left out" in page


# --- Data and environment


def used(team, run: Run, digest: str, name: str) -> None:
    tags = {"mlflow.data.context": "train"}
    given = DatasetInput(name=name, digest=digest[:32], source_type="s", source="{}", tags=tags)
    log_inputs(team.scientist, run, inputs=[given])


def test_versions_of_the_same_dataset_lead_to_what_changed_between_them(team, ada, icu):
    runs = [a_run(team.scientist) for _ in range(4)]
    first, second = icu.versions.order_by("number")
    for run, digest in zip(runs, (first.digest, second.digest, first.digest, "d" * 32), strict=True):
        used(team, run, digest, name="icu-vitals" if digest != "d" * 32 else "other")
    page = ada.get(tab("data", runs))
    [row] = page.response.context["rows"]
    assert [cell[0].kind for cell in row.cells] == ["base", "version", "same", "other"]
    [link] = page.links("/diff/")
    assert "old=1&new=2" in link
    assert "another dataset" in page
    ada.get(link)


def test_the_environment_comes_from_tags_and_what_is_missing_names_its_line(team, ada, pair):
    log_batch(team.scientist, pair[0], batch=a_batch(tags={"python": "3.11.4", "os": "Linux", "gpu": "H100"}))
    log_batch(team.scientist, pair[1], batch=a_batch(tags={"python": "3.12.1"}, **{"system/gpu_0_power": [50.0, 80.0]}))
    page = ada.get(tab("environment", pair))
    rows = {
        row.name: [cell.text for cell in row.cells] for group in page.response.context["groups"] for row in group.rows
    }
    assert rows["Python"] == ["3.11.4", "3.12.1"]
    assert rows["GPU"] == ["H100", ""]
    assert rows["GPUs measured"] == ["", "1"]
    assert rows["system/gpu_0_power"] == ["", "80"]
    assert "mlflow.enable_system_metrics_logging()" in page
    assert "platform.python_version()" not in page


# --- Pictures


def test_pictures_of_a_name_stand_at_one_step_and_a_run_shows_its_latest_before(team, ada, pair):
    for run, steps in zip(pair, ((10, 30), (10, 20)), strict=True):
        for step in steps:
            for end in (".png", "+compressed.webp"):
                put_file(team.scientist, run, path=PICTURE.format(step=step, at=1, end=end), stored=stored(b"png"))
    page = ada.get(tab("images", pair, step="30"))
    context = page.response.context
    assert (context["current"].name, context["steps"], context["step"]) == ("val/roc", [10, 20, 30], 30)
    assert [one.words for one in context["shown"]] == ["step 30", "latest before: step 20"]
    told = json.loads(re.search(r'id="pictures"[^>]*>(.*?)</script>', page.source)[1])
    assert [one["step"] for one in told["runs"][pair[1].readable_id]] == [10, 20]
    assert "step=20" in page.links("image=val%2Froc")[0]


def test_runs_without_pictures_say_so_with_the_line_that_logs_them(ada, pair):
    assert "mlflow.log_image" in ada.get(tab("images", pair))


@pytest.mark.parametrize("step", ["x", "-", "99999999999999999999", "1e9", ""])
def test_a_step_that_is_none_opens_the_last(team, ada, pair, step):
    put_file(team.scientist, pair[0], path="plots/step_3.png", stored=stored(b"png"))
    assert ada.get(tab("images", pair, step=step)).response.context["step"] == 3


# --- Panels


def test_plots_begin_with_what_differs_and_follow_the_address(team, ada, pair):
    for run, (rate, kind, loss) in zip(pair, (("0.1", "a", 1.0), ("0.2", "b", 2.0)), strict=True):
        log_batch(team.scientist, run, batch=a_batch(params={"lr": rate, "arch": kind, "same": "1"}, loss=[loss]))
    panels = dict(ada.get(tab("plots", pair)).response.context["panels"])
    assert panels["Parallel coordinates"].startswith("parallel;color=metrics.loss.last;fields=params.arch,params.lr,")
    assert panels["Scatter"] == "scatter;x=params.lr;y=metrics.loss.last;trend=1"
    assert panels["By category"] == "box;x=params.arch;y=metrics.loss.last"
    [(title, text)] = ada.get(tab("plots", pair, panel="bar%3By=metrics.loss.max")).response.context["panels"]
    assert (title, text) == ("Values", "bar;y=metrics.loss.max")
    assert "Nothing to plot" in ada.get(tab("plots", [a_run(team.scientist), a_run(team.scientist)]))


def test_many_runs_take_no_more_statements_than_few(team, django_assert_max_num_queries):
    runs = [a_run(team.scientist) for _ in range(8)]
    for run in runs:
        keep(team, run, **{"requirements.txt": "numpy==1", "code/a.py": run.name, "plots/roc.png": "x"})
    client = Browser(team.scientist)
    for name in ("packages", "images", "data", "environment", "plots"):
        client.get(tab(name, runs[:2]))
        with django_assert_max_num_queries(45):
            client.get(tab(name, runs))
