"""What a job prints: live in the browser without its secrets, bounded, kept as files, and saved from a lost worker."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.actor import system
from runner.actions.jobs import end_job
from runner.models import Job, JobOutput
from runner.working import output
from runner.working.output import Tail, keep_console, printed_now, salvage
from runner.working.output_hiding import Hiding
from tests.factories import a_person, a_team, default_experiment
from tests.factories_runner import a_job, a_worker, held_by
from tests.pages.conftest import Browser
from tests.runner.workplaces import file_of, paths_of

TOKEN = "mled_secret-token"


@given(
    st.lists(st.binary(max_size=12), max_size=30), st.sampled_from([["token"], ["abab", "ababab"], ["aaaa", "to\nken"]])
)
def test_no_secret_passes_however_it_is_split_and_nothing_else_is_lost(pieces, words):
    whole = b"".join(pieces) + b"".join(word.encode() for word in words) + b"".join(pieces)
    for size in (1, 3, len(whole)):
        hiding = Hiding(words)
        split = [whole[at : at + size] for at in range(0, len(whole), size)]
        passed = b"".join([*(hiding.pass_on(piece) for piece in split), hiding.rest()])
        assert not any(word.encode() in passed for word in words)
    hiding = Hiding(["never-in-there"])
    assert hiding.pass_on(whole) + hiding.rest() == whole


def test_only_what_may_become_a_secret_is_held_back():
    hiding = Hiding(["secret-word", "abc"])
    assert hiding.pass_on(b"epoch 10 done\n") == b"epoch 10 done\n"
    assert hiding.pass_on(b"now sec") == b"now "
    assert hiding.pass_on(b"ond\n") == b"second\n"
    assert hiding.pass_on(b"secret-wor") == b""
    assert hiding.pass_on(b"d abc") == b"*** abc"
    assert hiding.rest() == b""


@pytest.fixture
def team(db):
    return a_team()


@pytest.fixture
def job(team) -> Job:
    return held_by(a_job(team.scientist, default_experiment(team.project)), a_worker())


@pytest.fixture
def tail(job: Job, tmp_path: Path) -> Tail:
    return Tail(job, tmp_path / "stdout", tmp_path / "stderr", hidden=[TOKEN])


def say(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def shown(team, job: Job, key: str = "console/stdout.log") -> bytes:
    (stream,) = [one for one in printed_now(team.scientist, job.run) if one.key == key]
    with stream.open() as reader:
        content: bytes = reader.read()
    assert stream.size_bytes == len(content)
    return content


def test_the_page_shows_what_is_printed_while_it_goes_on_and_the_file_afterwards(team, job, tail, tmp_path):
    page, console = Browser(team.scientist), f"/r/{job.run.uid.hex}/console/"
    tail.forward()
    assert "Follow" in page.get(console)
    say(tmp_path / "stdout", f"epoch 1\nmy token is {TOKEN[:6]}")
    say(tmp_path / "stderr", "careful\n")
    tail.forward()
    assert shown(team, job) == b"epoch 1\nmy token is "
    say(tmp_path / "stdout", f"{TOKEN[6:]}!\nepoch 2\n")
    tail.forward()
    tail.forward()
    assert shown(team, job) == b"epoch 1\nmy token is ***!\nepoch 2\n"
    assert shown(team, job, "console/stderr.log") == b"careful\n"
    seen = page.get(console)
    assert "my token is ***!" in seen
    assert TOKEN not in seen.source
    assert "epoch 2" in json.dumps(page.client.get(f"{console}lines.json?file=console/stdout.log&first=1").json())
    page.client.get(f"{console}?file=console/stderr.log")

    keep_console(team.scientist, job.run, tmp_path / "stdout", tmp_path / "stderr", hidden=[TOKEN])
    output.forget(job)
    end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT)
    assert printed_now(team.scientist, job.run) == []
    assert not JobOutput.objects.filter(job=job).exists()
    assert file_of(job, "console/stdout.log") == b"epoch 1\nmy token is ***!\nepoch 2\n"
    assert "my token is ***!" in page.get(console)


def test_strangers_hear_nothing_of_what_is_printed(team, job, tail, tmp_path):
    say(tmp_path / "stdout", "for us alone")
    tail.forward()
    stranger = a_person()
    assert printed_now(stranger, job.run) == []
    Browser(stranger).get(f"/r/{job.run.uid.hex}/console/", expecting=404)


def test_small_pieces_become_few_rows_and_long_output_keeps_its_head_and_its_end(
    team, job, tail, tmp_path, monkeypatch
):
    monkeypatch.setattr(output, "LIVE_MAX", 400_000)
    monkeypatch.setattr(output, "_AT_ONCE", 50_000)
    path = tmp_path / "stdout"
    for number in range(100):
        say(path, f"line {number}\n")
        tail.forward()
    assert JobOutput.objects.filter(job=job).count() == 1
    for number in range(20):
        say(path, b"%05d\n" % number * 10_000)
        tail.forward()
    say(path, "the end\n")
    tail.forward()
    seen = shown(team, job)
    assert seen.startswith(b"line 0\nline 1\n")
    assert seen.endswith(b"00019\nthe end\n")
    assert b"bytes left out here]" in seen
    assert 400_000 < len(seen) < 700_000
    assert all(len(row.content) <= output.PIECE for row in JobOutput.objects.filter(job=job))


def test_what_prints_faster_than_it_is_read_is_followed_at_its_end(team, job, tail, tmp_path, monkeypatch):
    monkeypatch.setattr(output, "LIVE_MAX", 100_000)
    say(tmp_path / "stdout", "begun\n")
    tail.forward()
    say(tmp_path / "stdout", b"x" * 1_000_000 + b"\nthe end\n")
    tail.forward()
    seen = shown(team, job)
    assert seen.startswith(b"begun\n\n[")
    assert seen.endswith(b"x\nthe end\n")
    assert len(seen) < 150_000


def test_a_leap_into_the_middle_of_a_secret_shows_no_rest_of_it(team, job, tail, tmp_path, monkeypatch):
    line = f"{TOKEN} 12345678901234567890\n"
    say(path := tmp_path / "stdout", line * 6000)
    for place in range(len(line)):
        monkeypatch.setattr(output, "LIVE_MAX", 100_000 + 2 * place)
        JobOutput.objects.filter(job=job).delete()
        Tail(job, path, tmp_path / "stderr", hidden=[TOKEN]).forward()
        seen = shown(team, job)
        assert not any(TOKEN[at:].encode() in seen for at in range(len(TOKEN) - 3)), place
        assert seen.endswith(b"*** 12345678901234567890\n")


def test_what_reached_us_before_a_worker_was_lost_is_kept(team, job, tail, tmp_path):
    say(tmp_path / "stdout", "epoch 1\n")
    tail.forward()
    salvage(team.scientist, job)
    assert file_of(job, "console/stdout.log") == b"epoch 1\n"
    assert paths_of(job) == {"console/stdout.log"}
    assert not JobOutput.objects.filter(job=job).exists()
    salvage(team.scientist, job)
    assert file_of(job, "console/stdout.log") == b"epoch 1\n"


@pytest.mark.once
def test_of_a_long_stream_the_first_and_the_last_part_are_kept():
    for size in (0, 99, 100, 101, 150, 1000):
        kept = io.BytesIO()
        whole = bytes(number % 251 for number in range(size))
        output._write_ends(kept, [whole[at : at + 7] for at in range(0, size, 7)], at_most=100)
        said = kept.getvalue()
        if size <= 100:
            assert said == whole
        else:
            assert said == whole[:50] + output.left_out(size - 100) + whole[-50:]
