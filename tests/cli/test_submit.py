"""mled submit: a record from flags, from a file, from a pipe; with files; refused by the flag; sent twice."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import SLUG

pytestmark = pytest.mark.once

FLAGS = [
    "--experiment=by hand", "--name=flags", "--type=SVM", "--data-name=icu", f"--data-digest={'a1' * 32}",
    "--data-source=s3://wards/icu", "--started=2026-03-02T13:00Z",
    "--duration=1h 20m", "--param=kernel=rbf", "--param=C=10",
    "--result=val/auroc=0.8127", "--tag=ward=icu-2", "--email=kim@example.org", "--status=FAILED", "--commit=9f3c1ab",
]  # fmt: skip


def test_flags_a_file_and_a_pipe_say_the_same(mled, record, tmp_path):
    by_flags = mled("submit", *FLAGS, "--notes", "by flags", "--json")
    assert by_flags.code == 0, by_flags.err
    shown = mled("show", by_flags.json["readable_id"], "--json").json
    assert shown["params"] == {"architecture": "SVM", "kernel": "rbf", "C": "10"}
    assert shown["tags"]["mled.email"] == "kim@example.org"
    assert shown["tags"]["mlflow.note.content"] == "by flags"
    assert (shown["status"], shown["git_commit"], shown["experiment_name"]) == ("FAILED", "9f3c1ab", "by hand")
    assert shown["ended_ms"] - shown["started_ms"] == 80 * 60_000

    file = tmp_path / "record.json"
    file.write_text(json.dumps(record))
    from_file = mled("submit", str(file), "--name", "from a file", "--param", "C=100", "-q")
    (name,) = from_file.out.split()
    assert mled("show", name, "--json").json["params"]["C"] == "100"
    piped = mled("submit", "-", "--json", typed=json.dumps(record | {"name": "piped"}))
    assert piped.json["name"] == "piped"

    yaml = tmp_path / "record.yaml"
    yaml.write_text("name: of yaml\nparams:\n  lr: 1e-3\n")
    said = mled("submit", str(yaml), *FLAGS[:1], *FLAGS[2:], "--json")
    assert (said.json["name"], said.code) == ("of yaml", 0)


def test_the_same_submission_again_gives_the_same_run_with_its_files(mled, record, tmp_path, settings_folder):
    file = tmp_path / "weights.bin"
    file.write_bytes(bytes(range(256)) * 5000)
    call = ("submit", "-", "--file", f"models/weights.bin={file}", "--file", str(file), "--json")
    first = mled(*call, typed=json.dumps(record | {"name": "twice"}))
    assert first.code == 0, first.err
    assert first.json["repeated"] is False
    again = mled(*call, typed=json.dumps(record | {"name": "twice"}))
    assert (again.json["id"], again.json["repeated"]) == (first.json["id"], True)
    assert "recorded before" in again.err
    shown = mled("show", first.json["id"], "--json").json
    assert [one["path"] for one in shown["files"]] == ["models/weights.bin", "weights.bin"]
    another = mled(*call, "--again", typed=json.dumps(record | {"name": "twice"}))
    assert another.json["id"] != first.json["id"]


def test_each_mistake_is_told_beside_its_flag_and_nothing_is_written(mled):
    before = len(mled("runs", "--experiment=not made", "--json").json)
    wrong = [
        "--experiment=not made", "--data-name=icu", "--started=yesterday", "--param=lr=", "--result=acc=good",
        "--status=RUNNING", "--email=nobody", "--tag=mlflow.user=x",
    ]  # fmt: skip
    said = mled("submit", *wrong)
    assert said.code == 1
    for flag in ("--type", "--data-digest", "--started", "--status", "--email", "--result acc=good"):
        assert f"\n  {flag}: " in said.err, (flag, said.err)
    assert "Request: " in said.err
    assert len(mled("runs", "--experiment=not made", "--json").json) == before == 0
    told = json.loads(mled("submit", *wrong, "--json").err)
    assert {"field": "--status"}.items() <= next(one for one in told["problems"] if "RUNNING" in one["title"]).items()


def test_all_that_cannot_be_meant_is_told_at_once(mled):
    said = mled("submit", "--param", "a", "--param", "b", "--tag", "c", "--result", "d", "--notes", "@not/there")
    assert said.code == 2
    places = [line.strip().partition(":")[0] for line in said.err.splitlines() if line.startswith("  --")]
    assert places == ["--param", "--param", "--result", "--tag", "--notes"]


def test_a_dataset_that_is_not_there_is_told_with_the_nearest_and_the_flags_for_others(mled):
    known = mled("submit", *FLAGS, "--name=with its data", "--json")
    assert known.code == 0, known.err
    others = [flag for flag in FLAGS if not flag.startswith("--data")]
    slip = mled("submit", *others, "--dataset=icuu v1", "--name=never sent", "--dry-run")
    assert "Did you mean icu v1?" in slip.err, slip.err
    assert "--data-name, --data-digest, --data-source" in slip.err


def test_a_mistake_in_a_file_is_told_by_its_place_there(mled, record):
    slip = mled("submit", "-", typed=json.dumps(record | {"parms": {"lr": 1}}))
    assert (slip.code, "A record has no field 'parms'." in slip.err) == (1, True)
    record["results"]["val/auroc"] = "high"
    said = mled("submit", "-", typed=json.dumps(record))
    assert (said.code, "results.val/auroc" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("args", "typed", "words"),
    [
        (["-"], "{", "stdin is no JSON"),
        (["-"], '{"name": "a", "name": "b"}', "stands twice"),
        (["-"], "[1]", "holds no record"),
        (["missing.json"], "", "missing.json cannot be read"),
        (["--param", "lr"], "", "--param key=value"),
        (["--param", "lr=1", "--param", "lr=2"], "", "given twice"),
        (["--file", "missing.bin"], "", "no file missing.bin"),
        (["--notes", "@missing.md"], "", "missing.md cannot be read"),
        ([], "", "Nothing is said"),
        (["--nmae", "x"], "", "--name"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_sent(command, args, typed, words):
    said = command("submit", "--url", "http://127.0.0.1:1", "-p", "any", *args, typed=typed)
    assert said.code == 2, said.err
    assert words in said.err


def test_a_dry_run_checks_and_shows_the_record_and_writes_nothing(mled):
    said = mled("submit", *FLAGS, "--name=never sent", "--dry-run")
    assert said.json["params"] == {"kernel": "rbf", "C": "10"}
    assert said.json["new_dataset"]["source"] == "s3://wards/icu"
    wrong = mled("submit", *FLAGS, "--name=never sent", "--started=yesterday", "--result=acc=good", "--dry-run")
    assert (wrong.code, wrong.out) == (1, "")
    assert "\n  --started: " in wrong.err
    assert "\n  --result acc=good: " in wrong.err
    slip = mled("submit", *FLAGS, "--name=never sent", "--started=yesterday", "--dry-run")
    assert slip.err.startswith("Error: 'yesterday' is no date and time.\n  Where: --started\n  What next: ")
    assert mled("runs", "--name", "never sent", "--json").json == []


def test_a_test_entry_is_marked_and_takes_itself_away(mled, shell_team, monkeypatch):
    said = mled("submit-test", "--email", "new@example.org")
    assert said.code == 0, said.err
    ((_, name), *_) = said.rows
    assert mled("show", name, "--json").json["tags"]["test-entry"] == "true"
    assert [row[0] for row in mled("submissions", "--email", "new@example.org").rows[1:]] == [name]
    gone = mled("submit-test", "--remove")
    assert gone.out == f"Removed {name}.\n"
    assert mled("submissions", "--email", "new@example.org", "--json").json == []
    assert mled("submit-test", "--remove").code == 3


def test_nobody_submits_where_they_are_not_or_with_a_token_that_only_reads(mled, record, shell_team, monkeypatch):
    monkeypatch.setenv("MLED_TOKEN", shell_team.eve)
    said = mled("submit", "-", typed=json.dumps(record))
    assert (said.code, SLUG in said.out) == (3, False)
    monkeypatch.setenv("MLED_TOKEN", shell_team.reader)
    said = mled("submit", "-", typed=json.dumps(record))
    assert said.code == 4
    assert "scope" in said.err
