"""V: doing it again."""

from experiments.actions.batches import log_batch
from experiments.models import Run
from tests.compliance.golden.cases import FAIL, MISSING, PASS, Case, bare, complete, sets, tagged
from tests.compliance.golden.world import World, a_plain_run, measured, reproduced
from tests.factories import a_batch, a_file


def measured_once(world: World) -> Run:
    run = a_plain_run(world)
    measured(world.team.scientist, run, 0.9)
    return run


def came_out_differently(world: World) -> Run:
    run = measured_once(world)
    reproduced(world.team.engineer, run, 0.5)
    return run


def done_again_by_its_author(world: World) -> Run:
    run = measured_once(world)
    reproduced(world.team.scientist, run)
    return run


def without_a_measure(world: World) -> Run:
    run = a_plain_run(world)
    reproduced(world.team.engineer, run)
    return run


def with_an_empty_lock(world: World) -> Run:
    run = a_plain_run(world)
    a_file(world.team.scientist, run, "uv.lock", b"version = 1\n")
    return run


def with_a_seed_of_none(world: World) -> Run:
    run = a_plain_run(world)
    log_batch(world.team.scientist, run, batch=a_batch(params={"random_state": "None"}))
    return run


CASES = [
    Case("V1", PASS, "Commit 3f3f3f3 of https://git", complete),
    Case("V1", FAIL, "'3f3f3f' is no full commit", tagged(mlflow__source__git__commit="3f3f3f")),
    Case("V1", MISSING, "No commit is recorded", bare),
    Case("V2", PASS, "work tree was clean", complete),
    Case("V2", FAIL, "they are lost", tagged(mlflow__source__git__dirty="true")),
    Case("V2", MISSING, "is not recorded", bare),
    Case("V3", PASS, "uv.lock, interpreter, system", complete),
    Case("V3", MISSING, "Not recorded: packages locked with hashes, the system", with_an_empty_lock),
    Case("V3", MISSING, "Not recorded: packages locked with hashes, the interpreter, the system", bare),
    Case("V4", PASS, "by Emil came out within tolerance", complete),
    Case("V4", FAIL, "test/auroc 0.9 → 0.5, allowed none", came_out_differently),
    Case("V4", MISSING, "Nobody else has done it again.", measured_once),
    Case("V4", MISSING, "(1 by the same people)", done_again_by_its_author),
    Case("V4", MISSING, "Nothing was measured", without_a_measure),
    Case("V5", PASS, "seed = 17", complete),
    Case("V5", PASS, "Declared to vary", tagged(mled__nondeterminism="atomics on the GPU")),
    Case("V5", FAIL, "not set: random_state", with_a_seed_of_none),
    Case("V5", MISSING, "No seed is recorded", bare),
    Case("V6", PASS, "2, each set once", complete),
    Case(
        "V6",
        FAIL,
        "Not as recorded: lr",
        complete,
        sets("experiments_param", "value", "0.2", where="key = 'lr' AND run_id = %s"),
    ),
    Case("V6", MISSING, "No parameter is recorded", bare),
]
IMPOSSIBLE = {
    ("V3", "fail"): "whatever is recorded of the surroundings is evidence; only that something lacks can be seen",
}
