"""What people paste and type: names and values out of JSON, YAML and CSV, kinds of values, lengths of time."""

from __future__ import annotations

import json

import pytest

from experiments.recording.naming import name_and_number
from experiments.recording.pasted import merged, read_pairs
from experiments.recording.typed import kind_of, result_of
from experiments.recording.when import duration_ms, moment_ms
from experiments.recording.whole import read_whole
from kernel.errors import Invalid, MledError
from tests.pages.scripts import bundled

READ = [
    ('{"lr": 1e-3, "layers": [64, 32], "opt": {"name": "adam", "nesterov": true}}',
     [("lr", "1e-3"), ("layers", "[64, 32]"), ("opt.name", "adam"), ("opt.nesterov", "true")]),
    ('{"a": 1, "a": 2}', [("a", "1"), ("a", "2")]),
    ('[{"key": "lr", "value": 0.10}]', [("lr", "0.10")]),
    ("lr: 0.10\nopt:\n  name: adam\nlayers: [64, 32]\nempty:\n",
     [("lr", "0.10"), ("opt.name", "adam"), ("layers", "[64, 32]"), ("empty", "")]),
    ("on: yes\nwhen: 2026-01-01", [("on", "yes"), ("when", "2026-01-01")]),
    ("key,value\nlr,0.1\nnote,\"a, b\"", [("lr", "0.1"), ("note", "a, b")]),
    ("lr;0,1\nC;10", [("lr", "0,1"), ("C", "10")]),
    ("lr\tC\tseed\n0.1\t10\t3", [("lr", "0.1"), ("C", "10"), ("seed", "3")]),
    ("\ufeffa,b\n1,2", [("a", "1"), ("b", "2")]),
    ("a, 1", [("a", "1")]),
    ("\n".join(f"p{n}: [1, [2, 3]]" for n in range(200)), [(f"p{n}", "[1, [2, 3]]") for n in range(200)]),
    ("a:\n  " + "b" * 248 + ": ']'", [("a." + "b" * 248, "]")]),
    ('{"a": {"b": "[[[[[[[[[[[[[[[[[[[[[[[[["}}', [("a.b", "[" * 25)]),
]  # fmt: skip
REFUSED = [
    ("", "nothing pasted"),
    ('{"a": 1,,}', "This is no JSON"),
    ("[1, 2]", "no name and value"),
    ("a: [1, 2", "neither JSON, YAML nor CSV"),
    ("just words", "No names with values"),
    ("a: &x 1\nb: *x", "Aliases"),
    ("a,b,c\n1,2\n3,4,5", "3 cells"),
    ("[" * 90_000, "nested too deeply"),
    ("a: " + "[" * 20_000, "nested too deeply"),
    ("a: [" + "']', [" * 60, "nested too deeply"),
    ("- " * 10_000, "nested too deeply"),
    ("? " * 10_000, "nested too deeply"),
    ("\n".join(" " * depth + "k:" for depth in range(60)), "nested too deeply"),
    ('{"a": ' * 60 + "1" + "}" * 60, "nested too deeply"),
    ('{"a": ' + "[" * 60 + "]" * 60 + "}", "nested too deeply"),
    ("a: 1\n" * 20_000, "as YAML at most 30,000"),
    ("a: " * 9_000, "neither JSON, YAML nor CSV"),
    ('{"' + "a" * 50_000 + '": {' + ", ".join(f'"b{n}": 1' for n in range(4000)) + "}}", "longer than 250"),
    ("a" * 200 + ":\n  " + "b" * 60 + ": 1", "longer than 250"),
    ("a" * 251 + ",1\nb,2", "longer than 250"),
    (json.dumps({f"p{n}": n for n in range(201)}), "more than 200"),
    ("\n".join(f"p{n}: 1" for n in range(201)), "more than 200"),
    ("\n".join(f"p{n},1" for n in range(201)), "more than 200"),
    ('{"a": "\\ud800"}', "cannot be stored"),
    ('{"a\\ud800": 1}', "cannot be stored"),
    ('{"a": "\\u0000"}', "cannot be stored"),
    ("x" * 100_001, "at most 100,000 are read"),
    ("{}", "No name with a value"),
    ("a: \x01", "cannot be read"),
]


def test_pasted_text_is_read_as_it_was_typed():
    for text, pairs in READ:
        assert read_pairs(text, "p") == pairs, text


def test_what_cannot_be_read_is_told_with_its_place():
    for text, words in REFUSED:
        with pytest.raises(MledError) as told:
            read_pairs(text, "p")
        assert words in str(told.value), (text[:40], str(told.value))
        assert told.value.field == "p"


def test_a_whole_record_is_the_same_as_json_and_as_yaml():
    as_json = """{"experiment": "icu", "name": 7, "started": "2026-03-02T14:00", "params": {"C": 1e2,
        "layers": [64, 32], "opt": {"lr": 0.10}}, "results": [{"key": "auroc", "value": 0.81}], "note": "",
        "ended": null, "new_dataset": {"name": "x", "digest": "d1"}, "files": [{"path": "a", "upload": "u1"}]}"""
    as_yaml = """experiment: icu\nname: 7\nstarted: 2026-03-02T14:00\nparams:\n  C: 1e2\n  layers: [64, 32]\n  opt:
    lr: 0.10\nresults:\n  - {key: auroc, value: 0.81}\nnote: ''\nended: null\nnew_dataset: {name: x, digest: d1}
files: [{path: a, upload: u1}]"""
    for text in (as_json, as_yaml):
        whole = read_whole(text, "p")
        assert whole.texts == {
            "experiment": "icu", "name": "7", "started": "2026-03-02T14:00", "note": "", "ended": "",
        }, text  # fmt: skip
        assert whole.rows == {
            "params": [("C", "1e2"), ("layers", "[64, 32]"), ("opt.lr", "0.10")], "results": [("auroc", "0.81")],
        }  # fmt: skip
        assert (whole.new_dataset, whole.files) == ({"name": "x", "digest": "d1", "source": ""}, [("a", "u1")])


NO_RECORD = [
    ("", "nothing pasted. Paste JSON or YAML."),
    ("[1]", "one object with fields"),
    ("just words", "one object with fields"),
    ('{"a": 1,,}', "This is no JSON"),
    ('{"nmae": "x", "params": {"a": 1}, "lr": 1}', "A record has no field 'nmae', 'lr'."),
    ('{"name": ["x"]}', "'name' is a text"),
    ('{"params": "C=10"}', "'params' are names with values"),
    ('{"params": {"": 1}, "started": "yesterday"}', "'yesterday' is no date and time"),
    ('{"new_dataset": "x"}', "'new_dataset' is an object"),
    ('{"new_dataset": {"path": "x"}}', "'new_dataset' has no field 'path'"),
    ('{"files": ["a.txt"]}', "'files' is a list of paths"),
    ('{"files": [{"path": "a.txt"}]}', "'files' is a list of paths"),
    ('{"name": {"a": ' * 30 + "1" + "}}" * 30, "nested too deeply"),
    (json.dumps({"params": {f"p{n}": n for n in range(201)}}), "more than 200"),
    ("a: &x 1\nb: *x", "Aliases"),
]


def test_what_is_no_record_is_told_in_words():
    for text, words in NO_RECORD:
        with pytest.raises(MledError) as told:
            read_whole(text, "p")
        assert words in str(told.value), (text[:40], str(told.value))
        assert told.value.field == "p"


def test_pasted_names_take_new_values_and_new_names_come_behind():
    assert merged([("a", "1"), ("", ""), ("b", "2")], [("b", "3"), ("c", "4")]) == [("a", "1"), ("b", "3"), ("c", "4")]


def test_lengths_of_time_and_moments():
    assert [duration_ms(text, "d") for text in ("1h 20m", "80 min", "1:20", "1:20:00", "4800s", "1.5 h")] == [
        4_800_000, 4_800_000, 4_800_000, 4_800_000, 4_800_000, 5_400_000,
    ]  # fmt: skip
    spelled = ("2 days 4 h", "1h20m", "1 day, 3 minutes", "1.25hrs", "2mins 3secs")
    assert [duration_ms(text, "d") for text in spelled] == [187_200_000, 4_800_000, 86_580_000, 4_500_000, 123_000]
    for text in ("", "5", "1x", "h", "1h x", "-1h", "99999999 days", "1..5h", "1.h", "5 5 h", "1h 5", "٣h", "²h"):
        with pytest.raises(Invalid):
            duration_ms(text, "d")
    assert moment_ms("1970-01-02", "s") == 86_400_000
    assert moment_ms("2026-03-02T14:00+01:00", "s") == moment_ms("2026-03-02 13:00", "s")
    for text in ("0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "2026-13-01", "x" * 999):
        with pytest.raises(Invalid):
            moment_ms(text, "s")


def test_a_line_that_is_too_long_is_refused_by_its_length():
    for read in (duration_ms, moment_ms, result_of):
        with pytest.raises(Invalid, match="1,000,001 characters; at most 200") as told:
            read("1" * 1_000_000 + "x", "there")
        assert told.value.field == "there"


def test_a_text_names_a_dataset_and_a_number():
    named = {
        "icu v7": ("icu", 7), "icu@v7": ("icu", 7), "icu @7": ("icu", 7), "icu\tv12": ("icu", 12),
        "icu vitals  7": ("icu vitals", 7), "icu@@1": ("icu@", 1), "a v2 v3": ("a v2", 3),
    }  # fmt: skip
    assert {text: name_and_number(text) for text in named} == named
    for text in (
        "",
        "icu",
        "v7",
        "@7",
        "icu v07",
        "icu v0",
        "icu vx",
        "icu ²",
        "icu 1234567890",
        "a" + "@" * 500 + "x",
    ):
        assert name_and_number(text) == (text, None), text


def test_the_page_shows_a_moment_of_another_zone_in_the_readers_own(tmp_path):
    asked = [("2026-03-02T14:00", "60"), ("2026-03-02T14:00:30", "-150"), ("2026-03-02T14:00", "0"), ("", "60"),
             ("2026-03-02T14:00", ""), ("2026-12-31T23:30", "-60")]  # fmt: skip
    told = bundled("record/times.ts", tmp_path).calls(*(("inReadersZone", list(pair)) for pair in asked))
    if bundled("record/times.ts", tmp_path).calls(("aheadOf", ["2026-03-02T14:00"])) == [0]:
        assert told == ["2026-03-02T13:00", "2026-03-02T16:30:30", "2026-03-02T14:00", "", "2026-03-02T14:00",
                        "2027-01-01T00:30"]  # fmt: skip


def test_the_page_names_kinds_as_the_server_does(tmp_path):
    texts = ["", " ", "1", "-3", "1.", ".5", "1e-3", "true", "None", "[1, 2]", "{}", "[1", "adam", "0,1", "1 2", "nan"]
    told = bundled("record/kinds.ts", tmp_path).calls(*(("kindOf", [text]) for text in texts))
    assert told == [kind_of(text) for text in texts]
