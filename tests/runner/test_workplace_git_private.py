"""Private repositories opened by a secret of the project, from a real git server; submodules."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.errors import Conflict, Invalid, TooLarge, Unavailable
from runner.actions.secrets import keep_secret, remove_secret
from runner.checking import checked
from runner.models import Recipe
from runner.working import code_git
from runner.working.code import lay_out
from runner.working.code_git import lay_out_bundle, lay_out_commit
from runner.working.code_submodules import beside
from runner.working.git_keys import GitKey, git_key
from tests.factories import a_team, default_experiment
from tests.factories_runner import a_draft, a_job
from tests.runner.test_workplace_git import MB, commit, git, kept, quiet
from tests.runner.workplaces import executed, prepared, tags_of
from tests.services.git_http import GitServer, git_server

USER, WORD = "robot", "geheim-7"


@pytest.fixture
def server(tmp_path: Path, settings) -> Iterator[GitServer]:
    settings.MLED_RUNNER_DATA = str(tmp_path / "worker")
    settings.MLED_GIT_WAYS = ["https", "ssh", "file", "http"]
    (tmp_path / "served").mkdir()
    with git_server(tmp_path / "served", user=USER, word=WORD) as told:
        yield told


def served(tmp_path: Path, name: str) -> Path:
    """A repository that the server has."""
    place = tmp_path / "served" / name
    place.mkdir()
    git(place, "init", "--quiet", "--initial-branch=main")
    git(place, "config", "uploadpack.allowAnySHA1InWant", "true")
    return place


def key_for(server: GitServer, value: str = f"{USER}:{WORD}", of: str = "project 1") -> GitKey:
    return git_key(server.address("code"), name="GIT_TOKEN", value=value, of=of)


@pytest.mark.once
def test_a_private_repository_is_opened_by_the_secret_that_is_named_and_by_no_other(
    server: GitServer, tmp_path: Path, monkeypatch
):
    first = commit(served(tmp_path, "code"), train__py="print(1)\n")
    home = tmp_path / "operator"
    home.mkdir()
    (home / ".gitconfig").write_text(f"[credential]\n\thelper = store --file={home}/kept\n")
    monkeypatch.setenv("HOME", str(home))
    address, told = server.address("code"), list[str]()
    with pytest.raises(Unavailable, match=r"cannot be fetched.*secret of the project"):
        lay_out_commit(address, first, tmp_path / "none", at_most=MB, told=quiet)
    with pytest.raises(Unavailable, match="does the secret 'GIT_TOKEN' open it") as wrong:
        lay_out_commit(address, first, tmp_path / "wrong", at_most=MB, told=quiet, key=key_for(server, "robot:falsch"))
    assert "falsch" not in str(wrong.value)
    lay_out_commit(address, first, tmp_path / "code", at_most=MB, told=told.append, key=key_for(server))
    assert (tmp_path / "code" / "train.py").read_text() == "print(1)\n"
    assert server.used == {"robot:falsch", f"{USER}:{WORD}"}
    assert not (home / "kept").exists(), "what the operator set up to keep credentials kept none"
    assert WORD not in " ".join(told)
    assert not [one for one in (tmp_path / "worker").rglob("*") if one.is_file() and WORD.encode() in one.read_bytes()]


@pytest.mark.once
def test_the_operators_netrc_is_not_tried_where_a_secret_is_named_and_their_configuration_stays(
    server: GitServer, tmp_path: Path, monkeypatch
):
    first = commit(served(tmp_path, "code"), train__py="print(1)\n")
    home = tmp_path / "operator"
    home.mkdir()
    (home / ".netrc").write_text("machine 127.0.0.1 login operator password theirs\n")
    (home / ".gitconfig").write_text(f'[url "{server.address("")}"]\n\tinsteadOf = {server.address("moved/")}\n')
    monkeypatch.setenv("HOME", str(home))
    with pytest.raises(Unavailable):
        lay_out_commit(server.address("code"), first, tmp_path / "none", at_most=MB, told=quiet)
    assert server.used == {"operator:theirs"}, "without a secret it is what the operator set up"
    server.asked.clear()
    lay_out_commit(server.address("moved/code"), first, tmp_path / "code", at_most=MB, told=quiet, key=key_for(server))
    assert (tmp_path / "code" / "train.py").read_text() == "print(1)\n"
    assert server.used == {f"{USER}:{WORD}"}


@pytest.mark.once
def test_a_repository_that_is_too_large_is_not_fetched_and_leaves_nothing(server: GitServer, tmp_path: Path, settings):
    place = served(tmp_path, "code")
    (place / "noise.bin").write_bytes(os.urandom(3 * MB))
    git(place, "add", "noise.bin")
    first = commit(place, train__py="print(1)\n")
    settings.MLED_GIT_MB = 1
    with pytest.raises(TooLarge, match=r"more than 1 MB.*MLED_GIT_MB"):
        lay_out_commit(server.address("code"), first, tmp_path / "no", at_most=9 * MB, told=quiet, key=key_for(server))
    left = [one for one in (tmp_path / "worker").rglob("*") if one.is_file()]
    assert sum(one.stat().st_size for one in left) < MB
    settings.MLED_GIT_MB = 20
    lay_out_commit(server.address("code"), first, tmp_path / "code", at_most=9 * MB, told=quiet, key=key_for(server))
    assert (tmp_path / "code" / "noise.bin").stat().st_size == 3 * MB


@pytest.mark.once
def test_what_a_secret_opened_is_given_to_nobody_who_has_it_not(server: GitServer, tmp_path: Path):
    first = commit(served(tmp_path, "code"), train__py="print(1)\n")
    address = server.address("code")
    lay_out_commit(address, first, tmp_path / "one", at_most=MB, told=quiet, key=key_for(server))
    before = len(server.asked)
    lay_out_commit(address, first, tmp_path / "two", at_most=MB, told=quiet, key=key_for(server))
    assert len(server.asked) == before, "it was there already"
    for key in (None, key_for(server, "robot:falsch", of="project 2")):
        with pytest.raises(Unavailable):
            lay_out_commit(address, first, tmp_path / "no", at_most=MB, told=quiet, key=key)


@pytest.mark.once
def test_a_token_alone_goes_to_the_server_of_the_repository_and_to_no_other(tmp_path: Path, server: GitServer):
    first = commit(served(tmp_path, "code"), train__py="print(1)\n")
    key = key_for(server, "token-9")
    with pytest.raises(Unavailable):
        lay_out_commit(server.address("code"), first, tmp_path / "code", at_most=MB, told=quiet, key=key)
    assert server.used == {"x-token-auth:token-9"}
    (tmp_path / "elsewhere").mkdir()
    with git_server(tmp_path / "elsewhere", user=USER, word=WORD) as other:
        with pytest.raises(Unavailable):
            lay_out_commit(other.address("code"), first, tmp_path / "x", at_most=MB, told=quiet, key=key)
        assert other.used == set()


@pytest.mark.once
@pytest.mark.parametrize("value", [":word", "user:", "  ", "a\nb", "user:a\nb"])
def test_a_secret_that_opens_no_repository_says_so_without_its_value(value: str):
    with pytest.raises(Invalid, match="is nothing that opens a repository") as told:
        git_key("https://git.example.org/x", name="GIT_TOKEN", value=value, of="1")
    assert "word" not in told.value.message


@pytest.mark.once
def test_submodules_come_at_the_commits_that_are_recorded(server: GitServer, tmp_path: Path, monkeypatch):
    """Relative to the repository and by address, within each other, and on another server without the credential."""
    deepest = served(tmp_path, "deepest")
    commit(deepest, mark__txt="as recorded\n")
    library = served(tmp_path, "library")
    git(library, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(deepest), "deep")
    git(library, "config", "--file", ".gitmodules", "submodule.deep.url", "../deepest")
    commit(library, lib__py="LIBRARY = 1\n")
    open_one = tmp_path / "open"
    open_one.mkdir()
    git(open_one, "init", "--quiet", "--initial-branch=main")
    commit(open_one, open__py="OPEN = 1\n")
    code = served(tmp_path, "code")
    for name, place in (("libs/one", library), ("open one", open_one)):
        git(code, "-c", "protocol.file.allow=always", "submodule", "add", "--quiet", str(place), name)
    git(code, "config", "--file", ".gitmodules", "submodule.libs/one.url", server.address("library"))
    git(code, "config", "--file", ".gitmodules", "submodule.open one.url", f"file://{open_one}")
    first = commit(code, train__py="print(1)\n")
    commit(deepest, mark__txt="later\n")
    commit(library, lib__py="LIBRARY = 2\n")
    folder = tmp_path / "laid"
    laid = lay_out_commit(server.address("code"), first, folder, at_most=MB, told=quiet, key=key_for(server))
    size = laid.size_bytes
    assert {one.folder for one in laid.repositories} == {
        folder, folder / "libs/one", folder / "libs/one/deep", folder / "open one"
    }  # fmt: skip
    assert (folder / "libs/one/lib.py").read_text() == "LIBRARY = 1\n"
    assert (folder / "libs/one/deep/mark.txt").read_text() == "as recorded\n"
    assert (folder / "open one/open.py").read_text() == "OPEN = 1\n"
    assert not list(folder.rglob(".git"))
    assert size == sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    with pytest.raises(TooLarge, match=r"^Submodule libs/one: Submodule deep: "):
        lay_out_commit(
            server.address("code"), first, tmp_path / "x", at_most=size - 20, told=quiet, key=key_for(server)
        )
    monkeypatch.setattr(code_git, "IN_ALL_MAX", 2)
    with pytest.raises(Invalid, match="more than 2 submodules"):
        lay_out_commit(server.address("code"), first, tmp_path / "y", at_most=MB, told=quiet, key=key_for(server))


@pytest.mark.once
@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ("", "does not say where the submodule 'lib' is from"),
        (
            '[submodule "lib"]\n\tpath = lib\n\turl = ext::sh -c touch% /tmp/never\n',
            "address of the submodule 'lib' cannot be used. This is no address",
        ),
        ('[submodule "lib"]\n\tpath = lib\n\turl = https://ada:word@example.org/x\n', "user name or a password"),
        ('[submodule "lib"]\n\tpath = lib\n\turl = ../../../../../../../../../../../x\n', "leads out of the server"),
        ('[submodule "lib"]\n\tpath = lib\n\turl = ../nothing\n', "Submodule lib: The repository cannot be fetched"),
    ],
)
def test_a_submodule_that_cannot_be_had_is_named(server: GitServer, tmp_path: Path, listed: str, words: str):
    code = served(tmp_path, "code")
    git(code, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib")
    (code / "lib").mkdir()
    (code / ".gitmodules").write_text(listed)
    git(code, "add", ".gitmodules")
    git(code, "commit", "--quiet", "--message", "work")
    first = git(code, "rev-parse", "HEAD")
    with pytest.raises((Invalid, Unavailable), match=words):
        lay_out_commit(server.address("code"), first, tmp_path / "x", at_most=MB, told=quiet, key=key_for(server))
    git(code, "bundle", "create", "--quiet", str(tmp_path / "b"), "HEAD", "main")
    with pytest.raises(Invalid, match="holds no submodules, and this commit has lib"):
        lay_out_bundle(kept((tmp_path / "b").read_bytes()), first, tmp_path / "job" / "y", at_most=MB, told=quiet)


@pytest.mark.once
@pytest.mark.parametrize(
    ("address", "said", "whole"),
    [
        ("https://example.org/team/code.git", "../lib.git", "https://example.org/team/lib.git"),
        ("https://example.org/team/code.git/", "./lib", "https://example.org/team/code.git/lib"),
        ("git@example.org:team/code.git", "../../other/lib.git", "git@example.org:other/lib.git"),
        ("ssh://git@example.org:22/team/code", "../lib", "ssh://git@example.org:22/team/lib"),
    ],
)
def test_addresses_of_submodules_are_relative_to_that_of_the_repository(address: str, said: str, whole: str):
    assert beside(address, said) == whole


@pytest.mark.django_db
def test_a_job_of_a_private_repository_names_the_secret_and_is_not_given_it(server: GitServer, tmp_path: Path):
    team = a_team()
    first = commit(served(tmp_path, "code"), show__py="import os\nprint(sorted(os.environ))\n")
    keep_secret(team.engineer, team.project, name="GIT_TOKEN", value=f"{USER}:{WORD}")
    asked = {"url": server.address("code"), "commit": first, "secret": "GIT_TOKEN"}
    wanted = {"repository": asked, "command": "python show.py"}
    draft = checked(team.engineer, team.project, wanted)
    job = a_job(team.engineer, default_experiment(team.project), draft=draft)
    workplace = prepared(job, tmp_path / "job")
    order = workplace.order(door=None, secrets={}, address="http://127.0.0.1:1", token="t")
    assert executed(order).code == 0
    workplace.record(team.engineer)
    assert "GIT_TOKEN" not in workplace.stdout.read_text()
    assert "MLED_GIT_WORD" not in workplace.stdout.read_text()
    everything = " ".join(f"{key}={value}" for key, value in tags_of(job).items())
    assert tags_of(job)["mlflow.source.git.commit"] == first
    assert server.address("code") in everything
    assert WORD not in everything
    workplace.clear()
    remove_secret(team.engineer, team.project, name="GIT_TOKEN")
    with pytest.raises(Conflict, match="'GIT_TOKEN' is not kept"):
        lay_out(job.recipe, tmp_path / "again", told=quiet)
    with pytest.raises(Invalid, match="keeps no secret 'GIT_TOKEN'") as wrong:
        checked(team.engineer, team.project, wanted)
    assert wrong.value.field == "repository.secret"


@pytest.mark.django_db
def test_what_is_asked_of_a_repository_is_refused_in_words():
    team = a_team()
    keep_secret(team.engineer, team.project, name="GIT_TOKEN", value="x")
    for url, words in (
        ("https://ada:word@example.org/x.git", "holds a password or token"),
        ("https://token@example.org/x.git", "holds a password or token"),
        ("git@example.org:team/x.git", "A secret opens addresses of https"),
    ):
        asked = {"url": url, "commit": "1" * 40, "secret": "GIT_TOKEN"}
        with pytest.raises(Invalid, match=words) as told:
            checked(team.engineer, team.project, {"repository": asked, "command": "true"})
        assert "word@" not in str(told.value)


@pytest.mark.django_db
def test_recipes_without_a_secret_have_the_digest_that_they_had_and_one_with_it_another():
    team = a_team()
    experiment = default_experiment(team.project)
    without, with_it = (
        a_job(team.engineer, experiment, draft=a_draft(repository_secret=name)).recipe for name in ("", "GIT_TOKEN")
    )
    assert without.digest != with_it.digest
    assert Recipe.objects.get(pk=with_it.pk).repository_secret == "GIT_TOKEN"
