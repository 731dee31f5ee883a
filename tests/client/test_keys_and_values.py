"""Keys and values: what they may hold, how long they may be, and what may change."""

import hashlib
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.client.wire import INVALID, MISSING, Refusal, Wire, mled_only

GOOD_KEYS = ["lr", "val loss", "train/loss", "a.b-c_d:e", "größe", "精度", "x" * 250, ".hidden", "a..b", "9", "a/b/c d"]
FORBIDDEN_CHARACTERS = ["a,b", "a=b", "a(b)", "a#b", "a\\b", "a\nb", "a%b", "a🧪b", "a*b", "a@b"]
NO_PATHS = ["", ".", "..", "../x", "/x", "a//b", "a/./b", "a/", "a/../b", "./a"]


def write(wire: Wire, run: str, kind: str, key: str) -> None:
    if kind == "metric":
        wire.log(run, key, 1)
    elif kind == "param":
        wire.post("runs/log-parameter", run_id=run, key=key, value="1")
    else:
        wire.post("runs/set-tag", run_id=run, key=key, value="1")


def write_refused(wire: Wire, run: str, kind: str, key: str) -> Refusal:
    if kind == "metric":
        return wire.refused("runs/log-metric", run_id=run, key=key, value=1, timestamp=1)
    call = "log-parameter" if kind == "param" else "set-tag"
    return wire.refused(f"runs/{call}", run_id=run, key=key, value="1")


def keys_of(wire: Wire, run: str, kind: str) -> set[str]:
    return {entry["key"] for entry in wire.run(run)["data"].get(f"{kind}s", [])}


@pytest.mark.parametrize("kind", ["metric", "param", "tag"])
def test_keys_hold_letters_of_any_script_and_some_signs(wire: Wire, run: str, kind: str) -> None:
    before = keys_of(wire, run, kind)
    for key in GOOD_KEYS:
        write(wire, run, kind, key)
    assert keys_of(wire, run, kind) - before == set(GOOD_KEYS)


@pytest.mark.parametrize("kind", ["metric", "param", "tag"])
def test_other_characters_are_refused(wire: Wire, run: str, kind: str) -> None:
    before = wire.run(run)["data"]
    for key in FORBIDDEN_CHARACTERS:
        assert write_refused(wire, run, kind, key) == INVALID, key
    assert wire.run(run)["data"] == before


@pytest.mark.parametrize("kind", ["metric", "param", "tag"])
def test_a_key_is_a_clean_relative_path(wire: Wire, run: str, kind: str) -> None:
    before = wire.run(run)["data"]
    for key in NO_PATHS:
        assert write_refused(wire, run, kind, key) == INVALID, key
    assert wire.run(run)["data"] == before


@pytest.mark.parametrize("kind", ["metric", "param", "tag"])
def test_a_key_of_251_characters_is_refused(wire: Wire, run: str, kind: str) -> None:
    assert write_refused(wire, run, kind, "x" * 251) == INVALID


@pytest.mark.parametrize("kind", ["metric", "param", "tag"])
def test_keys_differ_by_case(wire: Wire, run: str, kind: str) -> None:
    for key in ("lr", "LR", "Lr"):
        write(wire, run, kind, key)
    assert {"lr", "LR", "Lr"} <= keys_of(wire, run, kind)


def test_values_keep_every_character(wire: Wire, run: str) -> None:
    text = "  leading, \"double\", 'single', `back`, \\, \t tab\nline\r\n end  "
    wire.post("runs/log-parameter", run_id=run, key="p", value=text)
    wire.post("runs/set-tag", run_id=run, key="t", value=text)
    assert wire.params(run)["p"] == text
    assert wire.tags(run)["t"] == text


@pytest.mark.parametrize("missing", [{}, {"value": ""}])
def test_an_empty_value_is_a_value(wire: Wire, run: str, missing: dict[str, str]) -> None:
    wire.post("runs/log-parameter", run_id=run, key="p", **missing)
    wire.post("runs/set-tag", run_id=run, key="t", **missing)
    wire.post("runs/log-batch", run_id=run, params=[{"key": "q", **missing}], tags=[{"key": "u", **missing}])
    assert wire.params(run) == {"p": "", "q": ""}
    assert {key: wire.tags(run)[key] for key in "tu"} == {"t": "", "u": ""}


def test_a_param_of_6000_and_a_tag_of_8000_characters_are_kept_whole(wire: Wire, run: str) -> None:
    wire.post("runs/log-parameter", run_id=run, key="p", value="ü" * 6000)
    wire.post("runs/set-tag", run_id=run, key="t", value="ü" * 8000)
    assert wire.params(run)["p"] == "ü" * 6000
    assert wire.tags(run)["t"] == "ü" * 8000


@mled_only
@pytest.mark.parametrize("length", [6001, 65_536])
def test_long_values_are_kept_whole(wire: Wire, run: str, length: int) -> None:
    wire.post("runs/log-parameter", run_id=run, key="p", value="ü" * length)
    wire.post("runs/set-tag", run_id=run, key="t", value="é" * length)
    wire.post("runs/log-batch", run_id=run, params=[{"key": "q", "value": "x" * length}])
    assert wire.params(run) == {"p": "ü" * length, "q": "x" * length}
    assert wire.tags(run)["t"] == "é" * length
    assert "mled.truncated" not in wire.tags(run)


@mled_only
def test_a_value_beyond_that_keeps_its_beginning_and_says_so(wire: Wire, run: str) -> None:
    text = "ü" * 70_000
    wire.post("runs/log-parameter", run_id=run, key="p", value=text)
    assert wire.params(run)["p"] == text[:65_536]
    noted = wire.tags(run)["mled.truncated"]
    assert "p" in noted
    assert "70000" in noted
    assert hashlib.sha256(text.encode()).hexdigest() in noted
    wire.post("runs/set-tag", run_id=run, key="t", value=text)
    assert wire.tags(run)["t"] == text[:65_536]


@mled_only
def test_a_cut_param_is_still_immutable(wire: Wire, run: str) -> None:
    text = "x" * 70_000
    wire.post("runs/log-parameter", run_id=run, key="p", value=text)
    wire.post("runs/log-parameter", run_id=run, key="p", value=text)
    assert wire.refused("runs/log-parameter", run_id=run, key="p", value=text + "y") == INVALID
    assert wire.refused("runs/log-parameter", run_id=run, key="p", value=text[:65_536]) == INVALID


def test_a_param_cannot_change(wire: Wire, run: str) -> None:
    wire.post("runs/log-parameter", run_id=run, key="p", value="1")
    wire.post("runs/log-parameter", run_id=run, key="p", value="1")
    refusal = wire.refused("runs/log-parameter", run_id=run, key="p", value="2")
    assert refusal == INVALID
    assert "p" in refusal.message
    assert wire.params(run) == {"p": "1"}


def test_the_client_explains_that_a_param_cannot_change(client: MlflowClient, run: str) -> None:
    client.log_param(run, "p", 1)
    with pytest.raises(MlflowException, match=r"(?i)chang|already"):
        client.log_param(run, "p", 2)


def test_a_tag_is_overwritten(wire: Wire, run: str) -> None:
    for value in ("a", "b", "a"):
        wire.post("runs/set-tag", run_id=run, key="t", value=value)
    assert wire.tags(run)["t"] == "a"


def test_a_tag_can_be_deleted_once(wire: Wire, run: str) -> None:
    wire.post("runs/set-tag", run_id=run, key="t", value="1")
    wire.post("runs/delete-tag", run_id=run, key="t")
    assert "t" not in wire.tags(run)
    assert wire.refused("runs/delete-tag", run_id=run, key="t") == MISSING


@pytest.mark.parametrize(
    ("value", "stored"),
    [(0.001, "0.001"), (None, "None"), ([1, "a"], "[1, 'a']"), (True, "True"), (10**20, "1" + "0" * 20)],
)
def test_the_client_writes_any_object_as_its_text(client: MlflowClient, run: str, value: Any, stored: str) -> None:
    client.log_param(run, "p", value)
    client.set_tag(run, "t", value)
    data = client.get_run(run).data
    assert (data.params["p"], data.tags["t"]) == (stored, stored)
