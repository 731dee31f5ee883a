"""A busy server, a lost answer, a broken connection: nothing twice, nothing half, no traceback."""

from __future__ import annotations

import hashlib
import os

import pytest

from mled import Away, Client, Problem
from mled import main as program
from mled.connection import Connection
from mled.places import Place
from mled.uploads import PIECE
from tests.cli.conftest import SLUG
from tests.cli.troubles import Busy, Cut, Lost, road_to

pytestmark = pytest.mark.once


@pytest.fixture
def road(shell_team, settings_folder):
    with road_to(shell_team.live.url) as road:
        yield road


@pytest.fixture
def client(road, shell_team):
    """Ada's, who does not really wait between attempts."""
    waited: list[float] = []
    connection = Connection(Place(road.url, shell_team.ada, SLUG), wait=waited.append)
    with Client(connection=connection) as made:
        made.waited = waited
        yield made


def test_who_is_told_to_come_back_does_so_when_told(client, road):
    road.ahead.extend([Busy(503, "3"), Busy(429, "7"), Busy(502, "")])
    assert client.me()["projects"]
    assert client.waited[:2] == [3.0, 7.0]
    assert len(road.passed) == 4
    road.ahead.extend([Busy(429, "3600")])
    with pytest.raises(Away, match="Try again in 3600 s"):
        client.me()
    road.ahead.extend([Busy(502)] * 4)
    with pytest.raises(Away, match="away for the moment"):
        client.me()


def test_a_lost_answer_is_asked_for_again_and_nothing_is_written_twice(client, road, record):
    road.ahead.append(Lost())
    run = client.submit(record | {"name": "lost once"})
    keys = {headers["Idempotency-Key"] for method, _, headers in road.passed if method == "POST"}
    assert len(keys) == 1
    assert [one["id"] for one in client.runs("name = 'lost once'", project=SLUG)] == [run["id"]]


def test_a_file_goes_on_where_its_way_up_broke(client, road, record, tmp_path):
    file = tmp_path / "weights.bin"
    content = os.urandom(PIECE * 2 + 12345)
    file.write_bytes(content)
    road.ahead.extend([None, None, Lost()])  # begin, the first piece, and the second's answer is lost
    run = client.submit(record | {"name": "large file"}, files={"weights.bin": file})
    sent = [headers["Upload-Offset"] for method, _, headers in road.passed if method == "PATCH"]
    assert sent == ["0", str(PIECE), str(PIECE * 2)]
    (kept,) = client.files(run["id"])
    assert kept["digest"] == hashlib.sha256(content).hexdigest()

    road.ahead.extend([None, Cut(100_000)])  # the list of files, and the file
    got = client.fetch_file(run["id"], "weights.bin", tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == content
    assert got.digest == kept["digest"]
    ranges = [headers["Range"] for _, _, headers in road.passed if "Range" in headers]
    assert ranges == ["bytes=100000-"]


def test_an_upload_that_was_left_goes_on_in_the_next_call(client, road, record, tmp_path):
    file = tmp_path / "weights.bin"
    file.write_bytes(os.urandom(PIECE + 1))
    road.ahead.extend([None, None, *[Busy(502)] * 100])
    with pytest.raises(Away):
        client.submit(record | {"name": "left"}, files=[file])
    road.ahead.clear()
    road.passed.clear()
    assert client.submit(record | {"name": "left"}, files=[file])["name"] == "left"
    assert [headers["Upload-Offset"] for method, _, headers in road.passed if method == "PATCH"] == [str(PIECE)]


def test_a_table_that_breaks_off_begins_anew_and_its_file_is_whole_or_not_there(client, road, record, tmp_path):
    client.submit(record | {"name": "in the table"})
    target = tmp_path / "runs.csv"
    road.ahead.append(Cut(20))
    client.download(target, q="name = 'in the table'")
    assert len(target.read_text().splitlines()) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs.csv"]
    road.ahead.extend([Cut(20)] * 5)
    with pytest.raises(Away, match="broke off 5 times"):
        client.download(target, q="name = 'nothing of the kind'")
    assert len(target.read_text().splitlines()) == 2


def test_a_server_that_is_away_is_told_with_its_own_exit_code(command, monkeypatch, shell_team):
    monkeypatch.setattr("mled.connection._backoff", lambda attempt: 0.0)
    monkeypatch.setenv("MLED_TOKEN", shell_team.ada)
    said = command("runs", "--url", "http://127.0.0.1:9")
    assert said.code == 5
    assert said.err.startswith("Error: http://127.0.0.1:9 does not answer")
    assert "Traceback" not in said.err


def test_an_address_of_something_else_is_told(command, monkeypatch, shell_team):
    monkeypatch.setenv("MLED_TOKEN", shell_team.ada)
    said = command("whoami", "--url", f"{shell_team.live.url}/nothing/here")
    assert said.code == 3
    assert "is this an address of MLED?" in said.err


def test_a_bug_says_where_to_tell_and_shows_its_traceback_only_on_request(command, monkeypatch, shell_team):
    monkeypatch.setenv("MLED_TOKEN", shell_team.ada)
    monkeypatch.setenv("MLED_URL", shell_team.live.url)
    monkeypatch.setattr(Client, "runs", lambda *args, **more: 1 / 0)
    said = command("runs")
    assert (said.code, "Traceback" in said.err, "MLED_DEBUG=1" in said.err) == (1, False, True)
    monkeypatch.setenv("MLED_DEBUG", "1")
    assert "ZeroDivisionError" in command("runs").err


def test_ctrl_c_ends_quietly(command, monkeypatch, shell_team):
    monkeypatch.setenv("MLED_TOKEN", shell_team.ada)
    monkeypatch.setenv("MLED_URL", shell_team.live.url)

    def interrupted(*args, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "runs", interrupted)
    said = command("runs")
    assert (said.code, said.out) == (program.INTERRUPTED, "")
    assert said.err.strip() == "Stopped."


def test_what_came_down_wrong_is_thrown_away(client, road, record, tmp_path, monkeypatch):
    file = tmp_path / "notes.txt"
    file.write_text("as it was recorded")
    run = client.submit(record | {"name": "digest"}, files=[file])
    monkeypatch.setattr(Client, "files", lambda *args: iter([{"path": "notes.txt", "digest": "0" * 64}]))
    with pytest.raises(Problem, match="not what the server recorded"):
        client.fetch_file(run["id"], "notes.txt", tmp_path / "down.txt")
    assert not (tmp_path / "down.txt").exists()
