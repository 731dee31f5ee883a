"""Public boards by the command line: without an account, with the claim token that it keeps."""

from __future__ import annotations

import csv
import io
import json
import stat

import httpx
import pytest

from mled.places import config_file
from tests.cli.conftest import Run, Team

pytestmark = pytest.mark.once
BOARD, KAY = "guests", "kay@shell.example.org"
ENTRY = {
    "email": "noor@school.example",
    "model": "boosting",
    "results": {"rmse": 0.612},
    "params": {"learning_rate": 0.05, "max_depth": 5},
}


@pytest.fixture(scope="session")
def board(shell_team: Team) -> str:
    """The address of a server whose board has one entry, of somebody else."""
    live = shell_team.live
    live.create_user(KAY, name="Kay")
    live.create_project(BOARD)
    live.add_member(BOARD, KAY, "project_manager")
    kay = {"Authorization": f"Bearer {live.issue_token(KAY, scopes=('read', 'log', 'manage'), name='keeper')}"}
    terms = {"question": "Which?", "result_key": "rmse", "is_lower_better": True}
    opened = httpx.put(f"{live.url}/api/v1/projects/{BOARD}/board/", json=terms, headers=kay)
    assert opened.status_code == 200, opened.text
    theirs = {"email": "ito@school.example", "model": "catboost", "results": {"rmse": 0.5}, "params": {"rate": 0.03}}
    assert httpx.post(f"{live.url}/api/v1/boards/{BOARD}/entries/", json=theirs).status_code == 201
    return live.url


@pytest.fixture
def guest(command: Run, board: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Somebody without an account, on a machine that knows nothing but the address."""
    monkeypatch.setenv("MLED_URL", board)
    return command


def test_before_an_entry_every_command_says_how_to_give_one(guest):
    (line,) = [row for row in guest("boards").rows if row[0] == BOARD]
    assert line[1:] == [BOARD, "Which?", "yes", "submit to read"]
    for call in (["submissions", "--board", BOARD], ["download", "--board", BOARD]):
        refused = guest(*call)
        assert (refused.code, refused.out) == (4, "")
        assert f"mled submit --board {BOARD}" in refused.err


def test_one_command_gives_an_entry_keeps_the_claim_token_and_opens_the_board(guest, tmp_path):
    file = tmp_path / "entry.json"
    file.write_text(json.dumps(ENTRY))
    given = guest("submit", "--board", BOARD, str(file), "--json")
    assert given.code == 0, given.err
    assert given.json["claim_token"].startswith("claim_")
    assert given.json["params"] == {"learning_rate": "0.05", "max_depth": "5"}
    assert stat.S_IMODE(config_file().stat().st_mode) == 0o600
    sent_again = guest("submit", "--board", BOARD, str(file), "--json")
    assert (sent_again.json["number"], sent_again.json["claim_token"]) == (given.json["number"], "")
    assert guest("submit", "--board", BOARD, str(file), "--again", "--json").json["number"] > given.json["number"]
    mine = guest("submissions", "--board", BOARD, "--email", "noor@school.example", "--mine", "--json").json
    assert {one["model"] for one in mine} == {"boosting"}
    table = list(csv.DictReader(io.StringIO(guest("download", "--board", BOARD).out)))
    assert table[0]["model"] == "catboost"
    assert {"results.rmse", "params.learning_rate"} <= set(table[0])
    assert guest("boards").rows[-1][-1] == "open"


def test_flags_say_the_same_as_a_record(guest):
    flags = ["--email=noor@school.example", "--type=boosting", "--result=rmse=0.612"]
    by_flags = guest(
        "submit", "--board", BOARD, *flags, "--param=learning_rate=0.05", "--param=max_depth=5", "--again", "--json"
    ).json
    piped = guest("submit", "--board", BOARD, "-", "--again", "--json", typed=json.dumps(ENTRY)).json
    same = ("model", "by", "results", "params", "code", "note", "state")
    assert [by_flags[name] for name in same] == [piped[name] for name in same]


def test_another_machine_reads_with_the_claim_token(guest, monkeypatch, tmp_path):
    secret = guest("submit", "--board", BOARD, "-", "--json", typed=json.dumps(ENTRY)).json["claim_token"]
    monkeypatch.setenv("MLED_CONFIG_DIR", str(tmp_path / "elsewhere"))
    assert guest("submissions", "--board", BOARD).code == 4
    assert guest("submissions", "--board", BOARD, "--claim-token", secret).code == 0
    monkeypatch.setenv("MLED_CLAIM_TOKEN", secret)
    assert guest("submissions", "--board", BOARD, "--mine", "--json").json[0]["is_mine"]
    assert guest("submissions", "--board", BOARD, "--claim-token", "claim_x").code == 2


def test_one_withdraws_ones_own_entry_and_no_other(guest):
    number = guest("submit", "--board", BOARD, "-", "--json", typed=json.dumps(ENTRY)).json["number"]
    assert guest("withdraw", "1", "--board", BOARD).code == 4
    assert guest("withdraw", str(number), "--board", BOARD).out == f"Withdrew entry {number}.\n"
    assert guest("submissions", "--board", BOARD).code == 4


def test_a_test_entry_is_given_and_removed(guest):
    given = guest("submit-test", "--board", BOARD, "--json")
    assert (given.code, given.json["is_test"], given.json["rank"]) == (0, True, None)
    assert guest("submissions", "--board", BOARD).code == 4  # it opens nothing
    removed = guest("submit-test", "--board", BOARD, "--remove", "--json")
    assert removed.json == {"removed": [given.json["number"]]}
    assert guest("submit-test", "--board", BOARD, "--remove").code == 3


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (["--email=noor", "--type=svm", "--result=rmse=0,6"], ["--email", "--result rmse"]),
        (["--email=a@b.example", "--type=svm", "--result=mae=1"], ["The result is missing: rmse"]),
        (["--email=a@b.example", "--dataset=x v1"], ["dataset"]),
        (["--file=/nothing"], ["no files"]),
    ],
)
def test_what_is_wrong_is_told_by_the_flag(guest, call, told):
    refused = guest("submit", "--board", BOARD, *call)
    assert refused.code in (1, 2)
    for words in told:
        assert words in refused.err


def test_members_come_by_their_account(command, board, shell_team, monkeypatch):
    monkeypatch.setenv("MLED_URL", board)
    monkeypatch.setenv("MLED_TOKEN", shell_team.eve)  # no part in the board's project
    given = command("submit", "--board", BOARD, "-", "--json", typed=json.dumps(ENTRY))
    assert given.code == 0, given.err
    assert command("submissions", "--board", BOARD, "--mine", "--json").json[0]["number"] == given.json["number"]
