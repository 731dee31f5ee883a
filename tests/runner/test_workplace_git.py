"""Code out of real git: repositories by address, bundles, patches; and addresses that would be commands."""

import io
import os
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from artifacts.storage import StoredBlob, blobs
from kernel.errors import Invalid, MledError, TooLarge, Unavailable
from runner.repositories import checked_commit, checked_repository
from runner.working import code_git
from runner.working.code_git import apply_patch, lay_out_bundle, lay_out_commit

pytestmark = pytest.mark.once
AUTHOR = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "a@example.org"}
COMMITTER = {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null"}


def git(folder: Path, *words: str) -> str:
    variables = {**os.environ, **AUTHOR, **COMMITTER}
    done = subprocess.run(["git", *words], cwd=folder, env=variables, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(repository: Path, **files: str) -> str:
    for name, text in files.items():
        (repository / name.replace("__", ".")).write_text(text)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "work")
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, settings) -> Path:
    settings.MLED_RUNNER_DATA = str(tmp_path / "worker")
    settings.MLED_GIT_WAYS = ["https", "ssh", "file", "http"]
    place = tmp_path / "repository"
    place.mkdir()
    git(place, "init", "--quiet", "--initial-branch=main")
    return place


MB = 1024 * 1024


def quiet(stage: str) -> None:
    """Nobody listens."""


def kept(data: bytes) -> StoredBlob:
    return blobs().receive(io.BytesIO(data), limit=10_000_000)


def test_a_commit_is_checked_out_as_it_was_whatever_came_later_and_without_what_git_would_execute(
    repository: Path, tmp_path: Path
):
    mark = tmp_path / "executed"
    first = commit(
        repository, train__py="print(1)\n", __gitattributes="*.py filter=evil\n",
        __gitmodules='[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% /tmp/never\n',
    )  # fmt: skip
    commit(repository, train__py="print(2)\n")
    for hook in ("post-checkout", "reference-transaction"):
        place = repository / ".git" / "hooks" / hook
        place.write_text(f"#!/bin/sh\ntouch {mark}\n")
        place.chmod(0o755)
    lay_out_commit(f"file://{repository}", first, tmp_path / "code", at_most=MB, told=quiet)
    assert (tmp_path / "code" / "train.py").read_text() == "print(1)\n"
    assert not (tmp_path / "code" / ".git").exists()
    assert not mark.exists()


def test_a_commit_that_was_fetched_once_is_not_fetched_again(repository: Path, tmp_path: Path):
    first = commit(repository, train__py="print(1)\n")
    lay_out_commit(f"file://{repository}", first, tmp_path / "one", at_most=MB, told=quiet)
    repository.rename(tmp_path / "gone")
    told: list[str] = []
    lay_out_commit(f"file://{repository}", first, tmp_path / "two", at_most=MB, told=told.append)
    assert (tmp_path / "two" / "train.py").exists()
    with pytest.raises(Unavailable, match="cannot be fetched"):
        lay_out_commit(f"file://{repository}", "1" * 40, tmp_path / "three", at_most=MB, told=quiet)


def test_a_server_that_gives_no_single_commit_is_asked_for_all(repository: Path, tmp_path: Path):
    first = commit(repository, train__py="print(1)\n")
    commit(repository, train__py="print(2)\n")
    git(repository, "update-server-info")
    handler = partial(SimpleHTTPRequestHandler, directory=str(repository))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told: list[str] = []
        address = f"http://127.0.0.1:{server.server_port}/.git"
        lay_out_commit(address, first, tmp_path / "code", at_most=MB, told=told.append)
        assert (tmp_path / "code" / "train.py").read_text() == "print(1)\n"
        assert f"Fetching all of {address}" in told
        with pytest.raises(Invalid, match="has no commit 2222222222"):
            lay_out_commit(address, "2" * 40, tmp_path / "other", at_most=MB, told=quiet)
        server.shutdown()


def test_a_bundle_gives_its_commit_and_a_patch_changes_it(repository: Path, tmp_path: Path):
    first = commit(repository, train__py="print(1)\n", other__py="print('other')\n")
    git(repository, "bundle", "create", "--quiet", str(tmp_path / "b"), "HEAD", "main")
    bundle = kept((tmp_path / "b").read_bytes())
    (repository / "train.py").write_text("print('patched')\n")
    (repository / "new.bin").write_bytes(bytes(range(256)))
    git(repository, "add", "--all")
    patch = kept(subprocess.run(["git", "diff", "--binary", "HEAD"], cwd=repository, capture_output=True).stdout)
    code = tmp_path / "job" / "code"
    lay_out_bundle(bundle, first, code, at_most=MB, told=quiet)
    apply_patch(patch, code, told=quiet)
    assert (code / "train.py").read_text() == "print('patched')\n"
    assert (code / "new.bin").read_bytes() == bytes(range(256))
    with pytest.raises(Invalid, match="does not fit"):
        apply_patch(patch, code, told=quiet)
    with pytest.raises(Invalid, match="does not hold the commit"):
        lay_out_bundle(bundle, "3" * 40, tmp_path / "job" / "x", at_most=MB, told=quiet)
    with pytest.raises(Invalid, match="bundle cannot be read"):
        lay_out_bundle(kept(b"no bundle"), first, tmp_path / "job" / "y", at_most=MB, told=quiet)


@pytest.mark.parametrize("levels", [3, 30])
def test_a_commit_is_counted_before_it_is_checked_out(repository: Path, tmp_path: Path, levels: int, monkeypatch):
    """A few hundred bytes that name the same file, or the same folders, again and again."""

    def tree(kind: str, name: str) -> str:
        listed = "".join(f"{kind} {name}\tx{number}\n" for number in range(10))
        made = subprocess.run(
            ["git", "mktree"], cwd=repository, input=listed, check=True, capture_output=True, text=True
        )
        return made.stdout.strip()

    monkeypatch.setattr(code_git, "ENTRIES_MAX", 15_000)
    commit(repository, file="x" * 1000 if levels == 3 else "")
    inner = tree("100644 blob", git(repository, "rev-parse", "HEAD:file"))
    for _ in range(levels):
        inner = tree("040000 tree", inner)
    head = git(repository, "commit-tree", inner, "-m", "bomb")
    folder = tmp_path / "job" / "code"
    with pytest.raises(TooLarge, match="more than 1 MB" if levels == 3 else "more than 15,000 files and folders"):
        lay_out_commit(f"file://{repository}", head, folder, at_most=MB, told=quiet)
    assert not folder.exists()


def test_a_patch_writes_nothing_outside_of_the_code(tmp_path: Path):
    code = tmp_path / "job" / "code"
    code.mkdir(parents=True)
    (code / "way-out").symlink_to(tmp_path)
    for name in ("../evil.txt", "way-out/evil.txt"):
        text = f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+evil\n"
        with pytest.raises(Invalid):
            apply_patch(kept(text.encode()), code, told=quiet)
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_patch_is_not_applied_as_a_repository_among_the_code_wants_it(tmp_path: Path):
    code = tmp_path / "job" / "code"
    code.mkdir(parents=True)
    git(code, "init", "--quiet")
    git(code, "config", "filter.evil.smudge", f"touch {tmp_path}/smudged; cat")
    git(code, "config", "filter.evil.clean", f"touch {tmp_path}/cleaned; cat")
    (code / ".gitattributes").write_text("* filter=evil\n")
    (code / "train.py").write_text("old\n")
    apply_patch(kept(b"--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-old\n+new\n"), code, told=quiet)
    assert (code / "train.py").read_text() == "new\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["job"]
    assert [one.name for one in code.parent.iterdir()] == ["code"]


def test_fetching_ends_where_somebody_stops_the_job(repository: Path, tmp_path: Path):
    class Stopped(Exception):
        pass

    def told(stage: str) -> None:
        if "Fetching" in stage:
            raise Stopped

    first = commit(repository, train__py="print(1)\n")
    with pytest.raises(Stopped):
        lay_out_commit(f"file://{repository}", first, tmp_path / "code", at_most=MB, told=told)


def test_a_machine_without_git_says_so(repository: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="no git on the worker's machine"):
        lay_out_commit("https://example.org/x.git", "1" * 40, tmp_path / "code", at_most=MB, told=quiet)


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% /tmp/evil", "ext::sh", "fd::17", "-oProxyCommand=evil", "--upload-pack=evil",
        "ssh://-oProxyCommand=evil/x", "ssh://ada@-oProxyCommand=evil/x", "-evil@host:x", "ada@-evil:x", "host:-x",
        "file:///etc", "/etc/passwd", "../x", "C:\\x", "git://example.org/x", "http://example.org/x", "", " ",
        "https://ada:word@example.org/x", "https://token@example.org/x", "https:///x", "https://example.org",
        "https://example.org/x?y=z", "https://exa mple.org/x", "ssh://ho`st/x",
        "https://example.org:99999/x", "https://[::1/x", "HTTPS://x::y/z", "transport::https://example.org/x",
        "https://example.org/" + "x" * 1000, "https://exämple.org/x",
    ],
)  # fmt: skip
def test_an_address_that_git_would_execute_or_that_is_not_allowed_is_refused(address):
    with pytest.raises(MledError):
        checked_repository(address)


@pytest.mark.parametrize(
    "address",
    ["https://github.com/team/code.git", "git@github.com:team/code.git", "ssh://git@example.org:2222/team/code",
     "https://[2001:db8::1]/x", "https://example.org:8443/~ada/x.git"],
)  # fmt: skip
def test_addresses_as_people_write_them_are_taken(address):
    assert checked_repository(address) == address


@pytest.mark.parametrize("commit_id", ["main", "HEAD", "abc123", "-x", "1" * 39, "z" * 40, ""])
def test_only_a_whole_id_names_a_commit_for_good(commit_id):
    with pytest.raises(Invalid, match="whole id"):
        checked_commit(commit_id)
    assert checked_commit("ABCDEF" + "1" * 34) == "abcdef" + "1" * 34
