"""The built-in trainer, really training on small tables: the same again to the last digit, and bad data in words."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from PIL import Image

from runner.trainers import digest_of, trainer
from runner.trainers.tabular.trainer.main import run
from runner.trainers.tabular.trainer.preparing import prepare
from runner.trainers.tabular.trainer.problems import Problem
from runner.trainers.tabular.trainer.settings import MODELS, Settings, read_settings
from runner.trainers.tabular.trainer.tables import read_table
from runner.trainers.tabular.trainer.training import train

pytestmark = pytest.mark.once

COLUMNS = ("id", "age", "lactate", "ward", "died", "stay")


def rows_of(count: int, seed: int = 0) -> list[tuple[Any, ...]]:
    """Patients whose death and length of stay follow from age, lactate and ward, with gaps."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(count):
        age, lactate = int(random.integers(20, 90)), float(random.gamma(2, 1))
        ward = str(random.choice(["icu", "er", "surgery"]))
        died = "yes" if random.random() < 1 / (1 + np.exp(-((age - 60) / 6 + lactate - 2))) else "no"
        stay = 2 + lactate * 2 + (3 if ward == "icu" else 0) + float(random.normal(0, 0.3))
        gap = number % 11 == 3
        found.append((f"p{number}", age, "" if gap else f"{lactate:.3f}", "" if number % 17 == 5 else ward, died,
                      f"{stay:.2f}"))  # fmt: skip
    return found


def write(place: Path, rows: list[tuple[Any, ...]], columns: tuple[str, ...] = COLUMNS, delimiter: str = ",") -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([columns, *rows])
    return place


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "train"
    write(folder / "a.csv", rows_of(160))
    return folder


def settings(data: Path, **more: Any) -> Settings:
    given = {"target": "died", "ignore": "stay", "epochs": 12, "seed": 3, "train": data} | more
    return Settings(**given)


def trained(asked: Settings) -> tuple[list[Any], dict[str, float]]:
    """The curve and the final metrics."""
    table, _ = read_table(asked.train)
    other = read_table(asked.eval)[0] if asked.eval else None
    points: list[Any] = []
    out = train(asked, prepare(asked, table, other), lambda step, values: points.append((step, dict(values))))
    return points, dict(out.final)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("target", ["died", "stay"])
def test_each_model_learns_step_by_step_and_the_same_again(data, model, target):
    asked = settings(data, model=model, target=target, ignore="died" if target == "stay" else "stay", lr=0.1)
    points, final = trained(asked)
    assert [step for step, _ in points] == list(range(1, 13))
    assert points[-1][1]["train_loss"] < points[0][1]["train_loss"]
    if target == "died":
        assert set(final) == {"accuracy", "f1", "log_loss", "auroc"}
        assert final["auroc"] > 0.75
        assert final["log_loss"] == points[-1][1]["val_loss"]
    else:
        assert set(final) == {"rmse", "mae", "r2"}
        assert final["r2"] > 0.5
    assert trained(asked) == (points, final)
    assert trained(replace(asked, seed=4))[1] != final


def test_as_a_script_it_leaves_its_metrics_pictures_and_a_model_that_predicts(data, tmp_path):
    folder = trainer("tabular").path
    params = tmp_path / "params.json"
    params.write_text(json.dumps({"target": "died", "ignore": "stay", "epochs": 12}))
    around = {
        "PATH": os.environ["PATH"],
        "MLED_PARAMS": str(params),
        "MLED_INPUTS": json.dumps({"train": str(data)}),
        "MLED_OUTPUT": str(tmp_path / "out"),
        "MLED_SEED": "3",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    words = [sys.executable, *trainer("tabular").words[1:]]
    done = subprocess.run(words, cwd=folder, env=around, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "160 rows of 6 columns" in done.stdout
    assert "another word in every row" in done.stdout
    assert "step 12/12  train loss" in done.stdout
    told = json.loads((tmp_path / "out/metrics.json").read_text())
    assert told["metrics"] == trained(settings(data))[1]
    with Image.open(tmp_path / "out/confusion.png") as picture:
        assert picture.size[0] > 100
    counts = list(csv.reader((tmp_path / "out/confusion.csv").open()))
    assert sum(int(number) for row in counts[1:] for number in row[1:]) == 32
    assert next(csv.reader((tmp_path / "out/importances.csv").open())) == ["column", "loss_increase"]

    import mlflow.sklearn

    model = mlflow.sklearn.load_model(str(tmp_path / "out/model"))
    assert told["columns"] == ["age", "lactate", "ward"]
    old_and_ill, young = [85, 6.0, "icu"], [22, None, None]
    assert [told["classes"][place] for place in model.predict(np.array([old_and_ill, young], dtype=object))] == [
        "yes",
        "no",
    ]


def test_what_it_logs_arrives_by_mlflows_client_in_the_run_that_is_named(data, tmp_path, monkeypatch):
    """Into MLflow's own store in files: what a server gets is asked where a job is really run."""
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    client = MlflowClient((tmp_path / "store").as_uri())
    started = client.create_run("0")
    monkeypatch.setenv("MLFLOW_RUN_ID", started.info.run_id)
    monkeypatch.delenv("MLED_URL", raising=False)
    out = run(settings(data, output=tmp_path / "out", epochs=5))
    curve = client.get_metric_history(started.info.run_id, "val_loss")
    assert [point.step for point in curve] == [1, 2, 3, 4, 5]
    kept = client.get_run(started.info.run_id)
    assert {key: kept.data.metrics[key] for key in out.final} == out.final
    assert kept.info.status == "RUNNING"  # whoever made the run ends it
    model = client.get_logged_model(kept.outputs.model_outputs[0].model_id)
    assert model.params["target"] == "died"
    assert {one.path for one in client.list_artifacts(started.info.run_id, "outputs")} >= {"outputs/confusion.png"}


def test_several_files_of_several_kinds_are_one_table(tmp_path):
    rows = rows_of(90)
    write(tmp_path / "d/1.csv", rows[:30])
    write(tmp_path / "d/sub/2.tsv", rows[30:60], delimiter="\t")
    columns = list(zip(*rows[60:], strict=True))
    last = pa.table({
        "stay": [float(one) for one in columns[5]],
        "died": columns[4],
        "ward": pa.array([one or None for one in columns[3]]).dictionary_encode(),
        "lactate": [float(one) if one else None for one in columns[2]],
        "age": columns[1],
        "id": columns[0],
    })  # fmt: skip
    pyarrow.parquet.write_table(last, tmp_path / "d/3.parquet")
    (tmp_path / "d/README.md").write_text("Not a table.\n")
    table, files = read_table(tmp_path / "d")
    assert [file.name for file in files] == ["1.csv", "3.parquet", "2.tsv"]
    assert (table.rows, table.names) == (90, COLUMNS)
    assert table.numbers == {"age", "lactate", "stay"}
    whole, _ = read_table(write(tmp_path / "whole.csv", rows))
    assert sorted(table.values["age"].tolist()) == sorted(whole.values["age"].tolist())
    assert int(np.isnan(table.values["lactate"]).sum()) == int(np.isnan(whole.values["lactate"]).sum()) > 0


def test_evaluation_data_are_what_it_is_judged_by(data, tmp_path):
    other = write(tmp_path / "eval/e.csv", rows_of(40, seed=9))
    asked = settings(data, eval=other.parent)
    table, task = read_table(data)[0], prepare(asked, read_table(data)[0], read_table(other.parent)[0])
    assert (task.train.rows, task.valid.rows) == (table.rows, 40)
    assert trained(asked)[1] != trained(settings(data))[1]


def test_files_of_one_dataset_are_told_apart_by_their_names(tmp_path, capsys):
    write(tmp_path / "d/train/a.csv", rows_of(60))
    write(tmp_path / "d/test.csv", rows_of(30, seed=5))
    (tmp_path / "d/about.csv").write_text("nothing\n")
    asked = settings(tmp_path / "d", train_files="train/*.csv", eval_files="test*", output=tmp_path / "out", epochs=2)
    run(asked)
    printed = capsys.readouterr().out
    assert "Training data: 60 rows of 6 columns in a.csv." in printed
    assert "30 rows of the evaluation data to be judged by" in printed
    with pytest.raises(Problem, match="no table by the name valid"):
        run(replace(asked, eval_files="valid*"))
    (tmp_path / "d/about.csv").unlink()
    run(replace(asked, train_files=""))
    assert "Training data: 60 rows" in capsys.readouterr().out


def test_rare_classes_are_held_back_alike_and_weigh_more_if_asked(tmp_path):
    rows = [(number, number % 7, "rare" if number % 10 == 0 else "common") for number in range(100)]
    place = write(tmp_path / "t.csv", rows, ("n", "x", "y"))
    asked = settings(place, target="y", ignore="", holdout=0.3)
    task = prepare(asked, read_table(place)[0], None)
    assert (task.classes, task.valid.target.tolist().count(1)) == (("common", "rare"), 3)
    for model in MODELS:
        assert trained(replace(asked, model=model, balanced=True)) != trained(replace(asked, model=model)), model


def test_numbers_are_classes_where_they_are_few_and_whole(tmp_path):
    few = write(tmp_path / "few.csv", [(number % 9, number % 3) for number in range(60)], ("x", "y"))
    many = write(tmp_path / "many.csv", [(number % 9, number) for number in range(60)], ("x", "y"))
    for place, task, classes in (
        (few, "auto", 3),
        (few, "regression", 0),
        (many, "auto", 0),
        (many, "classification", 60),
    ):
        asked = settings(place, target="y", ignore="", task=task, holdout=0.1)
        assert len(prepare(asked, read_table(place)[0], None).classes) == classes
    _, final = trained(settings(few, target="y", ignore=""))
    assert final["auroc"] <= 1


BAD = [
    ({"target": "dead"}, "no column 'dead'. Did you mean 'died'?"),
    ({"ignore": "stay, wards"}, "no column 'wards'. Did you mean 'ward'?"),
    ({"task": "regression"}, "has words, as"),
    ({"target": "id"}, "too many for classes"),
    ({"ignore": "stay,id,age,lactate,ward"}, "no column to learn from"),
    ({"model": "mlp", "hidden": "64,big"}, "no sizes of layers"),
]


@pytest.mark.parametrize(("more", "words"), BAD)
def test_parameters_that_do_not_fit_the_data_are_told_in_words(tmp_path, more, words):
    place = write(tmp_path / "t.csv", rows_of(250))
    with pytest.raises(Problem) as told:
        trained(settings(place, **more))
    assert words in str(told.value)


def test_data_that_cannot_be_learned_from_are_told_in_words(tmp_path):
    def told(*files: tuple[str, bytes], evaluation: bytes = b"") -> str:
        folder = tmp_path / "bad"
        for old in folder.rglob("*") if folder.exists() else ():
            old.unlink()
        folder.mkdir(exist_ok=True)
        for name, content in files:
            (folder / name).write_bytes(content)
        other = tmp_path / "other.csv"
        other.write_bytes(evaluation)
        with pytest.raises(Problem) as problem:
            trained(settings(folder, target="y", ignore="", eval=other if evaluation else None))
        return str(problem.value)

    assert "no table among the data: notes.txt" in told(("notes.txt", b"hello"))
    assert "has other columns than a.csv: z" in told(("a.csv", b"x,y\n1,2\n"), ("b.csv", b"x,y,z\n1,2,3\n"))
    assert "two columns of the same name" in told(("a.csv", b"x,x,y\n1,2,3\n"))
    assert "columns and no rows" in told(("a.csv", b"x,y\n"))
    assert "a.csv cannot be read" in told(("a.csv", b"x,y\n1,2\n1,2,3\n"))
    assert "a.csv cannot be read" in told(("a.csv", b""))
    assert "a.parquet cannot be read" in told(("a.parquet", b"PAR1 nothing"))
    assert "nothing to tell apart" in told(("a.csv", b"x,y\n1,a\n2,a\n3,a\n"))
    assert "too few" in told(("a.csv", b"x,y\n1,a\n2,b\n"))
    rows = b"".join(b"%d,%s\n" % (number, b"ab"[number % 2 : number % 2 + 1]) for number in range(20))
    assert "= 'c', which the training data never have" in told(("a.csv", b"x,y\n" + rows), evaluation=b"x,y\n1,c\n")
    assert "no column 'x'" in told(("a.csv", b"x,y\n" + rows), evaluation=b"z,y\n1,a\n")
    assert "words in the evaluation data" in told(("a.csv", b"x,y\n" + rows), evaluation=b"x,y\nfoo,a\n")


def test_what_stands_around_it_is_read_or_told(tmp_path):
    around = {
        "MLED_PARAMS": '{"target": "y"}',
        "MLED_INPUTS": '{"train": "/inputs/train"}',
        "MLED_SEED": str(2**32 + 5),
    }
    found = read_settings(around)
    assert (found.target, found.seed, found.train, found.eval) == ("y", 5, Path("/inputs/train"), None)
    for change, words in (
        ({"MLED_PARAMS": "{}"}, "target: say which column"),
        ({"MLED_INPUTS": "{}"}, "there are no training data"),
        ({"MLED_PARAMS": str(tmp_path / "absent")}, "no JSON that can be read"),
        ({"MLED_PARAMS": '{"target": "y", "model": "oracle"}'}, "no task 'auto' with a model 'oracle'"),
    ):
        with pytest.raises(Problem, match=words):
            read_settings(around | change)


def test_its_digest_changes_with_each_of_its_files(tmp_path):
    (tmp_path / "train.py").write_text("print(1)\n")
    before = digest_of(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/train.pyc").write_bytes(b"x")
    assert digest_of(tmp_path) == before
    (tmp_path / "more.py").write_text("")
    assert digest_of(tmp_path) != before
    assert len(trainer("tabular").digest) == 64
