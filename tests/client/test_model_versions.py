"""Versions of registered models: numbers, sources, stages, deletion and search."""

import time
from typing import Any

import pytest

from tests.client.test_registered_models import PROMPT, a_version, found, pairs, register
from tests.client.wire import INVALID, MISSING, Wire, mled_only, unique


@pytest.fixture
def name(wire: Wire) -> str:
    """A registered model without versions."""
    return register(wire)


def version_of(wire: Wire, name: str, version: str) -> Any:
    return wire.get("model-versions/get", name=name, version=version)["model_version"]


def make(wire: Wire, name: str, **fields: Any) -> Any:
    return wire.post("model-versions/create", name=name, **fields)["model_version"]


def stage(wire: Wire, name: str, version: str, to: str, *, archive: bool = False) -> Any:
    asked = {"name": name, "version": version, "stage": to, "archive_existing_versions": archive}
    return wire.post("model-versions/transition-stage", **asked)["model_version"]


def stages(wire: Wire, name: str) -> dict[str, str]:
    versions = wire.get("model-versions/search", filter=f"name = '{name}'")["model_versions"]
    return {one["version"]: one["current_stage"] for one in versions}


def uri_of(wire: Wire, run: str) -> str:
    return str(wire.run(run)["info"]["artifact_uri"])


def a_logged_model(wire: Wire, experiment: str, run: str | None = None) -> Any:
    return wire.post("logged-models", experiment_id=experiment, name="net", source_run_id=run)["model"]["info"]


# 127


def test_127_versions_count_from_one_as_texts(wire: Wire, name: str) -> None:
    assert [a_version(wire, name) for _ in range(3)] == ["1", "2", "3"]
    assert a_version(wire, register(wire)) == "1"


@mled_only
def test_127_the_number_of_a_deleted_version_is_not_used_again(wire: Wire, name: str) -> None:
    for number in ("1", "2"):
        assert a_version(wire, name) == number
    wire.delete("model-versions/delete", name=name, version="2")
    assert a_version(wire, name) == "3"


# 128


@pytest.mark.parametrize("version", ["one", "1.5", "", "1e3", "--1"])
def test_128_a_version_is_a_whole_number(wire: Wire, name: str, version: str) -> None:
    a_version(wire, name)
    assert wire.refused("model-versions/get", method="GET", name=name, version=version) == INVALID


@pytest.mark.parametrize("version", ["7", "0", "-1"])
def test_128_an_unknown_version_is_missing(wire: Wire, name: str, version: str) -> None:
    a_version(wire, name)
    for path, method, more in (
        ("model-versions/get", "GET", {}),
        ("model-versions/update", "PATCH", {"description": "x"}),
        ("model-versions/delete", "DELETE", {}),
        ("model-versions/set-tag", "POST", {"key": "k", "value": "v"}),
        ("model-versions/get-download-uri", "GET", {}),
    ):
        assert wire.refused(path, method=method, name=name, version=version, **more) == MISSING


@mled_only
def test_128_a_number_beyond_every_model_is_missing(wire: Wire, name: str) -> None:
    for version in ("2147483648", "9" * 18):
        assert wire.refused("model-versions/get", method="GET", name=name, version=version) == MISSING


def test_128_a_version_of_an_unknown_model_is_missing(wire: Wire) -> None:
    unknown = unique("nothing")
    assert wire.refused("model-versions/get", method="GET", name=unknown, version="1") == MISSING
    assert wire.refused("model-versions/create", name=unknown, source="s3://bucket/x") == MISSING


# 129


def test_129_a_new_version_is_ready_in_no_stage_without_aliases(wire: Wire, name: str, run: str) -> None:
    made = make(
        wire, name, source="s3://bucket/model", run_id=run, run_link="https://ci.example.org/1", description="first",
        tags=[{"key": "k", "value": "v"}],
    )  # fmt: skip
    assert (made["version"], made["status"], made["current_stage"]) == ("1", "READY", "None")
    assert not made.get("aliases")
    assert (made["source"], made["run_id"], made["run_link"]) == ("s3://bucket/model", run, "https://ci.example.org/1")
    assert (made["description"], pairs(made["tags"])) == ("first", {"k": "v"})
    assert made["creation_timestamp"] == made["last_updated_timestamp"]
    assert version_of(wire, name, "1") == made


# 130


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "model",
        "./model",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        pytest.param("file://host/share", marks=mled_only),
        "s3://bucket/../secret",
        "s3://bucket/%2e%2e/secret",
        "s3://bucket/%252e%252e/secret",
        "mlflow-artifacts:/0/../1",
        "",
    ],
)
def test_130_a_local_or_climbing_source_is_refused(wire: Wire, name: str, source: str) -> None:
    assert wire.refused("model-versions/create", name=name, source=source) == INVALID
    assert not found(wire, name).get("latest_versions")


def test_130_a_local_path_is_refused_with_a_run_as_well(wire: Wire, name: str, run: str) -> None:
    for source in ("/etc", "file:///etc", f"/{run}/artifacts/model"):
        assert wire.refused("model-versions/create", name=name, source=source, run_id=run) == INVALID


@pytest.mark.parametrize(
    "source",
    [
        "s3://bucket/model",
        "gs://b/m",
        pytest.param("https://models.example.org/m.bin", marks=mled_only),
        pytest.param("abfss://c@a/x", marks=mled_only),
    ],
)
def test_130_a_place_outside_passes_and_is_given_back(wire: Wire, name: str, source: str) -> None:
    number = a_version(wire, name, source=source)
    assert version_of(wire, name, number)["source"] == source
    assert wire.get("model-versions/get-download-uri", name=name, version=number)["artifact_uri"] == source


def test_130_an_artifact_uri_lies_in_the_run_that_is_named(wire: Wire, name: str, experiment: str) -> None:
    run, other = wire.new_run(experiment), wire.new_run(experiment)
    source = f"{uri_of(wire, run)}/model"
    number = a_version(wire, name, source=source, run_id=run)
    assert wire.get("model-versions/get-download-uri", name=name, version=number)["artifact_uri"] == source
    assert wire.refused("model-versions/create", name=name, source=source, run_id=other) == INVALID
    climbing = f"{uri_of(wire, run)}/../../{other}/artifacts"
    assert wire.refused("model-versions/create", name=name, source=climbing, run_id=run) == INVALID
    longer = source.replace(run, f"{run}0")
    assert wire.refused("model-versions/create", name=name, source=longer, run_id=run) == INVALID


def test_130_an_artifact_uri_lies_in_the_model_that_is_named(wire: Wire, name: str, experiment: str) -> None:
    made, other = a_logged_model(wire, experiment), a_logged_model(wire, experiment)
    source = made["artifact_uri"]
    number = a_version(wire, name, source=source, model_id=made["model_id"])
    assert wire.get("model-versions/get-download-uri", name=name, version=number)["artifact_uri"] == source
    assert wire.refused("model-versions/create", name=name, source=source, model_id=other["model_id"]) == INVALID


def test_130_a_run_address_stands_for_the_runs_files(wire: Wire, name: str, experiment: str) -> None:
    run, other = wire.new_run(experiment), wire.new_run(experiment)
    number = a_version(wire, name, source=f"runs:/{run}/model", run_id=run)
    assert version_of(wire, name, number)["source"] == f"runs:/{run}/model"
    assert wire.refused("model-versions/create", name=name, source=f"runs:/{run}/model", run_id=other) == INVALID
    assert wire.refused("model-versions/create", name=name, source=f"runs://{run}/model", run_id=run) == INVALID


def test_130_a_model_address_stands_for_the_logged_models_files(wire: Wire, name: str, experiment: str) -> None:
    run = wire.new_run(experiment)
    made, other = a_logged_model(wire, experiment, run), a_logged_model(wire, experiment)
    source = f"models:/{made['model_id']}"
    number = a_version(wire, name, source=source, model_id=made["model_id"])
    version = version_of(wire, name, number)
    assert (version["source"], version["run_id"]) == (source, run)
    address = wire.get("model-versions/get-download-uri", name=name, version=number)["artifact_uri"]
    assert address == made["artifact_uri"]
    assert wire.refused("model-versions/create", name=name, source=source, model_id=other["model_id"]) == INVALID


@mled_only
def test_130_a_source_inside_names_its_run_or_model_by_itself(wire: Wire, name: str, experiment: str) -> None:
    run = wire.new_run(experiment)
    made = a_logged_model(wire, experiment, run)
    for source in (f"runs:/{run}/model", f"{uri_of(wire, run)}/model"):
        number = a_version(wire, name, source=source)
        assert version_of(wire, name, number)["run_id"] == run
        address = wire.get("model-versions/get-download-uri", name=name, version=number)["artifact_uri"]
        assert address == f"{uri_of(wire, run)}/model"
    number = a_version(wire, name, source=f"models:/{made['model_id']}")
    assert version_of(wire, name, number)["run_id"] == run


@mled_only
def test_130_a_version_names_the_model_that_it_is_made_of(wire: Wire, name: str, experiment: str) -> None:
    made = a_logged_model(wire, experiment)
    number = a_version(wire, name, source=made["artifact_uri"], model_id=made["model_id"])
    assert version_of(wire, name, number)["model_id"] == made["model_id"]


@mled_only
def test_130_a_run_or_model_that_is_not_there_is_no_source(wire: Wire, name: str) -> None:
    for source in (
        f"runs:/{'0' * 32}/model",
        f"models:/m-{'0' * 32}",
        f"mlflow-artifacts:/0/{'0' * 32}/artifacts/model",
        "mlflow-artifacts:/0",
        "mlflow-artifacts:/0/x?y=1",
        "models:/no-such-model/1",
        "models:/",
        "runs:/",
    ):
        assert wire.refused("model-versions/create", name=name, source=source) == INVALID


def test_130_a_version_may_be_made_of_another(wire: Wire, name: str, experiment: str) -> None:
    run = wire.new_run(experiment)
    number = a_version(wire, name, source=f"runs:/{run}/model", run_id=run)
    copy = register(wire)
    a_version(wire, copy, source=f"models:/{name}/{number}", run_id=run)
    here = wire.get("model-versions/get-download-uri", name=name, version=number)
    assert wire.get("model-versions/get-download-uri", name=copy, version="1") == here


@mled_only
def test_130_a_version_is_not_made_of_a_deleted_run(wire: Wire, name: str, experiment: str) -> None:
    run = wire.new_run(experiment)
    wire.post("runs/delete", run_id=run)
    assert wire.refused("model-versions/create", name=name, source=f"runs:/{run}/model") == INVALID
    assert wire.refused("model-versions/create", name=name, source="s3://b/m", run_id=run) == INVALID


@mled_only
def test_a_logged_model_tells_what_it_is_registered_as(wire: Wire, name: str, experiment: str) -> None:
    made = a_logged_model(wire, experiment)
    for _ in range(2):
        a_version(wire, name, source=f"models:/{made['model_id']}", model_id=made["model_id"])
    wire.delete("model-versions/delete", name=name, version="1")
    info = wire.get(f"logged-models/{made['model_id']}")["model"]["info"]
    assert info["registrations"] == [{"name": name, "version": "2"}]


# 132


def test_132_deleting_a_version_removes_its_aliases(wire: Wire, name: str) -> None:
    first, second = a_version(wire, name), a_version(wire, name)
    for alias, number in (("a", first), ("b", second)):
        wire.post("registered-models/alias", name=name, alias=alias, version=number)
    assert wire.delete("model-versions/delete", name=name, version=first) == {}
    assert wire.refused("model-versions/get", method="GET", name=name, version=first) == MISSING
    assert wire.refused("model-versions/delete", method="DELETE", name=name, version=first) == MISSING
    assert found(wire, name)["aliases"] == [{"alias": "b", "version": second}]
    assert wire.refused("registered-models/alias", method="GET", name=name, alias="a") in (INVALID, MISSING)


# 138, 139


@pytest.mark.parametrize("word", ["staging", "STAGING", "Staging", "production", "archived", "none"])
def test_138_a_stage_is_known_in_any_case(wire: Wire, name: str, word: str) -> None:
    number = a_version(wire, name)
    assert stage(wire, name, number, word)["current_stage"] == word.capitalize()
    assert version_of(wire, name, number)["current_stage"] == word.capitalize()


@pytest.mark.parametrize("word", ["live", "", "Prod", " Staging"])
def test_138_any_other_stage_is_refused(wire: Wire, name: str, word: str) -> None:
    asked = {"name": name, "version": a_version(wire, name), "stage": word, "archive_existing_versions": False}
    assert wire.refused("model-versions/transition-stage", **asked) == INVALID


def test_139_the_others_in_a_stage_are_archived_where_it_is_asked(wire: Wire, name: str) -> None:
    one, two, three = (a_version(wire, name) for _ in range(3))
    stage(wire, name, one, "Production")
    stage(wire, name, two, "Production")
    assert stages(wire, name) == {one: "Production", two: "Production", three: "None"}
    stage(wire, name, three, "production", archive=True)
    assert stages(wire, name) == {one: "Archived", two: "Archived", three: "Production"}
    stage(wire, name, three, "Production", archive=True)
    assert stages(wire, name)[three] == "Production"


@mled_only
@pytest.mark.parametrize("word", ["None", "Archived"])
def test_139_nothing_is_archived_from_where_nothing_serves(wire: Wire, name: str, word: str) -> None:
    asked = {"name": name, "version": a_version(wire, name), "stage": word, "archive_existing_versions": True}
    assert wire.refused("model-versions/transition-stage", **asked) == INVALID


# 140


def latest(wire: Wire, name: str, *asked: str) -> dict[str, str]:
    answer = wire.post("registered-models/get-latest-versions", name=name, stages=list(asked))
    return {one["current_stage"]: one["version"] for one in answer.get("model_versions", [])}


def test_140_the_highest_version_of_each_stage_is_the_latest(wire: Wire, name: str) -> None:
    assert latest(wire, name) == {}
    numbers = [a_version(wire, name) for _ in range(4)]
    stage(wire, name, numbers[0], "Production")
    stage(wire, name, numbers[2], "Production")
    assert latest(wire, name) == {"None": "4", "Production": "3"}
    assert latest(wire, name, "production") == {"Production": "3"}
    assert latest(wire, name, "Staging") == {}
    assert (
        wire.get("registered-models/get-latest-versions", name=name, stages=["None"])["model_versions"][0]["version"]
        == "4"
    )
    assert {one["version"] for one in found(wire, name)["latest_versions"]} == {"3", "4"}


def test_140_the_latest_come_in_the_order_in_which_their_stages_were_first_taken(wire: Wire, name: str) -> None:
    """So that a script which takes the last of them gets the one that MLflow's server gives it."""
    numbers = [a_version(wire, name) for _ in range(4)]
    for number, word in zip(numbers, ("Archived", "Production", "Staging", "Archived"), strict=True):
        stage(wire, name, number, word)
    assert list(latest(wire, name).items()) == [("Archived", "4"), ("Production", "2"), ("Staging", "3")]
    assert [one["version"] for one in found(wire, name)["latest_versions"]] == ["4", "2", "3"]


def test_140_an_unknown_stage_or_model_is_an_error(wire: Wire, name: str) -> None:
    assert wire.refused("registered-models/get-latest-versions", name=name, stages=["live"]) == INVALID
    assert wire.refused("registered-models/get-latest-versions", name=unique("nothing")) == MISSING


# Tags and descriptions


def test_tags_of_a_version_overwrite_and_go(wire: Wire, name: str) -> None:
    number = a_version(wire, name)
    for value in ("one", "two"):
        assert wire.post("model-versions/set-tag", name=name, version=number, key="k", value=value) == {}
        assert pairs(version_of(wire, name, number)["tags"]) == {"k": value}
    assert wire.delete("model-versions/delete-tag", name=name, version=number, key="k") == {}
    assert not version_of(wire, name, number).get("tags")


def test_a_versions_description_changes_with_its_time(wire: Wire, name: str) -> None:
    number = a_version(wire, name)
    before = version_of(wire, name, number)["last_updated_timestamp"]
    time.sleep(0.005)
    changed = wire.patch("model-versions/update", name=name, version=number, description="better")["model_version"]
    assert changed["description"] == "better"
    assert changed["last_updated_timestamp"] > before


# 142, 143


@pytest.fixture(scope="module")
def zoo(wire: Wire) -> dict[str, str]:
    """Versions of two models: b1 b2 b3 and a1; b2 is of a run, b1 was described last."""
    experiment = wire.new_experiment()
    run = wire.new_run(experiment)
    prefix = unique("zoo").replace(" ", "-")
    for letter in "ba":
        register(wire, f"{prefix}-{letter}")
    made = [("b", {}), ("b", {"run_id": run, "tags": [{"key": "kind", "value": "Tree"}]}), ("a", {}), ("b", {})]
    for at, (letter, more) in enumerate(made):
        a_version(wire, f"{prefix}-{letter}", source=f"s3://bucket/{prefix}/{at}", **more)
        time.sleep(0.005)
    wire.patch("model-versions/update", name=f"{prefix}-b", version="1", description="changed last")
    return {"zoo": prefix, "run": run}


def search(wire: Wire, zoo: dict[str, str], text: str = "", **more: Any) -> list[str]:
    text = f"source_path LIKE 's3://bucket/{zoo['zoo']}/%'" + (f" AND {text.format(**zoo)}" if text else "")
    rows = wire.get("model-versions/search", filter=text, **more).get("model_versions", [])
    return [one["name"].removeprefix(f"{zoo['zoo']}-") + one["version"] for one in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = '{zoo}-a'", ["a1"]),
        ("name != '{zoo}-a'", ["b1", "b3", "b2"]),
        ("name LIKE '%-B'", []),
        ("name ILIKE '%-B'", ["b1", "b3", "b2"]),
        ("name IN ('{zoo}-a', 'other')", ["a1"]),
        ("run_id = '{run}'", ["b2"]),
        ("run_id IN ('{run}', 'x')", ["b2"]),
        ("run_id LIKE '{run}'", ["b2"]),
        ("version_number = 3", ["b3"]),
        ("version_number = '3'", ["b3"]),
        ("version_number > 1", ["b3", "b2"]),
        ("version_number <= 1 AND name = '{zoo}-b'", ["b1"]),
        ("version_number != 2", ["b1", "b3", "a1"]),
        ("tags.kind = 'Tree'", ["b2"]),
        ("tags.kind ILIKE 'tree'", ["b2"]),
        ("tags.kind LIKE 'tree'", []),
        ("source_path LIKE '%/2'", ["a1"]),
    ],
)
def test_142_a_filter_finds_versions(wire: Wire, zoo: dict[str, str], text: str, expected: list[str]) -> None:
    assert search(wire, zoo, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "version_number > 'x'",
        "version_number > 1.5",
        "version_number = '1.5'",
        "version_number = ''",
        "version = 1",
        "current_stage = 'Production'",
        "source_path IN ('a', 'b')",
        "name IN ()",
        "name = 'a' OR name = 'b'",
        "params.x = '1'",
        "run_id > 'a'",
    ],
)
def test_142_any_other_filter_is_refused(wire: Wire, text: str) -> None:
    assert wire.refused("model-versions/search", method="GET", filter=text) == INVALID


@pytest.mark.parametrize("many", [0, -1, 200_001])
def test_142_a_page_holds_one_to_two_hundred_thousand(wire: Wire, many: int) -> None:
    assert wire.refused("model-versions/search", method="GET", max_results=many) == INVALID


def test_142_the_last_changed_version_comes_first_and_pages_are_complete(wire: Wire, zoo: dict[str, str]) -> None:
    assert search(wire, zoo) == ["b1", "b3", "a1", "b2"]
    text = f"source_path LIKE 's3://bucket/{zoo['zoo']}/%'"
    seen, token = [], ""
    for _ in range(6):
        page = wire.get("model-versions/search", filter=text, max_results=3, page_token=token)
        seen += [one["version"] for one in page.get("model_versions", [])]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert seen == ["1", "3", "1", "2"]


def test_142_versions_of_prompts_are_hidden(wire: Wire) -> None:
    mark = [{"key": PROMPT, "value": "true"}]
    prompt = register(wire, tags=mark)
    a_version(wire, prompt, source="dummy-source", tags=[*mark, {"key": "mlflow.prompt.text", "value": "Say {{x}}"}])
    hidden = wire.get("model-versions/search", filter=f"name = '{prompt}'").get("model_versions", [])
    asked = f"name = '{prompt}' AND tags.`{PROMPT}` = 'true'"
    [shown] = wire.get("model-versions/search", filter=asked)["model_versions"]
    assert not hidden
    assert pairs(shown["tags"])["mlflow.prompt.text"] == "Say {{x}}"
    refused = {"name": prompt, "source": "s3://bucket/x", "tags": mark}
    assert wire.refused("model-versions/create", **refused) == INVALID


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["version_number ASC", "name DESC"], ["b1", "a1", "b2", "b3"]),
        (["name ASC"], ["a1", "b3", "b2", "b1"]),
        (["creation_timestamp DESC"], ["b3", "a1", "b2", "b1"]),
        (["last_updated_timestamp"], ["b2", "a1", "b3", "b1"]),
    ],
)
def test_143_versions_are_ordered(wire: Wire, zoo: dict[str, str], order: list[str], expected: list[str]) -> None:
    assert search(wire, zoo, order_by=order) == expected


@pytest.mark.parametrize("order", ["source_path", "run_id", "tags.kind", "version_number UP"])
def test_143_any_other_order_of_versions_is_refused(wire: Wire, order: str) -> None:
    assert wire.refused("model-versions/search", method="GET", order_by=[order]) == INVALID
