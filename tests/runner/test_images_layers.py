"""Layers of images laid over each other: what they take away, where they would lead, how much there may be; names."""

import io
import os
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from kernel.errors import Invalid, TooLarge
from runner.images import read_image
from runner.working import images_layers
from runner.working.images_layers import Layers, found
from tests.services.registry import entry, layer, pack

pytestmark = pytest.mark.once
MB = 1024**2
SYM, LNK, DIR, CHR, FIFO = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE


def laid(top: Path, *layers: bytes, at_most: int = MB) -> Layers:
    """The layers in a folder of their own."""
    top.mkdir(exist_ok=True)
    made = Layers(top, at_most=at_most, told=lambda: None)
    for one in layers:
        made.lay(io.BytesIO(one))
    return made


def tree(top: Path) -> dict[str, str]:
    """Each file with its content, each link with where it leads."""
    return {
        str(one.relative_to(top)): f"-> {os.readlink(one)}" if one.is_symlink() else one.read_text()
        for one in sorted(top.rglob("*"))
        if one.is_symlink() or one.is_file()
    }


@pytest.mark.parametrize("packed", ["gzip", "zstd", ""])
def test_files_folders_and_links_of_a_layer_are_there_without_rights_of_their_owners(tmp_path: Path, packed: str):
    one = layer(
        (entry("./", DIR), None),
        ("./usr/bin/tool", "run"),
        (entry("usr/bin/root", mode=0o6755), "as root"),
        (entry("shut", mode=0o600), "shut"),
        (entry("bin", SYM, link="usr/bin"), None),
        (entry("usr/bin/again", LNK, link="./usr/bin/root"), None),
        (entry("dev/sda", CHR), None),
        (entry("pipe", FIFO), None),
        packed=packed,
    )
    made = laid(tmp_path / "top", one)
    assert tree(tmp_path / "top") == {
        "bin": "-> usr/bin", "shut": "shut", "usr/bin/again": "as root", "usr/bin/root": "as root",
        "usr/bin/tool": "run",
    }  # fmt: skip
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "top").rglob("*")}
    assert modes["root"] == 0o755
    assert modes["shut"] == modes["tool"] == 0o644
    assert modes["usr"] == modes["bin"] == 0o755
    assert made.left_out == 2
    assert os.path.samefile(tmp_path / "top/usr/bin/root", tmp_path / "top/usr/bin/again")


def test_zstd_in_several_frames_some_of_them_skipped_is_read_whole(tmp_path: Path):
    plain = layer(("one", "1" * 5000), ("two", "2"), packed="")
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00mled"
    laid(tmp_path / "top", pack(plain[:4096], "zstd") + skipped + pack(plain[4096:], "zstd"))
    assert tree(tmp_path / "top") == {"one": "1" * 5000, "two": "2"}


def test_a_later_layer_takes_away_and_replaces(tmp_path: Path):
    first = layer(("a/old", "1"), ("a/kept", "1"), ("b/c/d", "1"), ("file", "1"), ("folder/x", "1"), ("l", "1"))
    second = layer(
        ("a/.wh.old", ""), (".wh.b", ""), ("b/c/new", "2"), (entry("file", DIR), None), ("file/inner", "2"),
        ("folder", "2"), (entry("l", SYM, link="folder"), None), (".wh.never-there", ""), (".wh..wh.plnk", ""),
    )  # fmt: skip
    laid(tmp_path / "top", first, second)
    assert tree(tmp_path / "top") == {
        "a/kept": "1", "b/c/new": "2", "file/inner": "2", "folder": "2", "l": "-> folder",
    }  # fmt: skip


@pytest.mark.parametrize("is_first", [True, False])
def test_an_opaque_folder_hides_what_was_below_and_nothing_of_its_own_layer(tmp_path: Path, is_first: bool):
    first = layer(("a/old", "1"), ("a/sub/old", "1"), ("a/sub/deep/old", "1"), ("b", "1"))
    mine = [("a/new", "2"), ("a/sub/new", "2")]
    mine.insert(0 if is_first else len(mine), ("a/.wh..wh..opq", ""))
    laid(tmp_path / "top", first, layer(*mine))
    assert tree(tmp_path / "top") == {"a/new": "2", "a/sub/new": "2", "b": "1"}


def test_names_below_a_link_lie_where_it_leads_within_the_image(tmp_path: Path):
    first = layer((entry("var/lib", DIR), None), (entry("lib", SYM, link="/usr/lib"), None), ("usr/lib/one", "1"))
    second = layer(("lib/two", "2"), ("lib/.wh.one", ""), (entry("usr/up", SYM, link="../var/lib"), None))
    laid(tmp_path / "top", first, second, layer(("usr/up/three", "3")))
    assert tree(tmp_path / "top") == {
        "lib": "-> /usr/lib", "usr/lib/two": "2", "usr/up": "-> ../var/lib", "var/lib/three": "3",
    }  # fmt: skip
    assert found(tmp_path / "top", "/lib/two") == tmp_path / "top/usr/lib/two"
    assert found(tmp_path / "top", "/../../usr/up/../lib/three") == tmp_path / "top/var/lib/three"
    assert found(tmp_path / "top", "/lib/no") is None


OUT = {
    "a name with dots": [("../evil", "x")],
    "dots within": [("a/../../evil", "x")],
    "a link that leads up": [(entry("up", SYM, link="../.."), None), ("up/evil", "x")],
    "a second name from outside": [(entry("mine", LNK, link="../outside"), None)],
    "a second name by a link": [(entry("up", SYM, link=".."), None), (entry("mine", LNK, link="up/outside"), None)],
    "a second name of nothing": [(entry("mine", LNK, link="etc/passwd"), None)],
    "taking away by a link": [(entry("up", SYM, link=".."), None), ("up/.wh.outside", "")],
    "taking away its folder": [("a/.wh...", "")],
    "emptying by a link": [(entry("up", SYM, link=".."), None), ("up/.wh..wh..opq", "")],
    "links in a circle": [(entry("a", SYM, link="b"), None), (entry("b", SYM, link="a"), None), ("a/evil", "x")],
    "a file as a folder": [("a", "x"), ("a/b", "y")],
}


@pytest.mark.parametrize("way", OUT)
def test_what_leads_out_of_the_image_refuses_the_whole(tmp_path: Path, way: str):
    (tmp_path / "outside").write_text("outside")
    with pytest.raises(Invalid) as refused:
        laid(tmp_path / "top", layer(*OUT[way]))
    assert refused.value.field == "environment.image"
    assert {one.name for one in tmp_path.iterdir()} == {"outside", "top"}
    assert (tmp_path / "outside").read_text() == "outside"


def test_a_link_to_the_machine_s_own_folders_is_never_followed_to_them(tmp_path: Path):
    target = tmp_path / "outside"
    target.mkdir()
    laid(tmp_path / "top", layer((entry("a", SYM, link=str(target)), None), ("a/file", "x"), ("a/.wh.no", "")))
    assert list(target.iterdir()) == []
    assert (tmp_path / "top" / str(target).lstrip("/") / "file").read_text() == "x"


def test_what_is_written_counts_and_not_what_is_told(tmp_path: Path):
    with pytest.raises(TooLarge, match=r"more than 1 MB"):
        laid(tmp_path / "top", layer(("zeros", b"\0" * 3 * MB)), at_most=10**6)
    with pytest.raises(TooLarge, match=r"more than 1 MB"):
        laid(tmp_path / "many", *[layer((f"part-{number}", b"\0" * 600_000)) for number in range(2)], at_most=10**6)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(images_layers, "ENTRIES_MAX", 10)
    with pytest.raises(TooLarge, match="more than 10 files"):
        laid(tmp_path / "top", layer(*((f"file-{number}", "x") for number in range(11))))


def test_what_is_told_of_a_file_is_not_read_into_memory_without_end(tmp_path: Path):
    held = io.BytesIO()
    head = entry("long", tarfile.XHDTYPE)
    head.size = 64 * MB
    held.write(head.tobuf(tarfile.USTAR_FORMAT) + b"\0" * 64 * MB)
    with pytest.raises(Invalid, match="told of a file is too long"):
        laid(tmp_path / "top", pack(held.getvalue(), "gzip"), at_most=100 * MB)


def test_the_pieces_of_a_sparse_file_are_not_read_into_memory_without_end(tmp_path: Path):
    """Blocks of them, each of which says that another follows, or lines of numbers: 64 MB packed into 64 kB."""
    head = bytearray(entry("old", tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    head[482] = 1  # more follows
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    block = b"00000000001\0" * 42 + b"\1" + b"\0" * 7
    numbers = entry("new")
    numbers.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"}
    numbers.size = 64 * MB
    for told in (
        bytes(head) + block * (64 * MB // 512),
        numbers.tobuf(tarfile.PAX_FORMAT) + b"99999999\n" + b"1\n" * (32 * MB),
    ):
        with pytest.raises(Invalid, match="told of a file is too long"):
            laid(tmp_path / "top", pack(told, "gzip"), at_most=100 * MB)


def test_a_sparse_file_has_its_zeros_and_they_count(tmp_path: Path):
    source, packed = tmp_path / "thin", tmp_path / "thin.tar"
    with source.open("wb") as file:
        for place in (0, 200_000, 400_000, 600_000, 800_000, 990_000):
            file.seek(place)
            file.write(b"x" * 4096)
        file.truncate(1_000_000)
    for form in ("gnu", "posix"):
        words = ["tar", f"--format={form}", "--sparse", "-cf", str(packed), "-C", str(tmp_path), "thin"]
        subprocess.run(words, check=True)
        laid(tmp_path / form, packed.read_bytes())
        assert (tmp_path / form / "thin").read_bytes() == source.read_bytes()
        with pytest.raises(TooLarge):
            laid(tmp_path / f"{form}-small", packed.read_bytes(), at_most=500_000)


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\x1f\x8b\x08broken", b"\x28\xb5\x2f\xfdbroken"])
def test_what_is_no_layer_says_so(tmp_path: Path, content: bytes):
    with pytest.raises(Invalid, match="cannot be unpacked"):
        laid(tmp_path / "top", content)


DIGEST = "sha256:" + "0123456789abcdef" * 4
NAMES = {
    "python": "docker.io/library/python:latest",
    "python:3.12-slim": "docker.io/library/python:3.12-slim",
    "team/train": "docker.io/team/train:latest",
    "index.docker.io/team/train:1": "docker.io/team/train:1",
    " registry.example.org:5000/a/b/c:1.2 ": "registry.example.org:5000/a/b/c:1.2",
    "Registry.Example.org/a": "registry.example.org/a:latest",
    "localhost/a": "localhost/a:latest",
    f"ghcr.io/a/b@{DIGEST}": f"ghcr.io/a/b@{DIGEST}",
    f"ghcr.io/a/b:1@{DIGEST}": f"ghcr.io/a/b:1@{DIGEST}",
}


@pytest.mark.parametrize("said", NAMES)
def test_an_image_is_named_as_docker_pull_takes_it_and_told_in_full(said: str):
    assert str(read_image(said)) == NAMES[said]
    assert str(read_image(NAMES[said])) == NAMES[said]


@pytest.mark.parametrize(
    "said",
    ["", "Python", "a b", "ghcr.io/", "ghcr.io/a:", "ghcr.io/a@sha256:12", "ghcr.io/a@md5:12", "a//b", "-a", "a/../b",
     "https://ghcr.io/a", "ada:geheim@ghcr.io/a", "ghcr.io/a:1:2", "a" * 600, f"a@{DIGEST}@{DIGEST}"],
)  # fmt: skip
def test_what_is_no_name_of_an_image_says_how_one_looks(said: str):
    with pytest.raises(Invalid) as refused:
        read_image(said)
    assert refused.value.field == "environment.image"
    assert "geheim" not in refused.value.message


def test_where_registries_are_named_no_others_are_taken(settings):
    settings.MLED_IMAGE_REGISTRIES = ["docker.io", "http://registry.example.org:5000"]
    assert str(read_image("python")) == "docker.io/library/python:latest"
    assert read_image("registry.example.org:5000/a").registry == "registry.example.org:5000"
    with pytest.raises(Invalid, match=r"ghcr\.io are not taken here") as refused:
        read_image("ghcr.io/a")
    assert "docker.io, registry.example.org:5000" in refused.value.hint
