"""mled import: a spreadsheet of past experiments, its columns, its mistakes row by row, and the way back."""

from __future__ import annotations

import pytest
from openpyxl import Workbook

pytestmark = pytest.mark.once

HEAD = "name,architecture,started,duration,lr,Quality,dataset name,dataset digest,dataset source\n"
ROW = "{name},SVM,2026-03-0{day} 14:00,1h,{lr},{quality},icu,a1a1,s3://wards/icu\n"


def sheet_of(*rows: tuple[str, str, str]) -> str:
    return HEAD + "".join(
        ROW.format(name=name, day=day, lr=lr, quality=quality) for day, (name, lr, quality) in enumerate(rows, 1)
    )


def test_a_sheet_is_mapped_checked_told_row_by_row_imported_and_taken_back(mled, tmp_path):
    file = tmp_path / "old trials.csv"
    file.write_text(sheet_of(("t1", "0.1", "0.81"), ("t2", "0.2", "good"), ("t3", "0.3", "0.83")))
    gaps = mled("import", str(file))
    assert gaps.code == 1
    assert ["name", "name"] in gaps.rows
    assert "\n  --default experiment=…: Which experiment" in gaps.err
    assert "--continue" in gaps.err
    said = ["--default", "experiment=old trials", "--map", "Quality=result:acc", "--map", "lr=param:lr"]
    looked_at = mled("import", str(file), *said, "--dry-run")
    assert (looked_at.code, "old trials.csv' --leave-out" in looked_at.err) == (1, True), looked_at.err
    gone = next(row[1] for row in looked_at.rows if row[0] == "id")
    assert mled("import", "--continue", gone).code == 3

    checked = mled("import", str(file), *said)
    assert checked.code == 1, checked.err
    assert any(row[:2] == ["2", "Quality"] or row[:2] == ["3", "Quality"] for row in checked.rows), checked.out
    assert "1 of 3 rows" in checked.err
    assert mled("runs", "--experiment=old trials", "--json").json == []
    known = next(row[1] for row in checked.rows if row[0] == "id")

    done = mled("import", "--continue", known, "--leave-out")
    assert done.code == 0, done.err
    assert ["made", "2"] in done.rows
    assert f"--undo {known}" in done.err
    found = mled("runs", "--experiment=old trials", "--sort=metrics.acc", "--columns=name,metrics.acc,params.lr")
    assert found.rows[1:] == [["t1", "0.81", "0.1"], ["t3", "0.83", "0.3"]]

    back = mled("import", "--undo", known, "--json")
    assert (back.code, back.json["rows"]["undone"]) == (0, 2)
    assert mled("runs", "--experiment=old trials", "--json").json == []


def test_a_workbook_with_several_sheets(mled, tmp_path):
    book = Workbook()
    book.active.title = "notes"
    book.active.append(["name", "remark"])
    second = book.create_sheet("trials")
    for line in sheet_of(("w1", "0.1", "0.9")).splitlines():
        second.append(line.split(","))
    book.save(tmp_path / "book.xlsx")
    first = mled("import", str(tmp_path / "book.xlsx"))
    assert (first.code, "take another sheet with --sheet: the workbook has 'notes', 'trials'" in first.err) == (1, True)
    said = ["--sheet=trials", "--default=experiment=workbook", "--map=Quality=result:acc", "--map=lr=param:lr"]
    done = mled("import", str(tmp_path / "book.xlsx"), *said, "--json")
    assert done.code == 0, done.err
    assert done.json["rows"]["made"] == 1
    assert [run["name"] for run in mled("runs", "--experiment=workbook", "--json").json] == ["w1"]


def test_what_cannot_be_meant_is_told(mled, tmp_path):
    file = tmp_path / "none.csv"
    file.write_text(sheet_of(("t1", "0.1", "0.81")))
    assert mled("import").code == 2
    assert mled("import", "missing.csv").code == 2
    unknown = mled("import", str(file), "--map", "Speed=param:speed")
    assert (unknown.code, "'Quality'" in unknown.err) == (2, True)
    slip = mled("import", str(file), "--map", "lr=startd", "--dry-run")
    assert ("--map 'lr=…'" in slip.err, "Did you mean started?" in slip.err) == (True, True)
    assert mled("import", "--undo", "00000000-0000-4000-8000-000000000000").code == 3
    said = ["--default=experiment=old", "--default=dataset=none such v2", "--map=dataset name=ignore"]
    said += ["--map=dataset digest=ignore", "--map=dataset source=ignore", "--map=lr=param:lr"]
    wrong = mled("import", str(file), *said, "--dry-run")
    assert "--default dataset=…" in wrong.err, wrong.err
    file.write_text(sheet_of(("t1", "0.1", "good")))
    none = mled(
        "import", str(file), "--default=experiment=old", "--map=lr=param:lr", "--map=Quality=result:acc", "--dry-run"
    )
    assert ("1 of 1 rows" in none.err, "--leave-out" in none.err) == (True, False)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 no workbook")
    said = mled("import", str(broken))
    assert (said.code, said.err.startswith("Error: "), "Traceback" in said.err) == (1, True, False)
