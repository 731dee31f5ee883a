"""What MLED executed itself needs no tags: the rules read the code, the packages and the data that it laid out."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from artifacts.models import DatasetVersion
from audit.compliance.rules.engine import RULES
from audit.compliance.rules.record import Record
from experiments.actions.batches import log_batch
from experiments.models import Run
from kernel.actor import system
from runner.actions.jobs import end_job
from runner.models import Job, Recipe
from runner.trainers import trainer
from runner.trainers.packing import kept_path, packed
from tests.factories import a_batch, a_dataset, a_file, a_team, a_version, default_experiment
from tests.factories_runner import a_draft, a_job, a_worker, held_by
from tests.world import stored

pytestmark = pytest.mark.django_db
HASHED = b"""# made by uv
--index-url https://pypi.org/simple
numpy==2.4.6 \\
    --hash=sha256:0123456789abcdef0123456789abcdef \\
    --hash=sha256:fedcba9876543210fedcba9876543210
scikit-learn==1.7.2 --hash=sha256:00112233445566778899aabbccddeeff  # of the trainer
"""


@pytest.fixture
def team():
    return a_team()


def _zip(script: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.py", script)
    return whole.getvalue()


def said(rule: str, run: Run) -> tuple[str, str]:
    result = RULES[rule].check(Record(Run.objects.get(pk=run.pk)))
    return result.outcome.value, result.words


def executed(team, **draft: Any) -> Run:
    """The run of a job that has been executed."""
    job = held_by(a_job(team.scientist, default_experiment(team.project), draft=a_draft(**draft)), a_worker())
    end_job(system(), job, lease=job.lease, state=Job.State.FINISHED, cause=Job.Cause.EXIT, exit_code=0)
    return job.run


BUILT_IN = trainer("tabular")
TRAINER = {
    "kind": Recipe.Kind.TRAINER,
    "trainer": "tabular",
    "trainer_digest": BUILT_IN.digest,
    "repository": "",
    "commit": "",
}


def split(team, **files: bytes) -> DatasetVersion:
    """A version with these tables."""
    return a_version(
        team.scientist, a_dataset(team.scientist), files={f"{name}.csv": what for name, what in files.items()}
    )


def test_a_built_in_trainer_is_code_by_its_digest_once_it_is_kept_with_the_run(team):
    run = executed(team, **TRAINER)
    assert said("V1", run)[0] == "missing"
    a_file(team.scientist, run, kept_path("tabular"), packed(BUILT_IN.path))
    outcome, words = said("V1", run)
    assert (outcome, f"trainer tabular, SHA-256 {BUILT_IN.digest[:12]}" in words) == ("pass", True)
    assert said("V2", run)[0] == "pass"


@pytest.mark.parametrize(
    "other", [b"its files", b"PK\x05\x06" + bytes(18), _zip(b"print('another')"), _zip(bytes(2**25))]
)
def test_another_file_in_the_trainers_place_proves_nothing(team, other):
    run = executed(team, **TRAINER)
    a_file(team.scientist, run, kept_path("tabular"), other)
    assert [said(rule, run)[0] for rule in ("V1", "V2")] == ["missing", "missing"]


def test_uploaded_code_counts_where_the_very_bytes_that_ran_are_kept(team):
    code = stored(b"print('trained')")
    a_file(team.scientist, executed(team), "somewhere.py", b"print('trained')")  # so that its content is known
    run = executed(team, kind=Recipe.Kind.FOLDER, code=code.digest, code_name="train.py", repository="", commit="")
    a_file(team.scientist, run, "code/train.py", b"print('another')")
    assert said("V1", run)[0] == "missing"
    a_file(team.scientist, run, "code/train.py.txt", b"print('trained')")
    assert said("V1", run)[0] == said("V2", run)[0] == "pass"


def test_a_run_that_nobody_executed_here_proves_nothing_by_a_file_of_that_name(team):
    waiting = a_job(team.scientist, default_experiment(team.project), draft=a_draft(**TRAINER)).run
    a_file(team.scientist, waiting, kept_path("tabular"), packed(BUILT_IN.path))
    assert said("V1", waiting)[0] == "missing"


@pytest.mark.parametrize(
    ("content", "is_locked"),
    [(HASHED, True), (HASHED + b"pandas==3.0.0\n", False), (b"# nothing\n", False), (b"numpy==2.4.6\n", False)],
)
def test_requirements_lock_the_packages_where_each_has_its_digest(team, content, is_locked):
    run = executed(team)
    a_file(team.scientist, run, "environment/requirements.txt", content)
    assert ("packages locked" not in said("V3", run)[1]) is is_locked


def test_files_that_the_trainer_left_out_of_training_are_test_data(team):
    version = split(team, train=b"a,y\n1,0\n2,1\n", test=b"a,y\n3,0\n")
    run = executed(team, **TRAINER, version=version, params={"eval_files": "test*.csv"})
    assert said("E1", run) == ("fail", "Test data are named, but nothing was measured on them.")
    log_batch(team.scientist, Run.objects.get(pk=run.pk), batch=a_batch(accuracy=[0.9]))
    outcome, words = said("E1", run)
    assert (outcome, words.startswith("On test.csv of ")) == ("pass", True)
    outcome, words = said("D3", run)
    assert (outcome, "test.csv was left out of training" in words) == ("pass", True)


def test_a_copy_of_a_test_file_among_the_training_files_is_found(team):
    version = split(team, train=b"a,y\n1,0\n2,1\n", more=b"a,y\n3,0\n", test=b"a,y\n3,0\n")
    run = executed(team, **TRAINER, version=version, params={"eval_files": "test.csv"})
    outcome, words = said("D3", run)
    assert (outcome, words.startswith("test.csv of ")) == ("fail", True)


def test_without_files_left_out_training_data_alone_test_nothing(team):
    version = split(team, train=b"a,y\n1,0\n2,1\n")
    run = executed(team, **TRAINER, version=version, params={"eval_files": ""})
    assert [said(rule, run)[0] for rule in ("D3", "E1")] == ["missing", "missing"]
    run = executed(team, **TRAINER, version=version, params={"eval_files": "none*.csv"})
    assert said("E1", run)[0] == "missing"
