"""Parameters as they are declared, and values as they are checked: pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import Invalid, InvalidFields
from runner import command_words
from runner.schemas import Kind, Parameter, checked_values, guessed, plain_schema, read_schema
from runner.trainers import trainer

pytestmark = pytest.mark.once

LR = {
    "name": "lr",
    "type": "number",
    "default": 0.01,
    "least": 1e-4,
    "most": 0.1,
    "scale": "log",
    "unit": "",
    "words": "",
}
SCHEMA = [
    LR,
    {"name": "epochs", "type": "integer", "default": 3, "least": 1, "step": 1},
    {"name": "kernel", "type": "choice", "choices": ["rbf", "linear"], "default": "rbf"},
    {"name": "shuffle", "type": "flag", "default": True},
    {"name": "target", "type": "text", "required": True, "words": "The column."},
]


def problems_of(call) -> dict[str, str]:
    with pytest.raises(InvalidFields) as told:
        call()
    return {problem.field: problem.message for problem in told.value.problems}


def test_a_schema_comes_back_from_json_as_it_went():
    schema = read_schema(SCHEMA)
    assert read_schema(plain_schema(schema)) == schema
    assert plain_schema(schema)[3] == {"name": "shuffle", "type": "flag", "default": True}
    built_in = trainer("tabular").schema
    assert read_schema(plain_schema(built_in)) == list(built_in)


def test_values_are_typed_and_what_is_not_said_is_as_declared():
    values = checked_values(read_schema(SCHEMA), {"lr": "5e-2", "epochs": "7", "shuffle": "off", "target": "died"})
    assert values == {"lr": 0.05, "epochs": 7, "kernel": "rbf", "shuffle": False, "target": "died"}
    assert type(values["epochs"]) is int
    assert checked_values(read_schema(SCHEMA), {"target": "x", "epochs": 4.0})["epochs"] == 4


def test_all_that_is_wrong_is_told_at_once_by_field():
    said = {"lr": 12, "epochs": "1.5", "kernel": "poly", "shuffle": "perhaps", "extra": 1}
    assert problems_of(lambda: checked_values(read_schema(SCHEMA), said)) == {
        "params.lr": "lr: 12 is over the most, 0.1.",
        "params.epochs": "epochs: 1.5 is not a whole number.",
        "params.kernel": "kernel: 'poly' is not one of rbf, linear.",
        "params.shuffle": "shuffle: 'perhaps' is neither true nor false.",
        "params.target": "target: it is needed.",
        "params.extra": "There is no parameter 'extra'.",
    }


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (0.00001, "is below the least, 0.0001"),
        ("nan", "is not a number"),
        ("inf", "is not a number"),
        (True, "is not a number"),
        ([1], "is not a number"),
        ("lots", "'lots' is not a number"),
        pytest.param(10**400, "is not a number", id="endless"),
    ],
)
def test_no_number_is_told_as_such(said, words):
    with pytest.raises(Invalid) as told:
        read_schema([LR])[0].value_of(said)
    assert words in told.value.message
    assert told.value.field == "params.lr"


def test_whole_numbers_keep_all_their_digits():
    seed = Parameter("seed", Kind.INTEGER)
    assert seed.value_of("9007199254740993") == 9007199254740993
    with pytest.raises(Invalid, match="beyond 64 bits"):
        seed.value_of(2**63)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "number"}, "schema.0.name"),
        ({"name": "a", "type": "date"}, "schema.0.type"),
        ({"name": "a", "least": 1}, "schema.0.least"),
        ({"name": "a", "type": "number", "least": 2, "most": 1}, "schema.0.least"),
        ({"name": "a", "type": "number", "least": 0, "scale": "log"}, "schema.0.least"),
        ({"name": "a", "type": "number", "most": 1, "default": 2}, "schema.0.default"),
        ({"name": "a", "type": "integer", "least": 0.5}, "schema.0.least"),
        pytest.param({"name": "a", "type": "integer", "least": 10**400}, "schema.0.least", id="endless"),
        ({"name": "a", "type": "choice"}, "schema.0.choices"),
        ({"name": "a", "type": "choice", "choices": ["x", 1]}, "schema.0.choices"),
        ({"name": "a", "colour": "red"}, "schema.0"),
        ({"name": "a", "words": "x" * 501}, "schema.0.words"),
        ("a", "schema.0"),
    ],
)
def test_a_schema_that_is_wrong_says_where(wrong, field):
    assert list(problems_of(lambda: read_schema([wrong]))) == [field]


def test_a_name_stands_once_and_a_schema_is_a_list_of_some_length():
    assert "twice" in problems_of(lambda: read_schema([LR, LR]))["schema"]
    for said in ({}, "lr", [LR] * 201):
        with pytest.raises(Invalid):
            read_schema(said)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=20).filter(str.strip),
        st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=20),
        max_size=5,
    )
)  # fmt: skip
def test_a_schema_guessed_from_a_run_takes_its_params_again(params):
    schema = guessed({name: str(value) for name, value in params.items()})
    again = checked_values(read_schema(plain_schema(schema)), {})
    for name, value in params.items():
        kept = again.get(name.strip(), "")
        assert str(kept) == str(value) or float(kept) == float(value)


def test_what_the_values_of_a_run_look_like_is_guessed():
    kinds = {one.name: one.kind.value for one in guessed({"a": "1", "b": "0.1", "c": "True", "d": "1e-3", "e": "01"})}
    assert kinds == {"a": "integer", "b": "number", "c": "flag", "d": "number", "e": "text"}


def test_a_command_is_filled_word_by_word_and_never_by_a_shell():
    words = command_words.split("python train.py --lr {lr} --note 'a b' --json '{\"a\": 1}' {{lr}} ${HOME} {other}")
    assert command_words.names_in(words) == ["lr", "other"]
    assert command_words.filled(words, {"lr": 0.1, "HOME": "no"}) == [
        "python", "train.py", "--lr", "0.1", "--note", "a b", "--json", '{"a": 1}', "{lr}", "${HOME}", "{other}",
    ]  # fmt: skip
    assert command_words.filled([command_words.literal("x{lr}y{a b}")], {"lr": 1}) == ["x{lr}y{a b}"]
    with pytest.raises(Invalid, match="quotation mark"):
        command_words.split("python 'train.py")
    for wrong in ([], [""], "python", [1], ["a\0b"], ["x"] * 1001):
        with pytest.raises(Invalid):
            command_words.checked(wrong)
