"""What a run printed, on its page: which file, which lines, what is found, what came since."""

import io

import pytest

from audit.ledger.models import AuditEvent
from experiments.actions.files import put_file
from experiments.actions.runs import update_run
from experiments.console.sources import Stream
from experiments.models import Run
from experiments.values import RunStatus
from tests.factories import Team, a_run
from tests.pages.conftest import Browser
from tests.world import stored

LINES = [f"epoch {at} loss {1 / at:.4f}" for at in range(1, 1001)]


@pytest.fixture
def running(team: Team) -> Run:
    """A run of Ada's that goes on, with a log of a thousand lines."""
    run = a_run(team.scientist)
    printed(team, run, "logs/train.log", "\n".join(LINES) + "\n")
    return run


def printed(team: Team, run: Run, path: str, text: str) -> None:
    put_file(team.scientist, run, path=path, stored=stored(text.encode()))


def console(run: Run) -> str:
    return f"/r/{run.uid.hex}/console/"


def lines(browser: Browser, run: Run, **asked) -> dict:
    asked = {"file": "logs/train.log"} | asked
    return browser.get(f"{console(run)}lines.json", **asked).response.json()


def test_a_run_that_printed_nothing_says_how_a_log_comes_here(ada: Browser, trained: Run):
    page = ada.get(console(trained))
    assert "No log yet" in page
    assert 'mlflow.log_artifact("train.log", "logs")' in page


def test_a_failed_run_opens_with_its_last_lines_and_a_finished_one_with_its_first(
    ada: Browser, team: Team, running: Run
):
    printed(team, running, "logs/train.log", "\n".join([*LINES, "Traceback (most recent call last):", "ValueError: x"]))
    update_run(team.scientist, running, status=RunStatus.FAILED)
    failed = ada.get(console(running))
    assert "ValueError: x" in failed
    assert LINES[0] not in failed
    assert failed.source.count('class="e"') == 2
    update_run(team.scientist, running, status=RunStatus.FINISHED)
    finished = ada.get(console(running))
    assert LINES[0] in finished
    assert "ValueError: x" not in finished


def test_any_line_has_an_address(ada: Browser, running: Run):
    page = ada.get(console(running), line=500)
    assert f"500 {LINES[499]}" in page
    assert page.links("line=500#L500")
    earlier, later = page.links("line=200")[:1], page.links("line=800")[:1]
    assert LINES[199] in ada.get(console(running) + earlier[0])
    assert LINES[800] in ada.get(console(running) + later[0])


def test_what_is_searched_for_is_found_in_the_whole_log_and_marked(ada: Browser, running: Run):
    page = ada.get(console(running), find="EPOCH 99")
    assert "1 of 11" in page  # 99 and 990 to 999
    assert "<mark>epoch 99</mark>" in page.source
    (following,) = page.links("match=2")
    assert "<mark>epoch 99</mark>0 loss" in ada.get(console(running) + following).source
    assert ada.get(f"{console(running)}find.json", file="logs/train.log", find="epoch 99 ").response.json() == {
        "lines": [99],
        "more": False,
    }
    assert "not found" in ada.get(console(running), find="elephants")


def test_of_several_files_one_chooses_and_stderr_is_marked(ada: Browser, team: Team, running: Run):
    printed(team, running, "logs/stderr.txt", "watch out\n")
    page = ada.get(console(running), file="logs/stderr.txt")
    assert "stderr: watch out" in page
    assert page.links("file=logs%2Ftrain.log")
    ada.get(console(running), file="model.pkl", expecting=404)
    ada.get(console(running), file="../etc/passwd", expecting=404)


def test_following_fetches_only_what_came_since(ada: Browser, team: Team, running: Run):
    seen = lines(ada, running)
    assert (seen["last"], seen["total"]) == (1000, 1000)
    asked = {"first": seen["last"], "mark": seen["mark"], "version": seen["version"]}
    assert lines(ada, running, **asked) == {"html": "", "same": True}
    printed(team, running, "logs/train.log", "\n".join([*LINES, "epoch 1001"]) + "\n")
    came = lines(ada, running, **asked)
    assert (came["grew"], came["first"], came["last"]) == (True, 1000, 1001)
    assert "epoch 1001" in came["html"]
    printed(team, running, "logs/train.log", "begun anew\n")
    other = lines(ada, running, **asked)
    assert (other["grew"], other["first"], other["last"]) == (False, 1, 1)


def test_markup_and_colours_in_a_log_stay_harmless(ada: Browser, team: Team, running: Run):
    printed(team, running, "logs/train.log", "\x1b[31m<script>alert(1)</script>\x1b[0m <mark>\n")
    page = ada.get(console(running), find="<mark>")
    assert '<span class="a-red ">&lt;script&gt;alert(1)&lt;/script&gt;</span>' in page.source
    assert "<mark>&lt;mark&gt;</mark>" in page.source
    assert "<script>alert" not in page.source


@pytest.mark.parametrize(
    "asked", [{"line": "x"}, {"line": "-1"}, {"line": "9" * 30}, {"find": "x" * 201}, {"match": "٣"}]
)
def test_what_makes_no_sense_is_said_and_no_fault_of_the_server(ada: Browser, running: Run, asked):
    assert ada.get(console(running), expecting=400, **asked)
    ada.get(console(running), line="9" * 15)


def test_strangers_find_no_log_and_what_an_auditor_reads_is_on_record_once(zoe: Browser, otto: Browser, running: Run):
    for rest in ("", "lines.json?file=logs/train.log", "find.json?file=logs/train.log&find=x"):
        zoe.get(console(running) + rest, expecting=404)
    opened = AuditEvent.objects.filter(verb="artifacts.open_file")
    before = opened.count()
    otto.get(console(running))
    lines(otto, running, first=10)
    assert opened.count() == before + 1


def test_a_room_above_can_bring_what_is_printed_now(ada: Browser, running: Run, monkeypatch):
    text = b"from the machine\n"
    stream = Stream("live", "now", len(text), "", lambda: io.BytesIO(text), is_live=True)
    monkeypatch.setattr("experiments.queries.console.live_sources", [lambda viewer, run: [stream]])
    page = ada.get(console(running))
    assert "from the machine" in page
    assert "Follow" in page
    assert page.links("file=logs%2Ftrain.log")
