"""A: files as they were logged, and safe to open."""

from artifacts import storage
from artifacts.storage.filesystem import FileStorage
from experiments.models import Run
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import create_version
from registry.models import ModelVersion
from tests.compliance.golden.cases import FAIL, MISSING, NOT_APPLICABLE, PASS, Case, bare, complete
from tests.compliance.golden.world import World, a_model_of, a_plain_run
from tests.factories import a_file, unique
from tests.ledger import forger


def damaged_in_storage(world: World) -> Run:
    run = a_plain_run(world)
    file = a_file(world.team.scientist, run, "weights.bin", unique("weights").encode())
    store = storage.store()
    assert isinstance(store, FileStorage)
    place = store.place(file.blob_id)
    content = place.read_bytes()
    place.chmod(0o600)
    place.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    return run


def a_version_of_a_run(world: World) -> tuple[Run, ModelVersion]:
    run = a_plain_run(world)
    a_file(world.team.scientist, run, "model/weights.bin", unique("weights").encode())
    model = create_registered_model(world.team.scientist, world.project, name=unique("bedside"))
    return run, create_version(world.team.scientist, model, source=f"runs:/{run.uid.hex}/model", run=run)


def with_another_size(world: World, run: Run) -> None:
    """Past the ledger: the doors refuse to change the files of an approved version."""
    assert forger.sql("UPDATE artifacts_artifactfile SET size_bytes = 1 WHERE path = %s", "model.safetensors")


def with_a_version(world: World) -> Run:
    return a_version_of_a_run(world)[0]


def with_a_pickle(world: World) -> Run:
    run = a_plain_run(world)
    a_model_of(world.team.scientist, run, "model.pkl")
    return run


def with_a_scanned_pickle(world: World) -> Run:
    run = a_plain_run(world, tags={"mled.pickle": "picklescan 0.0.30: nothing found"})
    a_model_of(world.team.scientist, run, "model.pkl")
    return run


CASES = [
    Case("A1", PASS, "2 files read again", complete),
    Case("A1", FAIL, "weights.bin is not what was uploaded", damaged_in_storage),
    Case("A1", MISSING, "No file is recorded", bare),
    Case("A2", PASS, "digests that were approved", complete),
    Case("A2", FAIL, "since Mona approved it: version › files › model.safetensors", complete, with_another_size),
    Case("A2", MISSING, "No version of it was approved", with_a_version),
    Case("A2", NOT_APPLICABLE, "No registered version", bare),
    Case("A3", PASS, "No pickled file", complete),
    Case("A3", PASS, "picklescan 0.0.30", with_a_scanned_pickle),
    Case("A3", MISSING, "Opening model.pkl runs code", with_a_pickle),
    Case("A3", NOT_APPLICABLE, "made no model", bare),
]
IMPOSSIBLE = {
    ("A3", "fail"): "what a scan found is a person's words; a pickle that nobody scanned is a scan not recorded",
}
