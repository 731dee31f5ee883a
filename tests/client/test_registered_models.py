"""Registered models: names, descriptions, tags, aliases, deletion and search."""

import time
from typing import Any

import pytest

from tests.client.wire import INVALID, MISSING, TAKEN, Refusal, Wire, mled_only, unique

PROMPT = "mlflow.prompt.is_prompt"


@pytest.fixture
def name(wire: Wire) -> str:
    """A registered model without versions."""
    return register(wire)


def register(wire: Wire, name: str = "", **fields: Any) -> str:
    return str(
        wire.post("registered-models/create", name=name or unique("model"), **fields)["registered_model"]["name"]
    )


def found(wire: Wire, name: str) -> Any:
    return wire.get("registered-models/get", name=name)["registered_model"]


def a_version(wire: Wire, name: str, **fields: Any) -> str:
    asked = {"name": name, "source": "s3://bucket/model", **fields}
    return str(wire.post("model-versions/create", **asked)["model_version"]["version"])


def pairs(entries: list[dict[str, str]] | None) -> dict[str, str]:
    return {entry["key"]: entry.get("value", "") for entry in entries or []}


def names(wire: Wire, **asked: Any) -> list[str]:
    return [one["name"] for one in wire.get("registered-models/search", **asked).get("registered_models", [])]


# 126


@pytest.mark.parametrize("name", ["", "   ", "a/b", "a:b", ".", ".."])
def test_126_a_name_that_would_break_an_address_is_refused(wire: Wire, name: str) -> None:
    assert wire.refused("registered-models/create", name=name) == INVALID


def test_126_a_missing_name_is_named_in_the_error(wire: Wire) -> None:
    refusal = wire.refused("registered-models/create")
    assert refusal == INVALID
    assert "name" in refusal.message


@pytest.mark.parametrize(
    "name", ["ärzte – 模型", "with spaces", "100% sure", "a.b", "q?x=1&y#z", 'it\'s "quoted"', "🙂"]
)
def test_126_any_other_unicode_is_a_name(wire: Wire, name: str) -> None:
    made = register(wire, f"{name} {unique('n')}")
    assert found(wire, made)["name"] == made


def test_126_a_name_is_taken_once(wire: Wire, name: str) -> None:
    assert wire.refused("registered-models/create", name=name) == TAKEN
    assert register(wire, name.upper()) == name.upper()


@mled_only
@pytest.mark.parametrize("name", ["x" * 257, "a\x00b"])
def test_126_a_name_that_cannot_be_kept_is_refused(wire: Wire, name: str) -> None:
    assert wire.refused("registered-models/create", name=name) == INVALID


def test_a_new_model_has_what_it_was_given(wire: Wire) -> None:
    name = register(wire, description="finds tumours", tags=[{"key": "team", "value": "vision"}])
    model = found(wire, name)
    assert (model["description"], pairs(model["tags"])) == ("finds tumours", {"team": "vision"})
    assert abs(model["creation_timestamp"] - time.time() * 1000) < 60_000
    assert model["creation_timestamp"] == model["last_updated_timestamp"]
    assert not model.get("latest_versions")
    assert not model.get("aliases")


def test_a_model_that_is_not_there_is_missing(wire: Wire) -> None:
    for path, method in (
        ("registered-models/get", "GET"),
        ("registered-models/update", "PATCH"),
        ("registered-models/delete", "DELETE"),
    ):
        assert wire.refused(path, method=method, name=unique("nothing")) == MISSING
    assert wire.refused("registered-models/rename", name=unique("nothing"), new_name="x") == MISSING


# 131


def test_131_deleting_a_model_deletes_versions_tags_and_aliases(wire: Wire, name: str) -> None:
    wire.post("registered-models/set-tag", name=name, key="k", value="v")
    number = a_version(wire, name)
    wire.post("registered-models/alias", name=name, alias="best", version=number)
    assert wire.delete("registered-models/delete", name=name) == {}
    assert wire.refused("registered-models/get", method="GET", name=name) == MISSING
    assert wire.refused("model-versions/get", method="GET", name=name, version=number) == MISSING
    assert wire.refused("registered-models/delete", method="DELETE", name=name) == MISSING
    assert name not in names(wire, filter=f"name = '{name}'")
    assert not wire.get("model-versions/search", filter=f"name = '{name}'").get("model_versions")


def test_131_the_name_of_a_deleted_model_begins_again_at_version_1(wire: Wire, name: str) -> None:
    wire.post("registered-models/set-tag", name=name, key="k", value="v")
    for _ in range(2):
        wire.post("registered-models/alias", name=name, alias="best", version=a_version(wire, name))
    wire.delete("registered-models/delete", name=name)
    assert register(wire, name) == name
    again = found(wire, name)
    assert not again.get("aliases")
    assert not again.get("tags")
    assert a_version(wire, name) == "1"


# 133


def test_133_renaming_moves_versions_tags_and_aliases(wire: Wire, name: str) -> None:
    number = a_version(wire, name)
    wire.post("registered-models/set-tag", name=name, key="k", value="v")
    wire.post("registered-models/alias", name=name, alias="best", version=number)
    new = unique("renamed")
    renamed = wire.post("registered-models/rename", name=name, new_name=new)["registered_model"]
    assert renamed["name"] == new
    assert pairs(found(wire, new)["tags"]) == {"k": "v"}
    assert wire.get("registered-models/alias", name=new, alias="best")["model_version"]["version"] == number
    assert wire.get("model-versions/get", name=new, version=number)["model_version"]["name"] == new
    assert wire.refused("registered-models/get", method="GET", name=name) == MISSING
    assert wire.refused("model-versions/get", method="GET", name=name, version=number) == MISSING


def test_133_a_taken_name_is_refused_and_nothing_changes(wire: Wire, name: str) -> None:
    other = register(wire)
    assert wire.refused("registered-models/rename", name=name, new_name=other) == TAKEN
    assert found(wire, name)["name"] == name


@pytest.mark.parametrize("new", ["", "  ", "a/b", "a:b"])
def test_133_a_new_name_has_to_be_one(wire: Wire, name: str, new: str) -> None:
    assert wire.refused("registered-models/rename", name=name, new_name=new) == INVALID


# 134


def updated(wire: Wire, name: str) -> int:
    time.sleep(0.005)
    return int(found(wire, name)["last_updated_timestamp"])


def test_134_a_models_time_moves_with_versions_stages_and_its_description(wire: Wire, name: str) -> None:
    times = [updated(wire, name)]
    number = a_version(wire, name)
    times.append(updated(wire, name))
    wire.post(
        "model-versions/transition-stage",
        name=name, version=number, stage="Staging", archive_existing_versions=False,
    )  # fmt: skip
    times.append(updated(wire, name))
    wire.patch("registered-models/update", name=name, description="new words")
    times.append(updated(wire, name))
    wire.delete("model-versions/delete", name=name, version=number)
    times.append(updated(wire, name))
    assert times == sorted(set(times))


def test_134_a_models_time_stays_with_tags_aliases_and_a_versions_description(wire: Wire, name: str) -> None:
    number = a_version(wire, name)
    before = updated(wire, name)
    wire.post("registered-models/set-tag", name=name, key="k", value="v")
    wire.post("registered-models/alias", name=name, alias="best", version=number)
    wire.post("model-versions/set-tag", name=name, version=number, key="k", value="v")
    wire.patch("model-versions/update", name=name, version=number, description="words")
    assert updated(wire, name) == before


# 135


def test_135_deleting_what_is_not_there_is_no_error(wire: Wire, name: str) -> None:
    number = a_version(wire, name)
    assert wire.delete("registered-models/delete-tag", name=name, key="nothing") == {}
    assert wire.delete("model-versions/delete-tag", name=name, version=number, key="nothing") == {}
    assert wire.delete("registered-models/alias", name=name, alias="nothing") == {}


def test_tags_of_a_model_overwrite_and_go(wire: Wire, name: str) -> None:
    for value in ("one", "two", ""):
        assert wire.post("registered-models/set-tag", name=name, key="a b/c.d", value=value) == {}
        assert pairs(found(wire, name)["tags"]) == {"a b/c.d": value}
    assert wire.delete("registered-models/delete-tag", name=name, key="a b/c.d") == {}
    assert not found(wire, name).get("tags")


@pytest.mark.parametrize("key", ["", "a\nb", "../x", "/x", "x" * 251])
def test_a_tags_key_is_a_plain_path(wire: Wire, name: str, key: str) -> None:
    assert wire.refused("registered-models/set-tag", name=name, key=key, value="v") == INVALID


# 136, 137


def test_136_an_alias_that_exists_moves(wire: Wire, name: str) -> None:
    first, second = a_version(wire, name), a_version(wire, name)
    for number in (first, second, second):
        assert wire.post("registered-models/alias", name=name, alias="champion-eu", version=number) == {}
        assert wire.get("registered-models/alias", name=name, alias="champion-eu")["model_version"]["version"] == number
    assert found(wire, name)["aliases"] == [{"alias": "champion-eu", "version": second}]
    assert not wire.get("model-versions/get", name=name, version=first)["model_version"].get("aliases")


def test_136_a_version_may_have_many_aliases(wire: Wire, name: str) -> None:
    number = a_version(wire, name)
    for alias in ("b", "a", "c_2"):
        wire.post("registered-models/alias", name=name, alias=alias, version=number)
    version = wire.get("model-versions/get", name=name, version=number)["model_version"]
    assert sorted(version["aliases"]) == ["a", "b", "c_2"]
    wire.delete("registered-models/alias", name=name, alias="b")
    assert sorted(one["alias"] for one in found(wire, name)["aliases"]) == ["a", "c_2"]


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v12", "V1", "", " ", "a b", "a/b", "a.b", "x" * 256])
def test_136_a_reserved_or_odd_alias_is_refused(wire: Wire, name: str, alias: str) -> None:
    number = a_version(wire, name)
    assert wire.refused("registered-models/alias", name=name, alias=alias, version=number) == INVALID
    assert not found(wire, name).get("aliases")


def test_136_an_alias_of_a_version_that_is_not_there_is_missing(wire: Wire, name: str) -> None:
    assert wire.refused("registered-models/alias", name=name, alias="a", version="7") == MISSING


def test_137_a_missing_alias_is_a_clear_error(wire: Wire, name: str) -> None:
    assert wire.refused("registered-models/alias", method="GET", name=name, alias="nobody") in (INVALID, MISSING)


# 141, 143


@pytest.fixture(scope="module")
def zoo(wire: Wire) -> str:
    """Three models whose names share a prefix, in no order of name or time."""
    prefix = unique("zoo").replace(" ", "-")
    for suffix, team in (("b", "Vision"), ("A", "speech"), ("c", "")):
        tags = [{"key": "team", "value": team}] if team else []
        register(wire, f"{prefix}-{suffix}", tags=tags)
        time.sleep(0.005)
    return prefix


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name LIKE '{zoo}%'", "Abc"),
        ("name = '{zoo}-b'", "b"),
        ("name LIKE '{zoo}%' AND name != '{zoo}-b'", "Ac"),
        ("name LIKE '{zoo}-a'", ""),
        ("name IN ('{zoo}-b', '{zoo}-c', 'other')", "bc"),
        ("name LIKE '{zoo}%' AND name NOT IN ('{zoo}-b')", "Ac"),
        ("name ILIKE '{zoo}-a'", "A"),
        ("name LIKE '{zoo}%' AND tags.team = 'Vision'", "b"),
        ("name LIKE '{zoo}%' AND tag.team != 'Vision'", "A"),
        ("name LIKE '{zoo}%' AND tags.`team` LIKE '%is%'", "b"),
        ("name LIKE '{zoo}%' AND tags.team ILIKE 'SPEECH'", "A"),
    ],
)
def test_141_a_filter_finds_by_name_and_tags(wire: Wire, zoo: str, text: str, expected: str) -> None:
    assert names(wire, filter=text.format(zoo=zoo)) == [f"{zoo}-{suffix}" for suffix in expected]


@pytest.mark.parametrize(
    "text",
    [
        "name > 'a'",
        "description = 'x'",
        "name = 'a' OR name = 'b'",
        "tags.team = 3",
        "metrics.x > 1",
        "name",
        "creation_timestamp > 1",
    ],
)
def test_141_any_other_filter_is_refused(wire: Wire, text: str) -> None:
    assert wire.refused("registered-models/search", method="GET", filter=text) == INVALID


@pytest.mark.parametrize("many", [1001, pytest.param(0, marks=mled_only), pytest.param(-1, marks=mled_only)])
def test_141_a_page_holds_one_to_a_thousand_models(wire: Wire, many: int) -> None:
    assert wire.refused("registered-models/search", method="GET", max_results=many) == INVALID


def test_141_pages_are_disjoint_and_complete(wire: Wire, zoo: str) -> None:
    seen, token = [], ""
    for _ in range(5):
        page = wire.get("registered-models/search", filter=f"name LIKE '{zoo}%'", max_results=1, page_token=token)
        seen += [one["name"] for one in page.get("registered_models", [])]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert seen == [f"{zoo}-A", f"{zoo}-b", f"{zoo}-c"]


@pytest.mark.parametrize("token", ["garbage", pytest.param("é", marks=mled_only), "eyJ9"])
def test_141_a_foreign_page_token_is_refused(wire: Wire, token: str) -> None:
    assert wire.refused("registered-models/search", method="GET", page_token=token) == INVALID


def test_141_prompts_are_hidden_unless_asked_for(wire: Wire) -> None:
    plain, prompt = register(wire), register(wire, tags=[{"key": PROMPT, "value": "true"}])
    named = f"name LIKE '%{plain}' AND "
    assert plain in names(wire, filter=f"name = '{plain}'")
    assert not names(wire, filter=f"name = '{prompt}'")
    assert names(wire, filter=f"name = '{prompt}' AND tags.`{PROMPT}` = 'true'") == [prompt]
    assert names(wire, filter=f"{named}tags.`{PROMPT}` = 'false'") == [plain]
    assert names(wire, filter=f"{named}tags.`{PROMPT}` != 'true'") == [plain]
    assert not names(wire, filter=f"{named}tags.`{PROMPT}` = 'true'")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (["name DESC"], "cbA"),
        (["name"], "Abc"),
        (["timestamp ASC"], "bAc"),
        (["last_updated_timestamp DESC"], "cAb"),
    ],
)
def test_143_models_are_ordered_by_name_or_time(wire: Wire, zoo: str, order: list[str], expected: str) -> None:
    assert names(wire, filter=f"name LIKE '{zoo}%'", order_by=order) == [f"{zoo}-{suffix}" for suffix in expected]


@mled_only
def test_143_models_are_ordered_by_creation_too(wire: Wire, zoo: str) -> None:
    wire.patch("registered-models/update", name=f"{zoo}-b", description="later")
    try:
        found = names(wire, filter=f"name LIKE '{zoo}%'", order_by=["creation_timestamp DESC"])
    finally:
        for suffix in "Ac":
            wire.patch("registered-models/update", name=f"{zoo}-{suffix}", description="later still")
    assert found == [f"{zoo}-{suffix}" for suffix in "cAb"]


@pytest.mark.parametrize("order", ["description", "version_number", "tags.team", "name UP", ""])
def test_143_any_other_order_is_refused(wire: Wire, order: str) -> None:
    refusal = wire.refused("registered-models/search", method="GET", order_by=[order])
    assert refusal == Refusal(400, "INVALID_PARAMETER_VALUE")
