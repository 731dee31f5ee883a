"""Reading what a run printed: any line of any text, with little memory, and what a terminal would show of it."""

import io
import random
import time
import tracemalloc

import pytest

from experiments.console import reading
from experiments.console.colours import pieces_of, plain
from experiments.console.names import is_log, is_stderr, logs_first
from experiments.console.reading import (
    LINE_SHOWN,
    find_lines,
    grew_from,
    indexed,
    last_lines,
    lines_before,
    lines_from,
    mark_of,
)


def read(text: bytes, first: int, count: int) -> list[tuple[int, str]]:
    reader = io.BytesIO(text)
    return [(line.number, line.text) for line in lines_from(reader, indexed(reader, len(text)), first, count)]


@pytest.fixture(params=[1 << 20, 7, 64])
def chunk(request, monkeypatch):
    monkeypatch.setattr(reading, "CHUNK", request.param)


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("seed", range(6))
def test_every_line_of_any_text_is_found_where_it_stands(seed):
    chance = random.Random(seed)
    lines = [bytes(chance.choice(b"abc \xc3\xa4") for _ in range(chance.choice((0, 1, 5, 40)))) for _ in range(300)]
    text = b"\n".join(lines) + (b"\n" if seed % 2 else b"x")
    said = [line.decode("utf-8", "replace") for line in text.split(b"\n")]
    said = said[:-1] if seed % 2 else said
    reader = io.BytesIO(text)
    index = indexed(reader, len(text))
    assert index.lines == len(said)
    for first in (1, 2, 150, len(said) - 1, len(said)):
        assert read(text, first, 5) == list(enumerate(said, 1))[first - 1 : first + 4]
    assert [line.text for line in last_lines(reader, index, 9)] == said[-9:]
    assert read(text, len(said) + 1, 5) == read(b"", 1, 5) == []
    wanted = [number for number, line in enumerate(text.split(b"\n"), 1) if b"ab" in line.lower()]
    assert find_lines(reader, index, "AB").lines == wanted


def test_a_text_of_many_megabytes_and_a_line_of_many_take_little_memory():
    class Endless(io.RawIOBase):
        """A text of 300 MB that lies nowhere: 200 MB in one line, then short ones."""

        size, long = 300 << 20, 200 << 20
        at = 0

        def seek(self, offset, whence=0):
            self.at = offset
            return offset

        def read(self, size=-1):
            size = min(size, self.size - self.at)
            begin, self.at = self.at, self.at + size
            if begin < self.long:
                return (
                    b"x" * size if self.at <= self.long else b"x" * (self.long - begin) + b"\n" * (self.at - self.long)
                )
            return (b"loss 0.1234567\n" * (size // 15 + 2))[begin % 15 : begin % 15 + size]

    reader = Endless()
    tracemalloc.start()
    index = indexed(reader, reader.size)
    first, second = lines_from(reader, index, 1, 2)
    tail = last_lines(reader, index, 200)
    found = find_lines(reader, index, "loss")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(first.text), second.text[-1:]) == (LINE_SHOWN, "7")
    assert first.hidden == pytest.approx(reader.long, abs=5000)
    assert tail[-1].number == index.lines
    assert len(found.lines) == reading.MATCHES
    assert found.is_more
    assert peak < 24 << 20


def test_lines_that_fill_a_window_leave_no_gap_before_the_one_below(monkeypatch):
    monkeypatch.setattr(reading, "WINDOW_BYTES", 5_000)
    text = b"".join(b"%d %s\n" % (at, b"x" * 1_000) for at in range(1, 101))
    index = indexed(io.BytesIO(text), len(text))
    for until in (101, 60, 2):
        found = [line.number for line in lines_before(io.BytesIO(text), index, until, 40)]
        assert found == list(range(found[0], until))
    assert lines_before(io.BytesIO(text), index, 1, 40) == []


def test_what_is_written_over_shows_as_it_stood_last():
    bar = b"".join(b"\r%3d %% done" % at for at in range(101))
    assert read(b"begin\r\n" + bar + b"\nend\r\n\r\n", 1, 9) == [(1, "begin"), (2, "100 % done"), (3, "end"), (4, "")]
    (line,) = lines_from(io.BytesIO(bar * 4000), indexed(io.BytesIO(bar * 4000), len(bar) * 4000), 1, 9)
    assert (line.text, line.is_open) == ("100 % done", True)


def test_broken_text_shows_a_sign_for_what_is_none():
    assert read(b"\xff\xfe caf\xc3\xa9 \xc3\n\x00zero\n", 1, 2) == [(1, "\ufffd\ufffd café \ufffd"), (2, "\x00zero")]
    assert [piece.text for piece in pieces_of("\x00zero\u202e")] == ["zero"]


def test_a_text_that_grew_is_told_from_another_one():
    mark = mark_of(io.BytesIO(b"one\ntwo\n"), 8)
    assert grew_from(io.BytesIO(b"one\ntwo\nthree\n"), 14, mark)
    assert not grew_from(io.BytesIO(b"one\ntwi\nthree\n"), 14, mark)
    assert not grew_from(io.BytesIO(b"one\n"), 4, mark)
    for nonsense in ("", "x", "8", "-8-00", "99999999999999999999-0", "٣-0"):
        assert not grew_from(io.BytesIO(b"one\ntwo\n"), 8, nonsense)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("plain", [("plain", ())]),
        ("\x1b[31mred\x1b[0m not", [("red", ("red",)), (" not", ())]),
        ("\x1b[1;92mgo\x1b[39m on\x1b[22m off", [("go", ("bold", "green")), (" on", ("bold",)), (" off", ())]),
        (
            "\x1b[38;5;1mred\x1b[38;2;1;2;3mstill\x1b[48;5;200m\x1b[mplain",
            [("red", ("red",)), ("still", ("red",)), ("plain", ())],
        ),
        ("\x1b[2K\x1b[1Aup\x1b]8;;https://x.example\x07link\x1b]8;;\x07", [("up", ()), ("link", ())]),
        ("<script>\x1b[999999mx\x1b", [("<script>", ()), ("x", ())]),
    ],
)
def test_of_signs_for_a_terminal_only_looks_are_kept(text, pieces):
    assert [(piece.text, piece.looks) for piece in pieces_of(text)] == pieces


def test_what_is_searched_for_is_marked_across_looks():
    found = pieces_of("a \x1b[31mNa\x1b[0mN value", "nan")
    assert "".join(piece.text for piece in found if piece.is_found) == "NaN"
    assert plain("a \x1b[31mNa\x1b[0mN") == "a NaN"
    assert [piece.text for piece in pieces_of("(.*) (.*)", "(.*)") if piece.is_found] == ["(.*)", "(.*)"]


def test_marking_every_letter_of_a_long_coloured_line_takes_no_time():
    started = time.monotonic()
    found = pieces_of("\x1b[31mab\x1b[0mab" * 10_000, "b")
    assert sum(piece.is_found for piece in found) == 20_000
    assert time.monotonic() - started < 5


def test_logs_are_known_by_their_names():
    logs = (
        "train.log",
        "logs/out.txt",
        "stdout",
        "stderr.txt",
        "a/b/worker-stdout.txt",
        "job.err",
        "x.log.3",
        "console.txt",
    )
    others = ("out.txt", "catalog.txt", "model.pkl", "logs/plot.png", "stdout.png", "a.logs", "log", "train.log.gz")
    assert [path for path in (*logs, *others) if is_log(path)] == list(logs)
    assert [path for path in logs if is_stderr(path)] == ["stderr.txt", "job.err"]
    assert logs_first(("z/train.log", "train.log", "logs/stdout.txt")) == [
        "logs/stdout.txt",
        "train.log",
        "z/train.log",
    ]
