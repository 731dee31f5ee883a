"""Where columns go, how cells are written, and rows as the records that they become. No database is asked."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.exporting.columns import IDENTITY, SYSTEM_FIELDS
from experiments.exporting.fields import Field, Kind
from experiments.exporting.files import as_xlsx
from experiments.exporting.texts import as_csv
from experiments.recording.wanted import Problems, Wanted, check
from experiments.sheets import writing
from experiments.sheets.decoding import delimited, workbook
from experiments.sheets.decoding.words import letters
from experiments.sheets.guessing import dated_anew, guess
from experiments.sheets.limits import Limits
from experiments.sheets.mapping import Mapping, column_name, problems_of, record_of
from experiments.sheets.template import EXAMPLE, template
from kernel.errors import Invalid

pytestmark = pytest.mark.once

GUESSES = [
    ("Experiment", ["icu"], "experiment"),
    ("Run name", ["a"], "name"),
    ("Model type", ["svm"], "architecture"),
    ("dataset_version", ["icu v1"], "dataset"),
    ("Start Time", ["2026-03-02"], "started"),
    ("end-date", ["2026-03-02"], "ended"),
    ("Duration (s)", ["90"], "duration_s"),
    ("training time [min]", ["90"], "duration_min"),
    ("Runtime", ["1h"], "duration"),
    ("Author", ["ada@example.org"], "email"),
    ("Author", ["Ada"], "tag:Author"),
    ("param.lr", ["0.1"], "param:lr"),
    ("params.optimizer.lr", ["0.1"], "param:optimizer.lr"),
    ("param_C", ["1"], "param:C"),
    ("hparams/depth", ["3"], "param:depth"),
    ("metric:auroc", ["0.8"], "result:auroc"),
    ("results/val/auroc", ["0.8"], "result:val/auroc"),
    ("metrics.val/auroc", [["n", "0.8"]], "result:val/auroc"),
    ("tags.ward", ["icu"], "tag:ward"),
    ("tags.mlflow.user", ["ada"], "ignore"),
    ("tags.mlflow.note.content", ["well"], "note"),
    ("best(metrics.loss)", ["1"], "ignore"),
    ("Validation AUROC", [["n", "0.8"]], "result:Validation AUROC"),
    ("loss", ["0,3"], "result:loss"),
    ("loss", ["hinge"], "param:loss"),
    ("batch size", [["n", "32"]], "param:batch size"),
    ("η (rate)?", ["0.1"], "param:η _rate_"),
    ("what we saw", ["x" * 200], "note"),
    ("", ["x"], "ignore"),
    ("empty", [], "ignore"),
    ("new_dataset.source", ["s3://x"], "new_dataset.source"),
    ("param:a/../b", ["1"], "param:a/b"),
    ("result:???", ["1"], "result:_"),
    ("Beginn", ["01.03.2026 14:30"], "started"),
    ("Dauer (min)", ["90"], "duration_min"),
    ("Modell", ["svm"], "architecture"),
    ("Notiz", ["gut"], "note"),
    ("Datensatz", ["icu v1"], "dataset"),
    ("Fällig", ["01.03.2026", "2.3.2026 10:00"], "started"),
    ("Fällig", ["01.03.2026", "bald"], "param:Fällig"),
    ("seen", [["d", "2026-03-01T00:00:00"]], "started"),
]


@pytest.mark.parametrize(("name", "cells", "target"), GUESSES)
def test_a_column_is_guessed_by_its_name_and_by_what_stands_in_it(name, cells, target):
    assert guess([name, "other"], [[cell, "x"] for cell in cells]).columns[0] == target


def test_nothing_is_guessed_twice_and_ways_of_writing_are_seen():
    mapping = guess(
        ["Model", "Architecture", "lr", "lr", "Date", "acc"],
        [["svm", "rbf", "0,1", "1", "31.03.2026", "0,8"], ["svm", "rbf", "0,01", "2", "1.4.2026 14:00", "0,9"]],
    )
    assert list(mapping.columns) == [
        "architecture",
        "param:Architecture",
        "param:lr",
        "ignore",
        "started",
        "result:acc",
    ]
    assert (mapping.decimal_comma, mapping.dates) == (True, "dmy")
    assert guess(["date", "b"], [["3/31/2026", "0.5"], ["4/1/2026", "0,5"]]).dates == "mdy"
    assert not guess(["date", "b"], [["3/31/2026", "0.5"], ["4/1/2026", "0,5"]]).decimal_comma
    assert guess(["date", "b"], [["3/4/2026", "1"]]).dates == "iso"  # either may be meant


def test_days_are_seen_anew_in_columns_that_became_moments_and_stay_as_they_were_in_others():
    rows = [["01.03.2026 14:30", "1", "2/3/2026"], ["02.03.2026 14:30", "2", "3/3/2026"]]
    before = Mapping(["param:a", "param:b", "param:c"])
    assert dated_anew(Mapping(["started", "param:b", "param:c"]), before, rows).dates == "dmy"
    assert dated_anew(Mapping(["param:x", "param:b", "param:c"]), before, rows).dates == "iso"
    either = dated_anew(Mapping(["param:a", "param:b", "ended"], dates="mdy"), before, rows)
    assert either.dates == "mdy"  # may be meant so: what was there stays


def test_a_day_that_another_way_of_writing_would_read_is_told_with_that_way():
    record = record_of(Mapping(["started", "param:C"]), ["01.13.2026 14:30", "1"])
    problems = Problems()
    check(record.wanted, problems)
    (told,) = [record.told(one) for one in problems.found if one.field == "started"]
    assert told.then.endswith("Or choose 03/31/2026 2:00 PM at “Days are written as”, for all rows.")
    assert "31.03.2026 14:00 or 03/31/2026 2:00 PM" in _way("1.3.2026")
    assert _way("soon") == ""


def _way(text):
    record = record_of(Mapping(["ended", "param:C"]), [text, "1"])
    return record.told(Invalid("No date.", field="ended")).then


def test_moments_lengths_numbers_and_ends_are_read_as_they_are_written():
    def moment(cell, dates="iso", zone="UTC"):
        return writing.moment_text(cell, dates=dates, zone=zone)

    assert moment("31.03.2026 14:05", "dmy") == "2026-03-31T14:05:00"
    assert moment("3/31/26 2:05:10 PM", "mdy") == "2026-03-31T14:05:10"
    assert moment("12/1/2026 12:00 am", "mdy") == "2026-12-01T00:00:00"
    assert moment("31.13.2026", "dmy") == "31.13.2026"  # and is told as no date
    assert moment("2026-03-31 14:00", zone="Europe/Berlin") == "2026-03-31T14:00:00+02:00"
    assert moment("2026-03-31T14:00Z", zone="Europe/Berlin") == "2026-03-31T14:00Z"
    assert moment(["d", "2026-01-31T14:00:00"], "mdy", "Europe/Berlin") == "2026-01-31T14:00:00+01:00"
    assert moment("soon") == "soon"
    assert moment("x" * 99_999) == "x" * 99_999
    assert writing.duration_text(["n", "90"], "min", decimal_comma=False) == "5400.000 s"
    assert writing.duration_text("1,5", "h", decimal_comma=True) == "5400.000 s"
    assert writing.duration_text("1h 20m", "s", decimal_comma=False) == "1h 20m"
    assert writing.duration_text(["n", "4800000"], "ms", decimal_comma=False) == "4800.000 s"
    assert [writing.number_text(cell, decimal_comma=True) for cell in ("0,81", "-1,5e-3", "1.234,5", ["n", "1"])] == [
        "0.81", "-1.5e-3", "1.234,5", "1",
    ]  # fmt: skip
    assert [writing.status_text(word) for word in ("Done", "crashed", "KILLED", "asleep")] == [
        "FINISHED", "FAILED", "KILLED", "asleep",
    ]  # fmt: skip


HEADER = ["experiment", "date", "lr", "auroc", "ward", "data", "architecture"]
COLUMNS = ["experiment", "started", "param:lr", "result:auroc", "tag:ward", "dataset", "architecture"]


def test_a_row_becomes_a_record_with_defaults_for_what_it_lacks():
    mapping = Mapping(COLUMNS, {"experiment": "icu", "dataset": "icu v1"}, decimal_comma=True)
    cells = ["", ["d", "2026-03-02T14:00:00"], "0,1", ["%", "0.81"], None, None, "SVM"]
    record = record_of(mapping, cells)
    assert record.wanted == Wanted(
        experiment="icu", started="2026-03-02T14:00:00", params=[("lr", "0.1")], results=[("auroc", "0.81")], tags=[],
        dataset="icu v1", architecture="SVM",
    )  # fmt: skip
    assert record.problems == []
    wrong = record_of(mapping, ["icu", "yesterday", "", "81 %", ["e", "#REF!"], ["f", "=A1"], ["l", "70,000"], "more"])
    told = [(one.column, one.what) for one in wrong.problems]
    assert told == [
        (7, "This row has 8 cells, the header has 7."),
        (4, "The cell holds the error #REF!."),
        (5, "The formula =A1 was saved without its value."),
        (6, "The cell has 70,000 characters."),
    ]
    problems = Problems()
    check(wrong.wanted, problems)
    by_field = {one.field: wrong.told(one) for one in problems.found}
    assert (by_field["started"].column, by_field["results[0].value"].column) == (1, 3)
    assert by_field["params"].column is None
    assert by_field["results[0].value"].as_json()["next"] == "Write 0.81, or 81 without the sign."
    assert [column_name(HEADER, at) for at in (1, 7, None)] == ["B, date", "H", ""]


def test_a_row_that_names_its_own_data_leaves_the_default_aside():
    mapping = Mapping(["dataset", "new_dataset.name"], {"dataset": "a v1", "new_dataset.digest": "d"})
    assert record_of(mapping, [None, "x-rays"]).wanted.dataset == ""
    own = record_of(mapping, ["b v2", None]).wanted
    assert (own.dataset, bool(own.new_dataset)) == ("b v2", False)


def test_what_a_mapping_lacks_or_says_twice_is_told_by_its_column():
    def fields(mapping):
        return {one.field: one.message for one in problems_of(mapping, ["a", "b", "c"])}

    assert fields(Mapping(["param:x", "ignore"])) == {"columns": "This sheet has 3 columns, and 2 are mapped."}
    told = fields(Mapping(["duration_s", "duration", "param:?"]))
    assert told["columns[1]"] == "Duration, as 1h 20m is column A already."
    assert "a character that keys cannot have" in told["columns[2]"]
    assert set(told) >= {"defaults.experiment", "defaults.architecture", "defaults.started", "defaults.dataset"}
    assert fields(Mapping(["nonsense", "ignore", "ignore"]))["columns[0]"] == "'nonsense' is no field of a record."
    whole = {"experiment": "e", "architecture": "a", "dataset": "d v1", "started": "2026-01-01"}
    assert fields(Mapping(["param:x", "result:y", "ignore"], whole)) == {}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"columns": "a"}, "a list of texts"),
        ({"columns": ["x" * 301]}, "a list of texts"),
        ({"columns": [], "more": 1}, "no 'more'"),
        ({"defaults": {"name": "x"}}, "'name' has no default"),
        ({"defaults": {"email": "x" * 2001}}, "at most 2,000"),
        ({"defaults": ["email"]}, "texts by field"),
        ({"dates": "ymd"}, "one of three ways"),
        ({"zone": "Mars/Olympus"}, "no time zone"),
        ({"zone": "../../etc/passwd"}, "no time zone"),
        ({"zone": 7}, "no time zone"),
    ],
)
def test_what_is_no_mapping_is_refused(told, words):
    with pytest.raises(Invalid, match=words):
        Mapping.of_json(told)


def test_a_mapping_comes_back_as_it_was_kept():
    mapping = Mapping(["param:lr", "ignore"], {"experiment": "icu"}, True, "dmy", "Europe/Berlin")
    assert Mapping.of_json(mapping.as_json()) == mapping


def test_the_template_is_a_record_as_it_is():
    table = delimited.read(io.BytesIO(template()), "", Limits())
    mapping = guess(table.header, [cells for _, cells in table.rows])
    assert problems_of(mapping, table.header) == []
    assert list(mapping.columns) == list(EXAMPLE)
    problems = Problems()
    assert check(record_of(mapping, table.rows[0][1]).wanted, problems)
    assert problems.found == []


# --- What we export we read: the same records, as CSV and as XLSX

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=20).map(
    str.strip
).filter(lambda text: text and not text.startswith("'"))  # fmt: skip
KEYS = st.lists(st.from_regex(r"[a-z][a-z0-9_/.]{0,8}[a-z0-9]", fullmatch=True).filter(
    lambda key: "//" not in key and "/." not in key and "./" not in key and not key.startswith(("mlflow.", "mled."))
    and key != "architecture"
), unique=True, min_size=1, max_size=4)  # fmt: skip
VALUES = st.floats(-1e300, 1e300)
STARTED = st.integers(10**12, 1_760_000_000_000)


@st.composite
def exported(draw):
    """A run table as we write it, with the records that it stands for."""
    params, metrics = draw(KEYS), draw(KEYS)
    system = ["created", "ended", "duration", "user", "dataset", "source", "script", "experiment", "verdict"]
    fields = [*IDENTITY, *(SYSTEM_FIELDS[key] for key in system)]
    fields += [Field(f"metrics.{key}", Kind.NUMBER) for key in metrics]
    fields += [Field("params.architecture"), *(Field(f"params.{key}") for key in params), Field("tags.ward")]
    rows, records = [], []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        name, kind, ward, experiment, script = (draw(WORDS) for _ in range(5))
        started, took = draw(STARTED), draw(st.integers(0, 10**9))
        status = draw(st.sampled_from(["FINISHED", "FAILED", "KILLED"]))
        values, results = [draw(WORDS) for _ in params], [draw(VALUES) for _ in metrics]
        ended = started + took
        known = ["ada@example.org", "icu v1", "9f3c1ab", script, experiment, "Not reviewed"]
        rows.append(
            ["u" * 32, f"VIS-{number}", name, status, started, ended, took, *known, *results, kind, *values, ward]
        )
        by_key = dict(zip(params, values, strict=True)), dict(zip(metrics, results, strict=True))
        records.append((experiment, name, kind, status, started, ended, *by_key, ward, script))
    return fields, rows, records


def told_again(table):
    mapping = guess(table.header, [cells for _, cells in table.rows])
    assert problems_of(mapping, table.header) == []
    for _, cells in table.rows:
        record = record_of(mapping, cells)
        wanted, problems = record.wanted, Problems()
        checked = check(wanted, problems)
        assert (record.problems, problems.found) == ([], [])
        assert (wanted.email, wanted.dataset, wanted.commit) == ("ada@example.org", "icu v1", "9f3c1ab")
        params = {key: value for key, value in checked.params.items() if key != "architecture"}
        yield (wanted.experiment, wanted.name, wanted.architecture, checked.status.value, checked.started_ms,
               checked.ended_ms, params, checked.results, checked.tags["ward"], wanted.command)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(exported())
def test_a_csv_that_we_wrote_of_runs_is_read_as_the_same_records(made):
    fields, rows, records = made
    content = b"".join(as_csv(fields, rows))
    assert list(told_again(delimited.read(io.BytesIO(content), "", Limits()))) == records


@settings(max_examples=25, deadline=None)
@given(exported())
def test_a_workbook_that_we_wrote_of_runs_is_read_as_the_same_records(made):
    fields, rows, records = made
    content = b"".join(as_xlsx(fields, rows))
    told = list(told_again(workbook.read(io.BytesIO(content), "", Limits())))
    for one, other in zip(told, records, strict=True):
        assert [part for at, part in enumerate(one) if at != 7] == [part for at, part in enumerate(other) if at != 7]
        assert one[7] == pytest.approx(other[7], rel=1e-15)  # a workbook keeps sixteen digits


def test_columns_have_the_letters_of_spreadsheets():
    assert [letters(at) for at in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
