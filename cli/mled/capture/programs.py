"""Asking other programs: git, an interpreter, nvidia-smi."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

SECONDS = 20.0


def said(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    more: Mapping[str, str] | None = None,
    may_fail_with: Sequence[int] = (0,),
    seconds: float = SECONDS,
) -> bytes | None:
    """What a program prints; None where it is not there, fails or takes too long."""
    try:
        done = subprocess.run(
            list(command), cwd=folder, env={**os.environ, **(more or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=seconds, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode in may_fail_with else None


def text_of(answer: bytes | None) -> str:
    """As text, without space around it; '' for no answer."""
    return (answer or b"").decode("utf-8", "replace").strip()
