"""Runs modules of the front end under Node, so that what they reckon is held against Python."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.services.processes import ROOT


class Module:
    """A bundled module whose functions are called with JSON, several in one process."""

    def __init__(self, bundle: Path) -> None:
        self.bundle = bundle

    def calls(self, *asked: tuple[str, list[Any]]) -> list[Any]:
        """What each (function, arguments) answers; NaN and the infinities come as texts."""
        script = (
            f"import * as m from {json.dumps(self.bundle.as_uri())};"
            "let text = ''; for await (const piece of process.stdin) text += piece;"
            "const plain = (_, v) => typeof v === 'number' && !Number.isFinite(v) ? String(v) : v;"
            "console.log(JSON.stringify(JSON.parse(text).map(([name, given]) => m[name](...given) ?? null), plain));"
        )
        done = subprocess.run(
            ["node", "--input-type=module", "-e", script],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers: list[Any] = json.loads(done.stdout)
        return answers


def bundled(source: str, directory: Path) -> Module:
    """The module static/src/<source>, ready to be called."""
    if shutil.which("node") is None:
        pytest.skip("Node is missing")
    target = directory / f"{Path(source).stem}.mjs"
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    command = [esbuild, ROOT / "static" / "src" / source, "--bundle", "--format=esm", f"--outfile={target}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return Module(target)
