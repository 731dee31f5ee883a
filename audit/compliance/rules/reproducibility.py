"""V: whether somebody else could do the run again."""

import math
import re

from artifacts.blobs import open_file
from artifacts.models import ArtifactFile
from audit.compliance.rules.engine import Result, failed, missing, passed, rule
from audit.compliance.rules.record import Record, listed
from audit.ledger.queries.soundness import replayed
from experiments.models import MetricSeries, Run
from kernel.errors import MledError

COMMIT = re.compile(r"[0-9a-f]{40}")
REPOSITORY = "mlflow.source.git.repoURL"
LOCKS_WITH_HASHES = ("uv.lock", "poetry.lock", "pixi.lock", "pdm.lock", "pipfile.lock", "conda-lock.yml")
INTERPRETER_FILES = ("python_env.yaml", "conda.yaml", "environment.yml", ".python-version", "conda-lock.yml")
CONTAINER_TAGS = ("mlflow.docker.image.id", "mlflow.docker.image.name")
SEED = re.compile(r"(^|[._/-])(random_?)?(seed|state)s?$|(^|[._/-])rng(_seed)?$", re.IGNORECASE)
NO_SEED = frozenset({"", "none", "null", "nan"})  # libraries log random_state=None by themselves
PARAM = "experiments.param"
READ_MAX = 4 * 1024 * 1024  # bytes of a lock file
_HASH = re.compile(rb"sha256[\"':= ]+[0-9a-f]{16}|md5[\"':= ]+[0-9a-f]{16}")


@rule("V1", "The code's commit and repository are recorded", "21 CFR 11.10(k)", "SR 11-7 IV")
def code_is_recorded(record: Record) -> Result:
    commit, repository = record.run.git_commit, record.said(REPOSITORY)
    fix = "Start training from a checked-out repository with GitPython installed, or set the tags."
    if not commit:
        code = 'mlflow.set_tag("mlflow.source.git.commit", "<40 hex digits>")'
        return missing("No commit is recorded.", fix=fix, code=code, proof=record.page("code"))
    if not COMMIT.fullmatch(commit):
        return failed(f"'{commit[:60]}' is no full commit of 40 hex digits.", fix=fix, proof=record.page("code"))
    if not repository:
        code = f'mlflow.set_tag("{REPOSITORY}", "https://git.example.org/team/repository")'
        words = f"Commit {commit[:7]}, but no repository is named."
        return missing(words, fix="Name the repository.", code=code, proof=record.page("code"))
    return passed(f"Commit {commit[:7]} of {repository[:120]}.", proof=record.page("code"))


@rule("V2", "The work tree was clean, or its changes are kept", "21 CFR 11.10(k)")
def work_tree_is_known(record: Record) -> Result:
    dirty = record.said("mlflow.source.git.dirty").lower()
    patches = record.files_named(".patch", ".diff")
    if dirty == "false":
        return passed("The work tree was clean.", proof=record.page("code"))
    if patches or record.said("mlflow.source.git.diff"):
        return passed("The uncommitted changes are kept with the run.", proof=record.page("code"))
    if dirty == "true":
        code = 'mlflow.log_text(subprocess.check_output(["git", "diff"], text=True), "code/changes.patch")'
        return failed("There were uncommitted changes, and they are lost.", fix="Log them.", code=code)
    code = 'mlflow.set_tag("mlflow.source.git.dirty", "false")'
    words = "Whether there were uncommitted changes is not recorded."
    return missing(words, fix="Record it when training starts.", code=code, proof=record.page("code"))


@rule("V3", "Interpreter, system, locked packages and hardware are captured", "AI Act Annex IV 2(c)", "42001 A.4.4-4.5")
def environment_is_captured(record: Record) -> Result:
    image = record.said(*CONTAINER_TAGS)
    if "sha256:" in image:
        return passed(f"Container {image[:80]}.", proof=record.page("code"))
    has_hashes = [file for file in record.files_named(*LOCKS_WITH_HASHES) if _holds_hashes(file)]
    parts = {
        "packages locked with hashes": (has_hashes, 'mlflow.log_artifact("uv.lock")'),
        "the interpreter": (
            record.said("mled.python") or record.files_named(*INTERPRETER_FILES) or record.files_named("uv.lock"),
            'mlflow.set_tag("mled.python", platform.python_version())',
        ),
        "the system": (record.said("mled.os"), 'mlflow.set_tag("mled.os", platform.platform())'),
        "the hardware": (
            record.has_system_metrics or record.said("mled.hardware"),
            'mlflow.enable_system_metrics_logging()   # or mlflow.set_tag("mled.hardware", "2 CPU, 8 GB, no GPU")',
        ),
    }
    gaps = [name for name, (found, _) in parts.items() if not found]
    if not gaps:
        return passed(f"{has_hashes[0].path}, interpreter, system and hardware.", proof=record.page("code"))
    lines = [line for name, (_, line) in parts.items() if name in gaps]
    code = "\n".join(["import platform"] * any("platform." in line for line in lines) + lines)
    return missing(f"Not recorded: {', '.join(gaps)}.", fix="Log them.", code=code, proof=record.page("code"))


def _holds_hashes(file: ArtifactFile) -> bool:
    """Whether a lock file gives digests of packages: an empty one locks nothing."""
    try:
        with open_file(file) as reader:
            return _HASH.search(reader.read(READ_MAX)) is not None
    except MledError:
        return False


@rule("V4", "Somebody else did it again, within tolerance", "SR 11-7 V", "21 CFR 11.10(a)")
def was_reproduced(record: Record) -> Result:
    code = f'mlflow.set_tag("mled.reproduces", "{record.run.uid.hex}")'
    fix = "Let another person do the run again, and say so in a tag of theirs."
    if not any(one.last_value is not None for one in record.deciding):
        return missing("Nothing was measured that could be compared.", fix="Log what decides.", code=code)
    theirs = [run for run in record.reproductions if run.created_by_id is not None]
    others = [run for run in theirs if run.created_by_id not in record.contributors]
    if not others:
        mine = f" ({len(record.reproductions)} by the same people)" if record.reproductions else ""
        return missing(f"Nobody else has done it again{mine}.", fix=fix, code=code)
    off = [(run, words) for run in others if (words := differences(record, run))]
    if len(off) == len(others):
        run, words = off[0]
        return failed(f"{run.readable_id} came out differently: {words}.", fix="Explain it, or widen the tolerance.")
    good = next(run for run in others if not differences(record, run))
    return passed(f"{good.readable_id} by {good.created_by} came out within tolerance.")


def differences(record: Record, again: Run) -> str:
    """Which deciding metrics of a reproduction are off by more than is allowed, in words; '' for none."""
    theirs = {(one.key, one.context): one for one in MetricSeries.objects.filter(run=again)}
    allowed = dict(record.copy.tolerances) if record.copy else {}
    common = _number(record.said("mled.tolerance"))
    off = []
    for one in record.deciding:
        other = theirs.get((one.key, one.context))
        limit = float(allowed.get(one.key, common if common is not None else 0.0))
        if one.last_value is None:
            continue
        if other is None or other.last_value is None:
            off.append(f"{one.key} is missing")
        elif abs(other.last_value - one.last_value) > limit:
            off.append(f"{one.key} {one.last_value:.6g} → {other.last_value:.6g}, allowed ± {limit:g}")
    return listed(off)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None  # nothing is further off than NaN


@rule("V5", "Seeds are recorded, or that results vary is declared", "SR 11-7 IV")
def seeds_are_recorded(record: Record) -> Result:
    given = {key: value for key, value in record.params.items() if SEED.search(key)}
    seeds = [f"{key} = {value[:20]}" for key, value in given.items() if value.strip().lower() not in NO_SEED]
    unset = [key for key, value in given.items() if value.strip().lower() in NO_SEED]
    if seeds:
        return passed(f"{listed(seeds)}.", proof=record.page("params"))
    if why := record.said("mled.nondeterminism"):
        return passed(f"Declared to vary: “{why[:120]}”", proof=record.page("params"))
    code = 'mlflow.log_param("seed", 17)   # or mlflow.set_tag("mled.nondeterminism", "why results vary")'
    if unset:
        words = f"Recorded, but not set: {listed(unset)}."
        return failed(words, fix="Set a seed and run again, or declare that results vary.", code=code)
    return missing("No seed is recorded.", fix="Log the seeds that training uses.", code=code)


@rule("V6", "All parameters are recorded, and none was overwritten", "21 CFR 11.10(e)")
def parameters_are_recorded(record: Record) -> Result:
    if not record.params:
        code = "mlflow.log_params(vars(arguments))"
        return missing("No parameter is recorded.", fix="Log what the run was set to.", code=code)
    told: dict[str, set[str]] = {}
    for past in record.events:
        for change in past.changes:
            if change.type == PARAM:
                for key, pair in change.fields.items():
                    told.setdefault(key, set()).add(str(pair[1]))
    twice = sorted(key for key, values in told.items() if len(values) > 1)
    recorded = replayed(PARAM, record.run.ledger_id, record.events)
    changed = sorted(key for key in {*record.params, *recorded} if recorded.get(key) != record.params.get(key))
    if changed and not any(past.is_erased for past in record.events):
        words = f"Not as recorded: {listed(changed)}."
        return failed(words, fix="Tell the administrator: the database was changed past MLED.", proof=record.page())
    if twice:
        return failed(f"Set more than once: {listed(twice)}.", fix="Log a new run.", proof=record.page("history"))
    return passed(f"{len(record.params)}, each set once.", proof=record.page("params"))
