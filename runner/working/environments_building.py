"""Building environments with uv. Wheels are only unpacked; what executes code of others is done in the sandbox."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from kernel.errors import Invalid, Unavailable
from runner.models import Environment, Job
from runner.packages import Packages
from runner.recipes import Resources
from runner.working.environments_index import (
    has_own_index,
    index_variables,
    local_folders,
    networks_of_indexes,
    operators_settings,
    passwords_for_others,
)
from runner.working.workplace_folders import cache_folder, cleared, made

SECONDS: Final = 45 * 60.0
OWN: Final = ("tmp", "user", "cache")  # folders of a build in the sandbox
FROM: Final = "from"  # the folder of what says which packages
LAST_LINES: Final = 12
LAST_CHARACTERS: Final = 2000
LIMITS: Final = Resources(cpus=2, memory_mb=8192, disk_mb=40_960, seconds=int(SECONDS), processes=1024)
_LOOK: Final = 0.25  # seconds
_PASSED_ON: Final = (
    *("PATH", "HOME", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"),
    *("NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"),
)
# Of what is given, what makes uv call git, which would be told by whoever wrote it where to go.
_BY_GIT: Final = (b"git+", b"git = ", b'git="')

Told = Callable[[str], None]


class Failed(Exception):
    """uv could not do it. said: all that it printed."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of this machine. version: as in 3.11.7; readable: what has to be seen to run it."""

    path: Path
    version: str
    readable: Sequence[Path]


def interpreter_for(version: str, *, told: Told) -> Interpreter:
    """The one that runs this, where its version fits; else one that uv finds or fetches. version: '3.11', '' for any.

    Raises Unavailable.
    """
    here = ".".join(str(part) for part in sys.version_info[:3])
    if not version or f"{here}.".startswith(f"{version}."):
        return _seen(Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable))), here)
    find = ["python", "find", "--no-project", "--resolve-links", version]
    told(f"Looking for Python {version}")
    try:
        found = _uv(find, told)
    except Failed:
        told(f"Fetching Python {version}")
        try:
            _uv(["python", "install", "--no-bin", version], told)
            found = _uv(find, told)
        except Failed as failed:
            raise Unavailable(
                f"The worker has no Python {version}: {last_words(failed.said)}",
                hint=f"Install it there, or use Python {here.rpartition('.')[0]}.",
            ) from failed
    path = Path(found.strip().splitlines()[-1])
    exact = _said([str(path), "-I", "-S", "-c", "import platform; print(platform.python_version())"])
    return _seen(path, exact or version)


def _seen(path: Path, version: str) -> Interpreter:
    base = path.parent.parent
    return Interpreter(path, version, [] if base == Path("/usr") else [base])


def build(packages: Packages | None, interpreter: Interpreter, venv: Path, *, name: str, told: Told) -> None:
    """Make the virtual environment. name: of the job that needs it. Raises Invalid in uv's last words, Unavailable."""
    try:
        _begin(interpreter, venv, told)
        if packages is not None:
            _install(packages, interpreter, venv, name, told)
    except Failed as failed:
        raise Invalid(
            f"The environment cannot be built: {last_words(failed.said)}",
            hint="Correct the packages, or let uv make a lock of them: uv pip compile requirements.in",
            field="environment",
        ) from failed


def _begin(interpreter: Interpreter, venv: Path, told: Told) -> None:
    _uv(["venv", "--quiet", "--clear", "--no-project", "--python", str(interpreter.path), str(venv)], told)


def _install(packages: Packages, interpreter: Interpreter, venv: Path, name: str, told: Told) -> None:
    folder = made(venv.parent / FROM, 0o755)
    needs_git = any(word in packages.lock + packages.project_file for word in _BY_GIT)
    try:
        if needs_git:
            raise Failed("It needs git to build.")
        told("Installing packages")
        _each_way(packages, folder, venv, lambda words: _unpacked(words, packages, folder, venv, told))
        compiled = [str(interpreter.path), "-I", "-S", "-m", "compileall", "-q", str(venv / "lib")]
        _run(compiled, {"PATH": os.defpath}, told)
    except Failed as failed:
        if "build" not in failed.said.lower():
            raise
        told("Building packages")
        cleared(venv)  # files of it have second names in the shared cache, which a build could write to
        _begin(interpreter, venv, told)
        _each_way(packages, folder, venv, lambda words: _in_sandbox(words, interpreter, venv, name, told))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _each_way(packages: Packages, folder: Path, venv: Path, do: Callable[[Sequence[str]], object]) -> None:
    """By the lock as it stands; where the operator has an index of their own, from there first, by its hashes."""
    if packages.kind == Environment.Kind.REQUIREMENTS:
        (folder / "requirements.txt").write_bytes(packages.lock)
        do(_by_list(folder, venv))
        return
    (folder / "uv.lock").write_bytes(packages.lock)
    (folder / "pyproject.toml").write_bytes(packages.project_file)
    if has_own_index():
        try:
            words = ["export", "--quiet", "--frozen", "--no-emit-local", "--output-file", "requirements.txt"]
            _uv(words, lambda stage: None, at=folder, more=_guarded(packages, venv))
            do(_by_list(folder, venv))
        except Failed:
            made(folder)
        else:
            return
    do(["sync", "--frozen", "--no-install-local", "--no-progress"])


def _unpacked(words: Sequence[str], packages: Packages, folder: Path, venv: Path, told: Told) -> None:
    """Install what is there as wheels. No code of others is executed, and uv goes only where jobs may, and where the
    operator's indexes are: addresses stand in files of others."""
    from runner.executors.outlet import Outlet

    networks = [*settings.MLED_JOB_NETWORKS, *networks_of_indexes(_operators())]
    with closing(Outlet(networks, 0, has_port=True)) as outlet:
        more = {**_guarded(packages, venv), **outlet.variables}
        _uv([*words, "--no-build"], told, at=folder, venv=venv, more=more)


def _guarded(packages: Packages, venv: Path) -> dict[str, str]:
    """What keeps uv from doing what the project says: it may not bring an interpreter, nor ask for passwords."""
    withheld = dict.fromkeys(passwords_for_others(os.environ, packages.project_file), "")
    python = {"UV_PYTHON": str(venv / "bin" / "python"), "UV_PYTHON_DOWNLOADS": "never"}
    return {**operators_settings(), **python, **withheld}


def _by_list(folder: Path, venv: Path) -> list[str]:
    there = ["--python", str(venv / "bin" / "python"), "--requirements", str(folder / "requirements.txt")]
    return ["pip", "install", "--no-progress", *there]


def _in_sandbox(words: Sequence[str], interpreter: Interpreter, venv: Path, name: str, told: Told) -> None:
    """What uv executes here belongs to others: it sees the environment that it makes, the network, and no cache."""
    from runner.executors import chosen
    from runner.executors.contract import Order

    place = venv.parent
    for folder in OWN:
        made(place / folder)
    variables = {**_operators(), **_for(venv), "HOME": str(place / "user"), "TMPDIR": str(place / "tmp")}
    order = Order(
        name=name,
        words=[str(_uv_program()), *words, "--compile-bytecode"],
        home=place,
        folder=place / FROM,
        stdout=place.with_suffix(".said"),
        stderr=place.with_suffix(".wrong"),
        variables={**variables, "UV_CACHE_DIR": str(place / "cache"), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        readable=[_uv_program(), *interpreter.readable, *local_folders(variables)],
        limits=LIMITS,
        has_network=True,
        networks=networks_of_indexes(variables),
    )
    executor = chosen()
    if lacks := executor.lacks():
        raise Unavailable(f"These packages have to be built, which is done in a sandbox. {lacks}")
    execution = executor.start(order)
    try:
        while (ended := execution.poll()) is None:
            told("")
            time.sleep(_LOOK)
        said = _text(order.stdout) + _text(order.stderr)
    except BaseException:
        execution.stop(Job.Cause.STOP, "The job that needs it was stopped.")
        while execution.poll() is None:
            time.sleep(_LOOK)
        raise
    finally:
        for folder in OWN:
            cleared(place / folder)
        for path in (order.stdout, order.stderr):
            path.unlink(missing_ok=True)
    if ended.cause != Job.Cause.EXIT or ended.code != 0:
        raise Failed(f"{said}\n{ended.why if ended.cause != Job.Cause.EXIT else ''}")


def _uv_program() -> Path:
    """uv: the one that came with MLED, else the system's. Raises Unavailable."""
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise Unavailable("There is no uv on the worker's machine.", hint="Install it there: pip install uv")
    return Path(found)


def _operators() -> dict[str, str]:
    """What the operator told uv by the variables of this process, and told pip by its files."""
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("UV_")}
    return {**kept, **index_variables()}


def _for(venv: Path | None) -> dict[str, str]:
    told = {"UV_PYTHON_INSTALL_DIR": str(cache_folder("python")), "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
    if venv is not None:
        told |= {"VIRTUAL_ENV": str(venv), "UV_PROJECT_ENVIRONMENT": str(venv)}
    return told


def _uv(
    words: Sequence[str],
    told: Told,
    *,
    at: Path | None = None,
    venv: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> str:
    """Ask uv; what it answers. more: variables, '' for none. Raises Failed, Unavailable."""
    own = {"UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(cache_folder("uv"))}
    variables = {**_operators(), **_for(venv), **own, **(more or {})}
    given = {name: value for name, value in variables.items() if value}
    return _run([str(_uv_program()), *words], given, told, at=at or cache_folder("environments"))


def forget_fetched() -> None:
    """Forget what uv keeps of packages; it waits for who is at it."""
    _uv(["cache", "clean", "--quiet"], lambda stage: None)


# The kernel keeps the wish over exec; it has to be made in the child, in which a process with threads runs no Python.
_DIE_WITH_PARENT: Final = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() == int(sys.argv[1]):
    os.execve(sys.argv[2], sys.argv[2:], os.environ)
"""


def _run(words: Sequence[str], variables: Mapping[str, str], told: Told, *, at: Path | None = None) -> str:
    """Run a program of ours to its end; all that it prints. Whatever ends the waiting ends it, kill -9 too: who builds
    the same anew must not meet one that goes on."""
    if sys.platform == "linux":
        words = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *words]
    with tempfile.TemporaryFile() as answer:
        process = subprocess.Popen(
            words, cwd=at, env=dict(variables), stdin=subprocess.DEVNULL, stdout=answer, stderr=subprocess.STDOUT,
            start_new_session=True, umask=0o022,
        )  # fmt: skip
        end = time.monotonic() + SECONDS
        try:
            while process.poll() is None and time.monotonic() < end:
                told("")
                time.sleep(_LOOK)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        answer.seek(0)
        said = answer.read().decode("utf-8", "replace")
    if process.returncode:
        raise Failed(said)
    return said


def _said(words: Sequence[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30, env={"PATH": os.defpath})
    return done.stdout.strip()


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 64 * 1024))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def last_words(said: str) -> str:
    """The last lines of what a program said, in which it tells what went wrong."""
    lines = [line.rstrip() for line in said.splitlines() if line.strip() and not line.startswith("Using ")]
    return "\n".join(lines[-LAST_LINES:])[-LAST_CHARACTERS:] or "uv said nothing."
