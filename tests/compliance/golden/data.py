"""D: the data that went in."""

from collections.abc import Callable

from experiments.actions.inputs import DatasetInput, log_inputs
from experiments.models import Run
from tests.compliance.golden.cases import (
    FAIL,
    MISSING,
    NOT_APPLICABLE,
    PASS,
    Case,
    bare,
    complete,
    sets,
)
from tests.compliance.golden.world import World, a_data_version, a_plain_run, used

OF_ITS_DATA = (
    "version_id IN (SELECT dataset_version_id FROM experiments_runinput WHERE run_id = %s AND context = 'train')"
)


def named_by_the_client(world: World) -> Run:
    run = a_plain_run(world)
    log_inputs(world.team.scientist, run, inputs=[DatasetInput("vitals", "d" * 36, "local", "vitals.csv")])
    return run


def trained_on_what_tests_it(world: World) -> Run:
    run = a_plain_run(world)
    used(world.team.scientist, run, world.train, context="train")
    child = a_plain_run(world, tags={"mlflow.parentRunId": run.uid.hex})
    used(world.team.scientist, child, world.train, context="test")
    return run


def trained_only(world: World) -> Run:
    run = a_plain_run(world)
    used(world.team.scientist, run, world.train, context="train")
    return run


def on(**about: str) -> Callable[[World], Run]:
    """A run on a dataset version of which this is said."""

    def make_on(world: World) -> Run:
        run = a_plain_run(world)
        used(world.team.scientist, run, a_data_version(world.team, "train", **about))
        return run

    return make_on


def rewritten(column: str) -> Callable[[World, Run], int]:
    """Past the ledger: what people wrote about the training data says something else."""
    return sets("artifacts_versionrecord", column, "Something else", where=OF_ITS_DATA)


CASES = [
    Case("D1", PASS, "By SHA-256: vitals-t", complete),
    Case("D1", FAIL, "client's own short digest: vitals v1", named_by_the_client),
    Case("D1", MISSING, "No dataset is recorded", bare),
    Case("D2", PASS, "where it comes from", complete),
    Case("D2", FAIL, "not as it was written: licence", complete, rewritten("licence")),
    Case("D2", MISSING, "lacks a licence, a purpose", on(licence="", purpose="")),
    Case("D3", PASS, "Different digests", complete),
    Case("D3", FAIL, "Trained and tested on the same content", trained_on_what_tests_it),
    Case("D3", MISSING, "No test data are marked", trained_only),
    Case("D4", PASS, "how it was prepared", complete),
    Case("D4", FAIL, "not as it was written: preparation", complete, rewritten("preparation")),
    Case("D4", MISSING, "lacks how it was prepared", on(preparation="")),
    Case("D5", PASS, "note on bias", complete),
    Case("D5", FAIL, "not as it was written: bias_note", complete, rewritten("bias_note")),
    Case("D5", MISSING, "lacks a note on bias", on(bias_note="")),
    Case("D6", PASS, "classed, with a lawful basis", complete),
    Case("D6", FAIL, "pseudonymous data without a lawful basis", on(lawful_basis="")),
    Case("D6", MISSING, "lacks a class of personal data", on(personal_data="")),
    Case("D6", NOT_APPLICABLE, "None of the data are personal", on(personal_data="none", lawful_basis="")),
]
IMPOSSIBLE: dict[tuple[str, str], str] = {}
