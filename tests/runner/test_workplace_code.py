"""Uploaded code: archives that are hostile, notebooks as scripts, and where a command starts."""

import io
import json
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from kernel.errors import Invalid, MledError, TooLarge
from runner.working import code_archives
from runner.working.code import as_script, starting
from runner.working.code_archives import unpack
from runner.working.code_notebooks import script_of
from runner.working.code_reading import small_text
from tests.runner.workplaces import zipped

pytestmark = pytest.mark.once
MB = 1024 * 1024


@pytest.fixture
def code(tmp_path: Path) -> Path:
    place = tmp_path / "job" / "code"
    place.mkdir(parents=True)
    return place


def taken(data: bytes, code: Path, *, at_most: int = MB) -> bool:
    return unpack(io.BytesIO(data), code, at_most=at_most)


def tarred(*entries: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:
        for about, content in entries:
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return packed.getvalue()


def entry(name: str, **more) -> tarfile.TarInfo:
    about = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(about, key, value)
    return about


def everything_below(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_in_any_usual_packing_becomes_its_files(code, mode):
    assert taken(tarred((entry("./a/run.sh", mode=0o755), b"#!/bin/sh\n"), (entry("a/b.py"), b"1"), mode=mode), code)
    assert everything_below(code) == {"a/run.sh", "a/b.py"}
    assert (code / "a" / "run.sh").stat().st_mode & stat.S_IXUSR
    assert not (code / "a" / "b.py").stat().st_mode & 0o111


def test_a_zip_becomes_its_files_without_what_macs_put_in(code):
    assert taken(
        zipped({"p/a.py": "1", "p/": "", "__MACOSX/p/._a.py": "x", ".DS_Store": "x", "w\\in\\dows.py": "2"}), code
    )
    assert everything_below(code) == {"p/a.py", "w/in/dows.py"}


def test_what_is_no_archive_is_left_to_others(code):
    assert not taken(b"print(1)\n", code)
    assert not taken(b"", code)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "a/%2e%2e/evil", "..\\evil", "C:/../../evil", "a\x00b"]
)
def test_names_that_lead_out_refuse_the_whole_archive(code, name):
    for data in (zipped({"good.py": "1", name: "evil"}), tarred((entry("good.py"), b"1"), (entry(name), b"evil"))):
        for path in code.iterdir():
            path.unlink()
        if "\x00" in name:  # both formats end a name there
            taken(data, code)
        else:
            with pytest.raises(MledError):
                taken(data, code)
        assert not list(code.parent.parent.rglob("*evil*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_special_files_of_a_tar_are_refused(code, kind):
    with pytest.raises(Invalid, match="link or no ordinary file"):
        taken(tarred((entry("out", type=kind, linkname="/etc/passwd"), b"")), code)
    assert not list(code.iterdir())


def test_links_of_a_zip_are_refused(code):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("out")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc")
        archive.writestr("out/evil", "x")
    with pytest.raises(Invalid, match="link or no ordinary file"):
        taken(packed.getvalue(), code)


def test_a_bomb_is_stopped_by_what_it_writes_and_not_by_what_it_says(code):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(20 * MB))
    with pytest.raises(TooLarge, match="more than 1 MB"):
        taken(packed.getvalue(), code)
    assert sum(path.stat().st_size for path in code.iterdir()) <= MB
    with pytest.raises(TooLarge):
        taken(tarred((entry("other"), bytes(20 * MB))), code)


def test_too_many_entries_files_in_files_and_doubles_are_refused(code, monkeypatch):
    monkeypatch.setattr(code_archives, "ENTRIES_MAX", 3)
    with pytest.raises(MledError, match="more than 3"):
        taken(zipped({f"{number}": "x" for number in range(5)}), code)
    with pytest.raises(Invalid, match="lies in what is a file"):
        taken(tarred((entry("a"), b"1"), (entry("a/b"), b"1")), code)
    with pytest.raises(Invalid, match="stands twice"):
        taken(tarred((entry("c"), b"1"), (entry("c"), b"2")), code)


def test_damaged_and_locked_archives_are_told_in_words(code):
    whole = zipped({"a.py": "print(1)" * 100})
    with pytest.raises(Invalid, match=r"cannot be unpacked|cannot be read"):
        taken(whole.replace(b"print", b"pr1nt", 1), code)
    packed = tarred((entry("b.py"), bytes(range(256)) * 400), mode="w")
    with pytest.raises(Invalid, match="cannot be unpacked"):
        taken(packed[: len(packed) // 2], code)
    for place, data in enumerate((_deflated(), *(_squeezed(mode) for mode in ("w:gz", "w:xz")))):
        at = 45 if place == 0 else len(data) // 2  # of deflate the first block's table, which no content makes good
        data[at : at + 40] = bytes(40) if place else b"\xff" * 40
        (fresh := code / f"of-{place}").mkdir()
        with pytest.raises(Invalid, match="cannot be unpacked"):
            taken(bytes(data), fresh, at_most=8 * MB)
    locked = bytearray(zipped({"c.py": "1"}))
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", locked, locked.index(sign) + at, 1)
    with pytest.raises(Invalid, match="password"):
        taken(bytes(locked), code)


TABLE = "".join(f"{number},{number * number}\n" for number in range(50_000))


def _deflated() -> bytearray:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", TABLE)
    return bytearray(packed.getvalue())


def _squeezed(mode: str) -> bytearray:
    return bytearray(tarred((entry("table.csv"), TABLE.encode()), mode=mode))


def notebook(*cells: str | list[str], **more) -> bytes:
    listed = [{"cell_type": "code", "source": source, "outputs": []} for source in cells]
    return json.dumps(
        {"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# Title"}, *listed], **more}
    ).encode()


def test_a_notebook_is_executed_as_the_script_of_its_code_cells(code):
    place = code / "study.ipynb"
    place.write_bytes(
        notebook("x = 20\n", ["y = '''\n", "!not a command\n", "'''\n", "print(x + 1)"], "print(8 %\n  5)")
    )
    assert as_script(code, [], "study.ipynb") == ["python", "study.py"]
    done = subprocess.run([sys.executable, "study.py"], cwd=code, capture_output=True, text=True, check=True)
    assert done.stdout == "21\n3\n"
    assert as_script(code, ["python", "study.ipynb", "--lr", "1"], "") == ["python", "study_notebook.py", "--lr", "1"]
    assert as_script(code, ["python", "missing.ipynb"], "") == ["python", "missing.ipynb"]


@pytest.mark.parametrize(
    "magic", ["%matplotlib inline", "!pip install torch", "%%time\nx = 1", "x = !ls", "print?", "  %timeit f()"]
)
def test_commands_of_jupyter_are_refused_with_their_cell(code, magic):
    (code / "n.ipynb").write_bytes(notebook("x = 1", magic))
    with pytest.raises(Invalid, match=r"Code cell 2 of 'n.ipynb' has a command of Jupyter"):
        script_of(code / "n.ipynb")


@pytest.mark.parametrize(
    "content",
    [b"", b"no json", b"[]", b'{"worksheets": []}', b"\xff", b"[" * 100_000,
     notebook("x", metadata={"kernelspec": {"language": "R"}})],
)  # fmt: skip
def test_what_is_no_notebook_of_python_is_told_in_words(code, content):
    (code / "n.ipynb").write_bytes(content)
    with pytest.raises(Invalid, match=r"n\.ipynb"):
        script_of(code / "n.ipynb")


def test_a_command_starts_in_the_folder_that_is_named_else_in_the_only_one(code, tmp_path):
    (code / "project" / "sub").mkdir(parents=True)
    assert starting(code, "") == code / "project"
    assert starting(code, "", is_whole=True) == code
    assert starting(code, "project/sub") == code / "project" / "sub"
    (code / "other.py").write_text("1")
    assert starting(code, "") == code
    (code / "way-out").symlink_to(tmp_path.parent)
    for within in ("missing", "other.py", "way-out", "../job", "/etc"):
        with pytest.raises(Invalid):
            starting(code, within)


def test_links_of_code_are_not_read_by_the_worker(code, tmp_path):
    (tmp_path / "secret").write_text("of the server")
    (code / "requirements.txt").symlink_to(tmp_path / "secret")
    (code / "n.ipynb").symlink_to(tmp_path / "secret")
    assert small_text(code, "requirements.txt", MB) is None
    with pytest.raises(Invalid, match="leads out of the code"):
        as_script(code, ["python", "n.ipynb"], "")
    (code / "long.txt").write_text("x" * 11)
    with pytest.raises(Invalid, match="larger"):
        small_text(code, "long.txt", 10)


def test_the_script_of_a_notebook_is_written_through_no_link_and_over_nothing(code, tmp_path):
    (tmp_path / "there").write_text("of the server")
    for name in ("new", "old", "both"):
        (code / f"{name}.ipynb").write_bytes(notebook("print(1)"))
    (code / "new.py").symlink_to(tmp_path / "not-there")
    (code / "old.py").write_text("mine")
    (code / "old_notebook.py").symlink_to(tmp_path / "there")
    for name in ("both.py", "both_notebook.py"):
        (code / name).write_text("mine")
    assert as_script(code, ["python", "new.ipynb"], "") == ["python", "new_notebook.py"]
    for name in ("old", "both"):
        with pytest.raises(Invalid, match=f"no room for the script of '{name}.ipynb'"):
            as_script(code, ["python", f"{name}.ipynb"], "")
    assert (tmp_path / "there").read_text() == "of the server"
    assert not (tmp_path / "not-there").exists()
    assert [(code / name).read_text() for name in ("old.py", "both.py", "both_notebook.py")] == ["mine"] * 3


def test_a_notebook_behind_a_link_that_leads_out_or_in_a_circle_is_refused(code, tmp_path):
    (tmp_path / "n.ipynb").write_bytes(notebook("print(1)"))
    (code / "way-out").symlink_to(tmp_path)
    (code / "circle").symlink_to("circle")
    (code / "circle.ipynb").symlink_to("circle.ipynb")
    (code / "nowhere.ipynb").symlink_to(tmp_path / "nowhere")
    for word in ("way-out/n.ipynb", "circle.ipynb", "nowhere.ipynb"):
        with pytest.raises(Invalid, match="leads"):
            as_script(code, ["python", word], "")
    with pytest.raises(Invalid, match="leads nowhere"):
        starting(code, "circle")
    assert not (tmp_path / "n.py").exists()
    for word in ("/inputs/data/n.ipynb", f"{'long/' * 2000}n.ipynb"):
        assert as_script(code, ["python", "train.py", word], "") == ["python", "train.py", word]
