"""Do the run of this bundle again, and compare what comes out. Needs Python 3.9 and uv, and git for a repository.

    python rerun.py                  # data verified, environment made, command run, metrics compared
    python rerun.py --prepare        # as far as the environment
    python rerun.py --verify         # only the data

Exit code 0: every metric is the same or within tolerance; 1: one is different, or the command failed; 2: something that
it needs is missing; 3: data or code of the bundle are not what they were. Nothing is sent anywhere: what the command
logs by MLflow's protocol is taken by this program and kept in the folder of the new run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.bundles.recorder import Recorder

SAME, DIFFERENT, MISSING, ALTERED = 0, 1, 2, 3
WITHIN = "MLED_BUNDLE_IMAGE"  # as the Dockerfile says
HERE = Path(__file__).resolve().parent


class Trouble(Exception):
    """It cannot be done, with the exit code that says why."""

    def __init__(self, words: str, code: int = MISSING) -> None:
        super().__init__(words)
        self.code = code


def main() -> int:
    """Do what is asked; the exit code."""
    asked = _arguments()
    bundle = json.loads((HERE / "bundle.json").read_text(encoding="utf-8"))
    try:
        verify(bundle)
        if asked.verify:
            return SAME
        into = Path(asked.into).resolve()
        prepared = prepare(bundle, into)
        if asked.prepare:
            say(f"Ready in {into}.")
            return SAME
        return run(bundle, into, *prepared)
    except Trouble as trouble:
        print(f"rerun: {trouble}", file=sys.stderr)
        return trouble.code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", default=str(HERE / "again"), help="folder of the new run (default: again)")
    parser.add_argument("--prepare", action="store_true", help="stop before the command")
    parser.add_argument("--verify", action="store_true", help="only look whether data and code are what they were")
    return parser.parse_args()


def say(words: str) -> None:
    """A line for whoever watches."""
    print(words, flush=True)


# --- What is there is what it was


def verify(bundle: Mapping[str, Any]) -> None:
    """Every file of the bundle, and every file of the data, by its digest."""
    for path, digest in bundle["files"].items():
        _check(HERE / path, digest, f"{path} of the bundle", "Unpack it again.")
    total = 0
    for one in bundle["data"]:
        folder = HERE / "data" / one["name"]
        wanted = {file["path"]: file["sha256"] for file in one["files"]}
        for path, digest in wanted.items():
            hint = f"Put it there: it belongs to {one['version']} (see README.md)."
            _check(folder / path, digest, f"data/{one['name']}/{path}", hint)
        there = (place for place in folder.rglob("*") if place.is_file()) if folder.is_dir() else ()
        strange = sorted({place.relative_to(folder).as_posix() for place in there} - set(wanted))
        if strange and wanted:
            raise Trouble(f"data/{one['name']}/{strange[0]} does not belong to {one['version']}.", ALTERED)
        total += len(wanted)
    say(f"Verified: {len(bundle['files'])} files of the bundle and {total} of data are what they were.")


def _check(place: Path, digest: str, what: str, hint: str) -> None:
    if not place.is_file():
        raise Trouble(f"{what} is not there. {hint}")
    found = hashlib.sha256()
    with place.open("rb") as reader:
        for piece in iter(lambda: reader.read(1024 * 1024), b""):
            found.update(piece)
    if found.hexdigest() != digest:
        raise Trouble(f"{what} is not what it was: sha256:{found.hexdigest()[:12]}, not {digest[:12]}.", ALTERED)


# --- A folder of its own, with the code and the packages


def prepare(bundle: Mapping[str, Any], into: Path) -> tuple[Path, Path]:
    """Code and environment in an empty folder; the folder where the command starts, and the programs' folder."""
    if into.exists() and any(into.iterdir()):
        raise Trouble(f"{into} is not empty. Name another folder: --into other")
    missing = [name for name in bundle["secrets"] if name not in os.environ]
    if missing:
        raise Trouble(f"It was given secrets, which are in no bundle. Set {' and '.join(missing)}.")
    uv = shutil.which("uv") or ""
    if not uv and bundle["environment"]["kind"] != "image":
        raise Trouble("uv, which installs the packages, is not there: https://docs.astral.sh/uv/")
    try:
        return _prepared(bundle, into, uv)
    except Trouble:
        for left in into.iterdir():  # it was empty, and what was begun would be in the way of the next attempt
            shutil.rmtree(left, ignore_errors=True)
        raise


def _prepared(bundle: Mapping[str, Any], into: Path, uv: str) -> tuple[Path, Path]:
    for name in ("out", "tmp", "user"):
        (into / name).mkdir(parents=True)
    code = into / "code"
    if bundle["repository"]:
        _check_out(bundle["repository"], code)
    else:
        shutil.copytree(HERE / "code", code)
    folder = (code / bundle["folder"]).resolve()
    if not folder.is_relative_to(code):
        raise Trouble(f"The bundle names a folder outside of its code: {bundle['folder']}.")
    return folder, _environment(bundle["environment"], into, uv)


def _check_out(repository: Mapping[str, Any], code: Path) -> None:
    commit = repository["commit"]
    source = str(HERE / repository["bundle"]) if repository["bundle"] else repository["url"]
    if source.startswith("-"):
        raise Trouble(f"'{source}' is no address of a repository.")
    say(f"Fetching {commit[:12]} of {repository['url'] or 'the bundle'}.")
    called(["git", "init", "--quiet", str(code)])
    fetch = ["git", "-C", str(code), "fetch", "--quiet"]
    if called([*fetch, "--depth", "1", "--", source, commit], may_fail=True):
        called([*fetch, "--tags", "--", source, "+refs/heads/*:refs/remotes/origin/*"])
    called(["git", "-C", str(code), "-c", "advice.detachedHead=false", "checkout", "--quiet", commit])
    if (code / ".gitmodules").is_file() and not repository["bundle"]:
        say("Fetching its submodules.")
        called(["git", "-C", str(code), "remote", "add", "origin", source])  # to which their addresses are relative
        called(["git", "-C", str(code), "submodule", "--quiet", "update", "--init", "--recursive"])
    if repository["patch"]:
        called(["git", "-C", str(code), "apply", "--whitespace=nowarn", str(HERE / repository["patch"])])


def _environment(wanted: Mapping[str, Any], into: Path, uv: str) -> Path:
    if wanted["kind"] == "image":
        return _within(wanted["image"])
    place = into / "environment"
    python = ["--python", wanted["python"]] if wanted["python"] else []
    if wanted["kind"] == "lock":
        say("Installing packages from uv.lock.")
        project = into / "project"
        shutil.copytree(HERE / "environment", project)
        more = {"UV_PROJECT_ENVIRONMENT": str(place)}
        called([uv, "sync", "--quiet", "--frozen", "--no-install-project", *python], folder=project, more=more)
        return place / "bin"
    called([uv, "venv", "--quiet", *python, str(place)])
    if wanted["kind"] == "requirements":
        say("Installing packages from requirements.txt.")
        exactly = ["--no-deps"] if wanted["is_exact"] else []
        listed = str(HERE / "environment" / "requirements.txt")
        called([uv, "pip", "install", "--quiet", *exactly, "--python", str(place / "bin" / "python"), "-r", listed])
    else:
        say("Nothing says which packages were installed: there are none.")
    return place / "bin"


def _within(image: str) -> Path:
    """The programs of the image that this is executed in: outside of it nothing is what it was."""
    if os.environ.get(WITHIN) != image:
        raise Trouble(f"It was done in the image {image}: docker build -t again . && docker run --rm again")
    return Path(sys.executable).parent


def called(
    words: Sequence[str], folder: Path | None = None, more: Mapping[str, str] | None = None, *, may_fail: bool = False
) -> int:
    """Call a program; its exit code. Trouble with its last lines where it fails and must not."""
    safe = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file"}
    variables = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    variables |= {**safe, **(more or {})}
    try:
        done = subprocess.run(
            words, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise Trouble(f"{words[0]} cannot be started: {error.strerror}.") from None
    if done.returncode and not may_fail:
        said = " ".join(done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:])
        raise Trouble(f"{' '.join(words[:2])} failed: {said or f'exit code {done.returncode}'}")
    return done.returncode


# --- The run


def run(bundle: Mapping[str, Any], into: Path, folder: Path, programs: Path) -> int:
    """The command, with what it logs taken by a recorder; then what came out beside what was expected."""
    recorder = Recorder(into / "files")
    data = {one["name"]: str(HERE / "data" / one["name"]) for one in bundle["data"]}
    (into / "params.json").write_text(json.dumps(bundle["params"], indent=1), encoding="utf-8")
    words = [_placed(word, data) for word in bundle["words"]]
    program = shutil.which(words[0], path=str(programs)) or words[0]
    with recorder.listening() as address:
        variables = _variables(bundle, into, programs, data, address, recorder.run_id)
        say(f"Running {' '.join(words)}")
        begun = time.monotonic()
        try:
            code = subprocess.run([program, *words[1:]], cwd=folder, env=variables, check=False).returncode
        except OSError as error:
            raise Trouble(f"{words[0]} cannot be started: {error.strerror}.") from None
    say(f"Ended with exit code {code} after {time.monotonic() - begun:.1f} s.")
    found = recorder.last_values()
    told = {key: _plain(value) for key, value in sorted(found.items())}
    (into / "metrics.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    return compare(bundle["expected"], found, code, bundle["exit_code"])


def _placed(word: str, data: Mapping[str, str]) -> str:
    """A word of the command with the places of the data here."""
    for name, place in data.items():
        if word == f"/inputs/{name}" or f"/inputs/{name}/" in word or word.endswith(f"=/inputs/{name}"):
            word = word.replace(f"/inputs/{name}", place)
    return word


def _variables(
    bundle: Mapping[str, Any], into: Path, programs: Path, data: Mapping[str, str], address: str, run_id: str
) -> dict[str, str]:
    threads = str(max(1, int(bundle["cpus"])))
    kept = {name: os.environ[name] for name in ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **kept,
        **{name: os.environ[name] for name in bundle["secrets"]},
        "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": str(programs.parent),
        "HOME": str(into / "user"),
        "TMPDIR": str(into / "tmp"),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": str((bundle["seed"] or 0) % 2**32),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_RUN_ID": run_id,
        "MLFLOW_EXPERIMENT_ID": "0",
        "MLED_RUN": run_id,
        "MLED_PARAMS": str(into / "params.json"),
        "MLED_INPUTS": json.dumps(data),
        "MLED_OUTPUT": str(into / "out"),
        **({} if bundle["seed"] is None else {"MLED_SEED": str(bundle["seed"])}),
    }


def compare(expected: Sequence[Mapping[str, Any]], found: Mapping[str, float], code: int, expected_code: int) -> int:
    """Each metric beside what it was; the exit code."""
    worst = SAME if code == expected_code else DIFFERENT
    words = {SAME: "same", DIFFERENT: "different"}
    within = False
    for one in expected:
        then, now = float(one["then"]), found.get(one["key"])
        if now is None:
            verdict = "missing"
        elif now == then or (math.isnan(now) and math.isnan(then)):
            verdict = "same"
        else:
            off = abs(now - float(one["middle"]))
            verdict = "within tolerance" if math.isfinite(off) and off <= float(one["far"]) else "different"
        worst = DIFFERENT if verdict in ("missing", "different") else worst
        within = within or verdict == "within tolerance"
        say(f"  {one['key']}: {one['then']} then, {'nothing' if now is None else now} now: {verdict}")
    if code != expected_code:
        say(f"It ended with {code} instead of {expected_code}.")
    if not expected:
        say("The run measured nothing, so there is nothing to compare.")
    say(f"Verdict: {'within tolerance' if within and worst == SAME else words[worst]}")
    return worst


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


if __name__ == "__main__":
    sys.exit(main())
