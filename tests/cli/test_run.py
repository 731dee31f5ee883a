"""mled run: a command is done as if it had been called itself, and everything about it is recorded."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from mled import Client
from mled.capture.code import code_in
from mled.capture.console import Tee
from mled.capture.doing import files_in
from mled.capture.machine import this_machine
from mled.capture.packages import interpreter_of, locks_above, packages_of
from mled.capture.secrecy import Hiding, address_without_passwords, is_secret_file, masked, without_passwords
from mled.capture.usage import Curves, Meter
from mled.problems import Problem, Usage

SCRIPT = """
import os, pathlib, sys
import mlflow
with mlflow.start_run():
    mlflow.log_param("lr", 0.1)
    mlflow.log_metric("loss", 0.25, step=1)
print("trained")
print("careful", file=sys.stderr)
pathlib.Path("out").mkdir(exist_ok=True)
pathlib.Path("out/weights.bin").write_bytes(b"w" * 10)
sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
"""


def git(folder: Path, *words: str) -> str:
    named = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.check_output(["git", *named, *words], cwd=folder, text=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clean repository with a script, a lock file and a remote that somebody wrote a password into."""
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "remote", "add", "origin", "https://ada:secret@git.example.org/team/work.git")
    (folder / "train.py").write_text(SCRIPT)
    (folder / "uv.lock").write_text("version = 1\n")
    (folder / ".gitignore").write_text("ignored\nout/\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


# --- What is captured


@pytest.mark.once
def test_the_code_is_told_with_a_patch_of_all_that_is_not_committed(repository: Path, tmp_path: Path) -> None:
    clean = code_in(repository)
    assert clean.tags() == {
        "mlflow.source.git.commit": git(repository, "rev-parse", "HEAD").strip(),
        "mlflow.source.git.branch": "main",
        "mlflow.source.git.repoURL": "https://git.example.org/team/work.git",
        "mlflow.source.git.dirty": "false",
    }
    assert (clean.patch, clean.left_out) == (b"", ())
    (repository / "train.py").write_text("print('new')\n")
    (repository / "ünder wegs.py").write_text("x = 1\n")
    (repository / "bytes.bin").write_bytes(bytes(range(256)))
    (repository / "ignored").write_text("no")
    (repository / "data.bin").write_bytes(b"0" * 2_000_000)
    (repository / ".env").write_text("API_KEY=k3y")
    dirty = code_in(repository / "")
    assert dirty.is_dirty
    assert set(dirty.left_out) == {"data.bin", ".env"}
    assert b"ignored" not in dirty.patch
    assert b"k3y" not in dirty.patch
    git(tmp_path, "clone", "-q", str(repository), "again")
    (tmp_path / "changes.patch").write_bytes(dirty.patch)
    git(tmp_path / "again", "apply", "../changes.patch")
    for name in ("train.py", "ünder wegs.py", "bytes.bin"):
        assert (tmp_path / "again" / name).read_bytes() == (repository / name).read_bytes()


@pytest.mark.once
def test_outside_of_a_repository_there_is_no_code_and_secrets_of_addresses_never_leave(tmp_path: Path) -> None:
    assert code_in(tmp_path).tags() == {}
    for address, told in {
        "https://a:b@git.example.org/x": "https://git.example.org/x",
        "https://a:p@ss@git.example.org/x": "https://git.example.org/x",
        "ssh://git:pw@git.example.org/x": "ssh://git@git.example.org/x",
        "ssh://git@git.example.org/x": "ssh://git@git.example.org/x",
        "git@git.example.org:x": "git@git.example.org:x",
    }.items():
        assert address_without_passwords(address) == told
    lines = b"--extra-index-url https://u:t@pypi.example.org/simple\nnumpy==2.0  # a@b\n"
    assert without_passwords(lines) == b"--extra-index-url https://pypi.example.org/simple\nnumpy==2.0  # a@b\n"


@pytest.mark.once
def test_packages_are_those_of_the_interpreter_that_runs(repository: Path, tmp_path: Path) -> None:
    told = packages_of([sys.executable, "train.py"], repository)
    assert told.python == platform.python_version()
    assert any(line.startswith("mlflow-skinny==") for line in told.installed)
    assert [path.name for path in told.locks] == ["uv.lock"]
    script = tmp_path / "tool"
    script.write_text(f"#!{sys.executable} -E\n")
    script.chmod(0o755)
    assert interpreter_of([str(script)]) == sys.executable
    assert interpreter_of(["sh", "-c", "true"]) == interpreter_of(["no-such-program"]) == ""
    below = repository / "deep" / "er"
    below.mkdir(parents=True)
    assert [path.parent for path in locks_above(below)] == [repository]
    assert packages_of(["sh"], tmp_path).installed == ()


@pytest.mark.once
def test_the_machine_is_told_in_one_line() -> None:
    machine = this_machine()
    assert machine.hardware.startswith(f"{machine.processor}, {machine.cores} core")
    assert set(machine.tags()) == {"mled.host", "mled.os", "mled.hardware"}


@pytest.mark.once
def test_the_meter_counts_the_whole_family_and_its_curves_lose_no_point_that_could_not_be_sent() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; x = bytearray(50_000_000); time.sleep(60)"])
    try:
        meter = Meter(os.getpid())
        assert child.pid in meter.family()
        sample = meter.read()
        if platform.system() == "Linux":
            assert sample["system/process_memory_megabytes"] > 1
            assert 0 < sample["system/system_memory_usage_percentage"] < 100
        sent: list[dict[str, object]] = []
        away = [True]

        def send(points: list[dict[str, object]]) -> None:
            if away:
                away.clear()
                raise Problem("The server is away.")
            sent.extend(points)

        curves = Curves(meter, send, every=3600)
        curves._look()
        curves._look()
        assert {point["step"] for point in sent} == {0, 1}
        assert len(sent) == len({(point["key"], point["step"]) for point in sent})
    finally:
        child.kill()
        child.wait()


@pytest.mark.once
def test_of_a_long_stream_beginning_and_end_are_kept(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with open(tmp_path / "onward", "wb") as onward:
        tee = Tee(os.fdopen(reader, "rb"), onward, tmp_path / "kept", kept_max=2000)
        tee.start()
        with os.fdopen(writer, "wb") as source:
            for number in range(1000):
                source.write(f"{number:04}\n".encode())
        kept = tee.finish().read_text()
    assert (tmp_path / "onward").stat().st_size == 5000
    assert kept.startswith("0000\n0001\n")
    assert kept.endswith("0998\n0999\n")
    assert "bytes left out here]" in kept
    left_out = int(kept.split("[")[1].split(" ")[0].replace(",", ""))
    assert left_out + len(kept.replace(f"\n[{left_out:,} bytes left out here]\n", "")) == 5000


@pytest.mark.once
def test_secrets_are_known_by_the_names_of_files_and_options() -> None:
    for name in (".env", "deploy/.env.local", "id_rsa", "server.pem", "aws-credentials.json", ".netrc", "secrets.yaml"):
        assert is_secret_file(name), name
    for name in (".env.example", "keyboard.py", "tokens.md", "train.py", "uv.lock", "secrets.py"):
        assert not is_secret_file(name), name
    words = [
        "curl",
        "--api-key",
        "sk-1",
        "--token=t",
        "HF_TOKEN=x",
        "--lr",
        "0.1",
        "https://u:p@h/x",
        "--secret",
        "--b",
    ]
    assert masked(words) == [
        "curl", "--api-key", "***", "--token=***", "HF_TOKEN=***", "--lr", "0.1", "https://h/x", "--secret", "--b",
    ]  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("cut", range(1, 24))
def test_a_token_is_not_kept_wherever_a_stream_is_cut(cut: int) -> None:
    hiding = Hiding([b"mled_geheim"])
    whole = b"x mled_geheim y mled_geheim"
    kept = hiding.pass_on(whole[:cut]) + hiding.pass_on(whole[cut:]) + hiding.rest()
    assert kept == b"x *** y ***"


@pytest.mark.once
def test_what_is_left_behind_is_named_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / "a.txt").write_text("a")
    (tmp_path / "one.txt").write_text("b")
    found = dict(files_in(["out", str(tmp_path / "one.txt")], tmp_path))
    assert set(found) == {"outputs/out/deep/a.txt", "outputs/one.txt"}
    for number in range(1001):
        (tmp_path / "out" / str(number)).write_text("")
    with pytest.raises(Usage, match="More than 1,000 files"):
        list(files_in(["out"], tmp_path))


# --- The command against a server


def test_a_script_with_mlflow_writes_into_the_run_that_holds_everything_else(mled, repository, monkeypatch) -> None:
    monkeypatch.chdir(repository)
    (repository / "train.py").write_text(SCRIPT + "# changed\n")
    done = mled(
        "run", "--experiment", "captured", "--name", "svm", "--param", "C=10", "--output", "out", "--every", "0.2",
        "--", sys.executable, "train.py",
    )  # fmt: skip
    assert (done.code, done.out.splitlines()[-1]) == (0, "trained"), done.err
    assert "careful\n" in done.err
    (found,) = mled("runs", "--json", "metrics.loss < 1 and experiment = 'captured'").json
    shown = mled("show", "--json", found["id"]).json
    assert (shown["name"], shown["status"], shown["experiment_name"]) == ("svm", "FINISHED", "captured")
    params = (
        {one["key"]: one["value"] for one in shown["params"]} if isinstance(shown["params"], list) else shown["params"]
    )
    tags = {one["key"]: one["value"] for one in shown["tags"]} if isinstance(shown["tags"], list) else shown["tags"]
    assert params == {"C": "10", "lr": "0.1"}
    assert tags["mlflow.source.git.dirty"] == "true"
    assert tags["mlflow.source.name"].endswith(" train.py")
    assert tags["mled.exit_code"] == "0"
    assert tags["mled.python"] == platform.python_version()
    assert "secret" not in str(shown)
    with Client() as client:
        files = {file["path"] for file in client.files(found["id"])}
        conditions = client.connection.get(f"runs/{found['id']}/conditions/")
    assert {
        "code/changes.patch", "environment/uv.lock", "environment/installed/requirements.txt", "console/stdout.log",
        "console/stderr.log", "outputs/out/weights.bin",
    } <= files  # fmt: skip
    missing = {one["name"] for one in conditions["conditions"] if not one["found"]}
    assert missing == {"Data", "Seed", "Container", "Determinism"}


def test_the_exit_code_is_the_commands_own_and_a_failure_is_recorded_as_one(mled, repository, monkeypatch) -> None:
    monkeypatch.chdir(repository)
    done = mled("run", "--experiment", "failing", "--", sys.executable, "-c", "import sys; sys.exit(3)")
    assert done.code == 3
    (found,) = mled("runs", "--json", "experiment = 'failing'").json
    assert found["status"] == "FAILED"
    stopped = mled("run", "--experiment", "stopped", "--", "sh", "-c", "kill -TERM $$")
    assert stopped.code == 128 + 15
    (found,) = mled("runs", "--json", "experiment = 'stopped'").json
    assert found["status"] == "KILLED"


def test_what_cannot_begin_is_told_and_does_not_stand_as_running(mled, repository, monkeypatch) -> None:
    monkeypatch.chdir(repository)
    before = len(mled("runs", "--json").json)
    done = mled("run", "--experiment", "never", "--", "no-such-program")
    assert done.code == 2
    assert "'no-such-program' cannot be started" in done.err
    unknown = mled("run", "--dataset", "nowhere v1", "--", "true")
    assert unknown.code == 3
    assert "There is no dataset 'nowhere'" in unknown.err
    assert mled("run", "--dataset", "nowhere", "--", "true").code == 2
    assert mled("run").code == 2
    assert len(mled("runs", "--json").json) == before


def test_ones_token_and_what_one_says_not_to_keep_are_not_kept(mled, shell_team, repository, monkeypatch) -> None:
    monkeypatch.chdir(repository)
    (repository / "train.py").write_text("import os; print(os.environ['MLFLOW_TRACKING_TOKEN'])\n")
    assert mled("run", "--name", "leaky", "--no-patch", "--", sys.executable, "train.py", "--token", "geheim").code == 0
    assert mled("run", "--name", "quiet", "--no-console", "--", sys.executable, "train.py").code == 0
    (leaky,), (quiet,) = (mled("runs", "--json", f"name = '{name}'").json for name in ("leaky", "quiet"))
    assert mled("show", "--json", leaky["id"]).json["tags"]["mlflow.source.name"].endswith("--token '***'")
    with Client() as client:
        client.fetch_file(leaky["id"], "console/stdout.log", repository / "out.log")
        files = [{file["path"] for file in client.files(run["id"])} for run in (leaky, quiet)]
    assert (repository / "out.log").read_text() == "***\n"
    assert "code/changes.patch" not in files[0]
    assert not {path for path in files[1] if path.startswith("console/")}


def test_a_command_that_is_broken_off_does_not_stand_as_running(mled, repository, monkeypatch) -> None:
    monkeypatch.chdir(repository)

    def broken_off(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mled.capture.doing.keep_facts", broken_off)
    assert mled("run", "--name", "interrupted", "--", "true").code == 130
    (found,) = mled("runs", "--json", "name = 'interrupted'").json
    assert found["status"] == "FAILED"


def test_a_reader_runs_nothing(mled, shell_team, repository, monkeypatch) -> None:
    monkeypatch.chdir(repository)
    monkeypatch.setenv("MLED_TOKEN", shell_team.reader)
    done = mled("run", "--", sys.executable, "-c", "open('done', 'w')")
    assert done.code == 4
    assert not (repository / "done").exists()


def test_one_line_in_a_script_captures_the_run_that_is_active(mled, shell_team, repository) -> None:
    script = textwrap.dedent(
        """
        import mlflow
        from mled.capture import capture
        mlflow.set_experiment("one line")
        with mlflow.start_run():
            capture(every=0.1)
            mlflow.log_metric("loss", 0.5)
        """
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2] / "cli"),
        "MLFLOW_TRACKING_URI": f"{shell_team.live.url}/mlflow/shell",
        "MLFLOW_TRACKING_TOKEN": shell_team.ada,
    }
    subprocess.run([sys.executable, "-c", script], cwd=repository, env=environment, check=True)
    (found,) = mled("runs", "--json", "experiment = 'one line'").json
    shown = str(mled("show", "--json", found["id"]).json)
    assert "https://git.example.org/team/work.git" in shown
    assert "system/process_memory_megabytes" in shown
