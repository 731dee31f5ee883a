"""Files in the evidence of a run: called as people tell them apart."""

import pytest

from audit.compliance.pages.evidence import file_line

AT = "timestamp+1700000000000+123e4567-e89b-12d3-a456-426614174000"


@pytest.mark.parametrize(
    ("path", "name", "step", "folder"),
    [
        (f"images/val~confusion+step+1200+{AT}.png", "val/confusion", "step 1,200", "images"),
        (f"images/val~confusion+step+3+{AT}+compressed.webp", "val/confusion", "step 3, small copy", "images"),
        ("plots/roc.png", "roc.png", "", "plots"),
        ("plots/step_12/roc.png", "roc.png", "", "plots/step_12"),
        ("README.md", "README.md", "", ""),
    ],
)
def test_a_picture_is_called_by_its_key_and_step_and_other_files_by_their_name(path, name, step, folder):
    line = file_line(path, 12, "d" * 64)
    assert (line.name, line.step, line.folder, line.path) == (name, step, folder, path)
