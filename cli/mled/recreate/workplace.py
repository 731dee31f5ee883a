"""A fresh folder with the code of a run as it was, and an environment with its packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mled.capture.packages import LOCKS, interpreter_of, locks_above
from mled.capture.record import INSTALLED, PATCH
from mled.client import Client
from mled.problems import Problem, Usage
from mled.recreate.plan import LOCK_FOLDER, Plan

AS_IS, LOCKED, INSTALLED_LIST = "as it is here", "from its lock file", "from the list of what was installed"
_REQUIREMENTS = tuple(name for name in LOCKS if name.startswith("requirements"))


@dataclass(frozen=True)
class Workplace:
    """Where it is done. bin: of its environment; None for the one that is here. packages: where they came from."""

    folder: Path
    bin: Path | None
    packages: str

    def command(self, words: Sequence[str]) -> list[str]:
        """The same command with the programs of this environment."""
        if self.bin is None or not words:
            return list(words)
        name = Path(words[0]).name
        program = "python" if interpreter_of([words[0]]) == shutil.which(words[0]) else name
        here = shutil.which(program, path=os.fspath(self.bin)) or shutil.which(name, path=os.fspath(self.bin))
        return [here or words[0], *words[1:]]

    def environment(self) -> dict[str, str]:
        """What makes programs that it starts find this environment as well."""
        if self.bin is None:
            return {}
        path = os.pathsep.join([os.fspath(self.bin), os.environ.get("PATH", "")])
        return {"PATH": path, "VIRTUAL_ENV": os.fspath(self.bin.parent)}


def prepared(client: Client, plan: Plan, into: Path, *, as_is: bool, told: Callable[[str], None]) -> Workplace:
    """Check the code out and install the packages. into: a new folder, or an empty one. Raises Problem, Usage."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Usage(f"{into} is not empty.", hint="Name a folder that is not there yet.", field="--into")
    into.mkdir(parents=True, exist_ok=True)
    code = into / "code"
    told(f"Fetching {plan.commit[:7]} of {plan.repository}.")
    _checked_out(plan, code)
    if plan.has_patch:
        client.fetch_file(plan.run["id"], PATCH, into / "changes.patch")
        told("Applying what was not committed.")
        _ran(["git", "apply", "--whitespace=nowarn", os.fspath(into / "changes.patch")], code, "The patch")
    folder = inside(code, plan.folder)
    if as_is:
        return Workplace(folder, None, AS_IS)
    return _with_packages(client, plan, into, folder, told)


def inside(code: Path, name: str) -> Path:
    """A folder of the code. Raises Problem for what is not there, or leads out of it: the record is others' words."""
    folder = (code / name).resolve()
    if not folder.is_relative_to(code.resolve()):
        raise Problem(
            f"The record names a folder outside of its code: {name}.", hint="Ask its author about mled.folder."
        )
    if not folder.is_dir():
        raise Problem(f"The code has no folder {name}.", hint="Its record names another repository.")
    return folder


def _checked_out(plan: Plan, code: Path) -> None:
    """One commit of a repository, fetched alone where the server of it allows that."""
    if plan.repository.startswith("-"):
        raise Problem(f"'{plan.repository}' is no address of a repository.", hint="Say where it is: --repository.")
    _ran(["git", "init", "--quiet", os.fspath(code)], code.parent, "git init")
    source = Path(plan.repository).resolve().as_uri() if Path(plan.repository).exists() else plan.repository
    _ran(["git", "config", "remote.origin.url", source], code, "git config")
    _ran(["git", "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"], code, "git config")
    try:
        _ran(["git", "fetch", "--quiet", "--depth", "1", "origin", plan.commit], code, "Fetching the commit")
    except Problem:
        _ran(["git", "fetch", "--quiet", "--tags", "origin"], code, f"Fetching {plan.repository}")
    _ran(["git", "-c", "advice.detachedHead=false", "checkout", "--quiet", plan.commit], code, "The commit")


def _with_packages(client: Client, plan: Plan, into: Path, folder: Path, told: Callable[[str], None]) -> Workplace:
    uv = shutil.which("uv")
    if uv is None:
        raise Problem(
            "uv, which installs the packages, is not there.",
            hint="Install it (https://docs.astral.sh/uv/), or use what is installed here: --as-is.",
        )
    place = into / "environment"
    python = ["--python", plan.python] if plan.python else []
    locks = plan.locks
    root = (into / "code").resolve()
    named = {path.name: path for path in locks_above(folder) if path.resolve().is_relative_to(root)}
    if "uv.lock" in locks and "uv.lock" in named:
        told("Installing packages from uv.lock.")
        _restored(client, plan, "uv.lock", named["uv.lock"])
        where = {"UV_PROJECT_ENVIRONMENT": os.fspath(place)}
        _ran([uv, "sync", "--quiet", "--frozen", *python], named["uv.lock"].parent, "uv sync", where)
        return Workplace(folder, place / "bin", LOCKED)
    _ran([uv, "venv", "--quiet", *python, os.fspath(place)], into, "uv venv")
    wanted = next((name for name in _REQUIREMENTS if name in locks), "")
    listed = INSTALLED if INSTALLED in plan.files else f"{LOCK_FOLDER}{wanted}" if wanted else ""
    if listed:
        told(f"Installing packages of {listed}.")
        client.fetch_file(plan.run["id"], listed, into / "requirements.txt")
        install = [uv, "pip", "install", "--quiet", "--python", os.fspath(place / "bin" / "python")]
        exactly = ["--no-deps"] if listed == INSTALLED else []
        _ran([*install, *exactly, "-r", os.fspath(into / "requirements.txt")], into, "uv pip install")
    return Workplace(folder, place / "bin", INSTALLED_LIST if listed == INSTALLED else LOCKED)


def _restored(client: Client, plan: Plan, name: str, path: Path) -> None:
    """The lock as the run kept it, whatever the checkout holds."""
    client.fetch_file(plan.run["id"], f"{LOCK_FOLDER}{name}", path)


def _ran(command: Sequence[str], folder: Path, what: str, more: dict[str, str] | None = None) -> None:
    """Run a program. Raises Problem with the last lines that it said."""
    safe = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file"}
    environment = {**os.environ, **safe, **(more or {})}
    environment.pop("VIRTUAL_ENV", None)
    try:
        done = subprocess.run(
            list(command), cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise Problem(f"{command[0]} cannot be started: {error.strerror}.") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
        raise Problem(f"{what} failed: {' '.join(said) or f'exit code {done.returncode}'}")
