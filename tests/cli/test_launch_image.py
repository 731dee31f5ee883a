"""launch --image: named in place of packages, its mistakes told by the options."""

from __future__ import annotations

from pathlib import Path

import pytest

NOBODY = "nobody-serves-images"


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.py").write_text("print(1)\n")
    (tmp_path / "requirements.txt").write_text("numpy==2.3.5\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_image_is_launched_in_place_of_the_packages_beside_the_code(mled, shell_team, code):
    made = mled("launch", "--queue", NOBODY, "--json", "--image", "ghcr.io/team/train:1", "--", "python", "train.py")
    assert made.code == 0, made.err
    shown = mled("jobs", "show", made.json["id"], "--json").json
    assert (shown["image"], shown["words"]) == ("", ["python", "train.py"])
    told = mled("recreate", made.json["readable_id"], "--there", "--dry-run")
    assert "environment" not in told.err or "packages" in told.err


def test_what_is_wrong_with_an_image_is_told_by_its_option(mled, shell_team, code):
    def told(*options: str) -> str:
        done = mled("launch", "--queue", NOBODY, *options, "--", "python", "train.py")
        assert done.code != 0
        return str(done.err)

    assert "--image: 'No' is no name of an image" in told("--image", "No", "--seed", "-1")
    assert "--image-secret: This project keeps no secret 'NONE'" in told(
        "--image", "ghcr.io/a:1", "--image-secret", "NONE", "--seed", "-1"
    )
    assert "An image has its packages within" in told("--image", "ghcr.io/a:1", "--requirements", "requirements.txt")
    assert "This secret opens an image" in told("--image-secret", "NONE")
