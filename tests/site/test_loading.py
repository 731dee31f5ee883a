"""What `manage.py up` loads before it forks, so that its parts share it; and what nobody loads before it is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.services.processes import ROOT

pytestmark = [pytest.mark.once, pytest.mark.skipif(sys.platform != "linux", reason="asks Linux about memory")]

# Tens of MiB each, for the few requests and tasks that make or read such a file.
HEAVY = {
    "PIL", "boto3", "botocore", "duckdb", "matplotlib", "mlflow", "openpyxl", "pandas", "pyarrow", "pypdfium2", "scipy",
    "sklearn", "typst", "xlsxwriter",
}  # fmt: skip
MIB = 1 << 20


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    data = tmp_path_factory.mktemp("loading")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLED_", "DJANGO_"))}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-m", "tests.site.loading"],
        cwd=ROOT, env={**environment, "MLED_DATA": str(data)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_heavy_libraries_wait_until_somebody_needs_them(told):
    assert HEAVY & {name.split(".")[0] for name in told["loaded"]} == set()


@pytest.mark.parametrize("part", ["commands", "worker"])
def test_parts_import_nothing_that_they_could_share(told, part):
    assert told[part]["imported"] == []


def test_a_part_that_opens_the_database_copies_few_pages_of_what_it_shares(told):
    assert told["database"]["took"] < 5 * MIB  # 9 with the holes that loading leaves; 3 measured


def test_the_collector_works_in_each_part_and_leaves_alone_what_was_loaded(told):
    for part in ("database", "commands", "worker"):
        assert told[part]["collects"], part
        assert told[part]["frozen"] > 100_000, part
