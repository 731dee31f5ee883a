"""No secret is in the repository: nothing that looks like a key of somebody's, outside of what tests made up."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----[\r\n]+[A-Za-z0-9+/=]{40}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{60,}",
    "a token of Slack": r"\bxox[abprs]-[0-9A-Za-z-]{20,}",
    "a token of PyPI": r"\bpypi-[A-Za-z0-9_-]{50,}",
    "a signed web token": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{15,}",
    "a token of MLED": r"\bmled_[A-Za-z0-9_-]{40,}",
    "a password in an address": r"\b[a-z][a-z0-9+.-]*://[^/\s:@\"'<>{}$…]+:(?!pass|pw|secret|geheim|hidden|p@|p%40|t@|b@|\$|\{|…)[^/\s@\"'<>{}$…]{8,}@",
}
BINARY = {".png", ".jpg", ".gif", ".pdf", ".xlsx", ".parquet", ".zip", ".db", ".woff2", ".npz"}

pytestmark = pytest.mark.once


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    if not listed:
        pytest.skip("this is no git checkout, so nobody knows which files belong to it")
    return [ROOT / name for name in listed.decode().split("\0") if name]


def found_in(text: str) -> list[str]:
    return [name for name, shape in SHAPES.items() if re.search(shape, text)]


def test_no_file_of_the_repository_holds_a_secret():
    held = {
        str(path.relative_to(ROOT)): names
        for path in tracked()
        if path.is_file() and path.suffix not in BINARY and (names := found_in(path.read_text(errors="replace")))
    }
    assert held == {}


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "PRIVATE KEY-----\n" + "MC4CAQAwBQYDK2VwBCIEIH" + "a" * 40,
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "ghp_" + "a1" * 18,
        "mled_" + "aB3_" * 11,
        "postgres://mled:" + "Xk29vvQz81@db.example.org/mled",
    ],
)
def test_what_looks_like_one_is_found(text):
    assert len(found_in(f"x = '{text}'")) == 1
