"""Files that commits keep in Git LFS: from a real git server with the door of LFS beside it, and stores elsewhere."""

import hashlib
import shlex
from pathlib import Path

import pytest

from kernel.errors import Invalid, MledError, TooLarge, Unavailable
from runner.actions.secrets import keep_secret
from runner.checking import checked
from runner.working import lfs_server
from runner.working.code import lay_out
from runner.working.code_git import lay_out_commit
from runner.working.code_lfs import fetch_kept_elsewhere
from tests.factories import a_team, default_experiment
from tests.factories_runner import a_draft, a_job
from tests.runner.test_workplace_git import MB, commit, git, quiet
from tests.runner.test_workplace_git_private import USER, WORD, key_for, served, server
from tests.runner.workplaces import an_uploaded_job, content, executed, prepared
from tests.services.git_http import GitServer
from tests.services.lfs_http import object_store

__all__ = ["server"]
BYTES = bytes(range(256)) * 40


def laid_out(server: GitServer, first: str, folder: Path, *, at_most: int = MB, told=quiet, key=None) -> Path:
    """The commit of the repository `code` with all its files."""
    key = key or key_for(server)
    laid = lay_out_commit(server.address("code"), first, folder, at_most=at_most, told=told, key=key)
    fetch_kept_elsewhere(laid, folder, at_most=at_most, told=told)
    return folder


@pytest.mark.once
def test_files_of_lfs_stand_in_their_places_and_are_fetched_once(server: GitServer, tmp_path: Path):
    code, told = served(tmp_path, "code"), list[str]()
    (code / "deep").mkdir()
    for name in ("data.bin", "deep/the same.bin"):
        (code / name).write_text(server.lfs.keep(BYTES))
    (code / "tool.sh").write_text(server.lfs.keep(b"#!/bin/sh\nexit 0\n"))
    (code / "tool.sh").chmod(0o755)
    first = commit(code, train__py="print(1)\n")
    folder = laid_out(server, first, tmp_path / "laid", told=told.append)
    assert (folder / "data.bin").read_bytes() == (folder / "deep/the same.bin").read_bytes() == BYTES
    assert (folder / "tool.sh").stat().st_mode & 0o777 == 0o755
    assert sorted(one.name for one in folder.rglob("*")) == ["data.bin", "deep", "the same.bin", "tool.sh", "train.py"]
    assert len(server.lfs.given) == 2, "each content once"
    assert "Fetching files of Git LFS: 0 of 0 MB" in told
    (folder / "data.bin").write_bytes(b"a job wrote here")
    again = laid_out(server, first, tmp_path / "again")
    assert (again / "data.bin").read_bytes() == BYTES
    assert len(server.lfs.given) == 2
    assert len(server.lfs.batches) == 1


@pytest.mark.once
def test_many_files_are_asked_for_in_batches_and_a_busy_server_is_asked_again(
    server: GitServer, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(lfs_server, "BATCH", 20)
    code = served(tmp_path, "code")
    for number in range(45):
        (code / f"{number}.bin").write_text(server.lfs.keep(f"file {number}".encode()))
    first = commit(code)
    server.lfs.busy = 2
    folder = laid_out(server, first, tmp_path / "laid")
    assert sorted(server.lfs.batches) == [5, 20, 20]
    assert {(folder / f"{number}.bin").read_text() for number in range(45)} == {f"file {n}" for n in range(45)}
    server.lfs.busy = 3
    (code / "more.bin").write_text(server.lfs.keep(b"more"))
    with pytest.raises(Unavailable, match=r"^more.bin: Git LFS does not give this. It answers 503: Later"):
        laid_out(server, commit(code), tmp_path / "no")


@pytest.mark.once
def test_a_server_that_tells_what_it_was_sent_does_not_tell_the_secret(server: GitServer, tmp_path: Path):
    code = served(tmp_path, "code")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    first = commit(code)
    server.lfs.busy, server.lfs.tells_headers = 9, True
    with pytest.raises(Unavailable, match=r"It answers 503: Later, Basic \*\*\*\."):
        laid_out(server, first, tmp_path / "no")


@pytest.mark.once
def test_a_store_elsewhere_gets_what_is_meant_for_it_and_never_the_credential(
    server: GitServer, tmp_path: Path, settings
):
    settings.MLED_JOB_NETWORKS = ["127.0.0.0/8"]
    code = served(tmp_path, "code")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    first = commit(code)
    with object_store(server.lfs) as store:
        server.lfs.place, server.lfs.headers = f"{store.address}/kept", {"X-Ticket": "for-the-store"}
        assert (laid_out(server, first, tmp_path / "one") / "data.bin").read_bytes() == BYTES
        [(path, headers)] = store.asked
        assert path.endswith(hashlib.sha256(BYTES).hexdigest())
        assert headers["x-ticket"] == "for-the-store"
        assert "authorization" not in headers


@pytest.mark.once
def test_who_is_led_to_another_server_takes_nothing_along(server: GitServer, tmp_path: Path, settings):
    settings.MLED_JOB_NETWORKS = ["127.0.0.0/8"]
    code = served(tmp_path, "code")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    first = commit(code)
    with object_store(server.lfs) as store:
        server.lfs.place = server.address("moved")
        server.lfs.headers = {"X-To": store.address, "X-Ticket": "for-the-server"}
        assert (laid_out(server, first, tmp_path / "one") / "data.bin").read_bytes() == BYTES
        [(_, headers)] = store.asked
        assert not {"authorization", "x-ticket", "x-to"} & headers.keys()


@pytest.mark.once
def test_the_answers_of_a_server_lead_into_no_closed_network(server: GitServer, tmp_path: Path):
    code = served(tmp_path, "code")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    first = commit(code)
    with object_store(server.lfs) as store:
        for place in (f"{store.address}/kept", server.address("moved")):
            server.lfs.place, server.lfs.headers = place, {"X-To": store.address}
            with pytest.raises(MledError, match="is not a public address"):
                laid_out(server, first, tmp_path / "no")
        server.lfs.place = "file:///etc"
        with pytest.raises(Invalid, match="fetched over https or http"):
            laid_out(server, first, tmp_path / "no")
        assert store.asked == []


@pytest.mark.once
@pytest.mark.parametrize("spoilt", [BYTES[:-1] + b"x", BYTES[:-1], BYTES + b"more"])
def test_other_bytes_than_the_pointer_names_never_become_a_file(server: GitServer, tmp_path: Path, spoilt: bytes):
    code = served(tmp_path, "code")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    server.lfs.gives[hashlib.sha256(BYTES).hexdigest()] = spoilt
    with pytest.raises(MledError, match=r"^data.bin: Git LFS does not give this. It gave other bytes than"):
        laid_out(server, commit(code), tmp_path / "no")
    assert not [one for one in (tmp_path / "worker").rglob("lfs/*") if one.is_file()]


@pytest.mark.once
def test_too_much_is_refused_before_any_of_it_is_fetched(server: GitServer, tmp_path: Path):
    code = served(tmp_path, "code")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    with pytest.raises(TooLarge, match="With its files of Git LFS this commit has more than"):
        laid_out(server, commit(code), tmp_path / "no", at_most=len(BYTES))
    assert server.lfs.batches == []


@pytest.mark.once
def test_where_the_files_lie_is_as_lfsconfig_says_but_the_credential_stays_at_home(
    server: GitServer, tmp_path: Path, settings
):
    settings.MLED_JOB_NETWORKS = ["127.0.0.0/8"]
    code = served(tmp_path, "code")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    said = f"[lfs]\n\turl = {server.address('other/info/lfs')}\n"
    laid_out(server, commit(code, __lfsconfig=said), tmp_path / "one")
    assert "/other/info/lfs/objects/batch" in [path for path, _ in server.asked]
    (code / "more.bin").write_text(server.lfs.keep(b"more"))
    with object_store(server.lfs) as store:
        elsewhere = commit(code, __lfsconfig=f"[lfs]\n\turl = {store.address}/x/info/lfs\n")
        with pytest.raises(Unavailable, match="It answers 501"):  # that one takes no POST
            laid_out(server, elsewhere, tmp_path / "no")
    for url, words in (
        ("ssh://git@example.org/x", "fetched over https or http"),
        (f"https://ada:{WORD}@example.org/x", "neither user nor password"),
    ):
        wrong = commit(code, __lfsconfig=f"[lfs]\n\turl = {url}\n")
        with pytest.raises(Invalid, match=words) as told:
            laid_out(server, wrong, tmp_path / url[:5])
        assert WORD not in str(told.value)


@pytest.mark.once
def test_what_the_operator_keeps_for_git_opens_it_where_no_secret_is_named(
    server: GitServer, tmp_path: Path, monkeypatch
):
    code = served(tmp_path, "code")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    first = commit(code)
    home = tmp_path / "operator"
    home.mkdir()
    kept = home / "kept"
    (home / ".gitconfig").write_text(f"[credential]\n\thelper = store --file={shlex.quote(str(kept))}\n")
    kept.write_text(server.address("").replace("http://", f"http://{USER}:{WORD}@") + "\n")
    monkeypatch.setenv("HOME", str(home))
    laid = lay_out_commit(server.address("code"), first, tmp_path / "one", at_most=MB, told=quiet)
    fetch_kept_elsewhere(laid, tmp_path / "one", at_most=MB, told=quiet)
    assert (tmp_path / "one" / "data.bin").read_bytes() == BYTES
    laid = lay_out_commit(server.address("code"), first, tmp_path / "two", at_most=MB, told=quiet)
    (laid.repositories[0].mirror / "lfs" / hashlib.sha256(BYTES).hexdigest()).unlink()
    kept.unlink()
    with pytest.raises(Unavailable, match=r"It answers 401.*A secret of the project can open it"):
        fetch_kept_elsewhere(laid, tmp_path / "two", at_most=MB, told=quiet)


@pytest.mark.once
def test_files_of_submodules_come_from_the_servers_of_these(server: GitServer, tmp_path: Path):
    library = served(tmp_path, "library")
    (library / "weights.bin").write_text(server.lfs.keep(b"weights"))
    commit(library)
    code = served(tmp_path, "code")
    git(code, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(library), "lib")
    git(code, "config", "--file", ".gitmodules", "submodule.lib.url", "../library")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    folder = laid_out(server, commit(code), tmp_path / "laid")
    assert (folder / "lib" / "weights.bin").read_bytes() == b"weights"
    assert (folder / "data.bin").read_bytes() == BYTES
    doors = {path.partition("/info/lfs")[0] for path, _ in server.asked if "/info/lfs" in path}
    assert doors == {"/code.git", "/library.git"}


@pytest.mark.once
def test_whoever_gives_up_waits_for_no_bytes(server: GitServer, tmp_path: Path):
    """A job that is stopped meanwhile."""

    class StoppedMeanwhile(Exception):
        pass

    def told(stage: str) -> None:
        if stage.startswith("Fetching files"):
            raise StoppedMeanwhile

    code = served(tmp_path, "code")
    (code / "data.bin").write_text(server.lfs.keep(BYTES))
    with pytest.raises(StoppedMeanwhile):
        laid_out(server, commit(code), tmp_path / "no", told=told)


@pytest.mark.once
def test_what_begins_like_a_pointer_and_is_none_is_named(server: GitServer, tmp_path: Path):
    code = served(tmp_path, "code")
    first = commit(code, data__bin="version https://git-lfs.github.com/spec/v1\next-0-x sha256:1\nsize 3\n")
    with pytest.raises(Invalid, match=r"^data.bin cannot be read as a pointer of Git LFS"):
        laid_out(server, first, tmp_path / "no")


@pytest.mark.django_db
def test_a_job_is_given_its_files_of_lfs_notebooks_and_what_a_patch_names_among_them(server: GitServer, tmp_path: Path):
    team = a_team()
    keep_secret(team.engineer, team.project, name="GIT_TOKEN", value=f"{USER}:{WORD}")
    code = served(tmp_path, "code")
    notebook = b'{"cells": [{"cell_type": "code", "source": "print(len(open(\'data.bin\').read()))"}], "nbformat": 4}'
    (code / "show.ipynb").write_text(server.lfs.keep(notebook))
    (code / "data.bin").write_text(server.lfs.keep(b"as committed"))
    first = commit(code, __gitattributes="*.bin filter=lfs diff=lfs merge=lfs -text\n")
    (code / "data.bin").write_text(server.lfs.keep(b"changed since"))
    patch = content(git(code, "diff").encode() + b"\n").digest
    draft = a_draft(
        repository=server.address("code"), repository_secret="GIT_TOKEN", commit=first, patch=patch,
        words=("python", "show.ipynb"), params={}, seed=None,
    )  # fmt: skip
    job = a_job(team.engineer, default_experiment(team.project), draft=draft)
    workplace = prepared(job, tmp_path / "job")
    assert (workplace.code.folder / "data.bin").read_bytes() == b"changed since"
    assert executed(workplace.order(door=None, secrets={}, address="http://127.0.0.1:1", token="t")).code == 0
    assert workplace.stdout.read_text() == "13\n"
    workplace.clear()


@pytest.mark.django_db
def test_a_job_never_starts_on_pointers(server: GitServer, tmp_path: Path):
    team = a_team()
    keep_secret(team.engineer, team.project, name="GIT_TOKEN", value=f"{USER}:{WORD}")
    code = served(tmp_path, "code")
    for number in range(7):
        (code / f"data{number}.bin").write_text(server.lfs.keep(f"{number}".encode()))
    server.lfs.objects.clear()
    first = commit(code, train__py="print(1)\n")
    asked = {"url": server.address("code"), "commit": first, "secret": "GIT_TOKEN"}
    draft = checked(team.engineer, team.project, {"repository": asked, "command": "python train.py"})
    job = a_job(team.engineer, default_experiment(team.project), draft=draft)
    words = r"data0.bin, data1.bin, .* and 2 more: Git LFS does not give this. It says: Object does not exist"
    with pytest.raises(Invalid, match=words):
        prepared(job, tmp_path / "job")
    by_file = a_draft(repository=f"file://{code}", commit=first, words=("true",), params={})
    elsewhere = a_job(team.engineer, default_experiment(team.project), draft=by_file)
    with pytest.raises(Invalid, match="Name the repository by its https address"):
        lay_out(elsewhere.recipe, tmp_path / "x", told=quiet)
    uploaded = {"data.bin": (code / "data0.bin").read_text(), "train.py": "print(1)\n"}
    with pytest.raises(Invalid, match=r"^data.bin is kept in Git LFS and is not fetched: only a pointer is there"):
        prepared(an_uploaded_job(team.engineer, team.project, uploaded, "python", "train.py"), tmp_path / "job2")
