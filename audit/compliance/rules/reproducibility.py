"""V: whether somebody else could do the run again."""

import math
import re
from collections.abc import Sequence

from artifacts.models import ArtifactFile
from audit.compliance.rules.engine import Result, failed, missing, passed, rule
from audit.compliance.rules.executed import code_kept, has_work_tree
from audit.compliance.rules.record import Record, content_of, listed
from audit.compliance.tolerances import read
from audit.ledger.queries.soundness import replayed
from experiments.compare.reproduction import Compared, Verdict
from experiments.compare.tolerance import Kind, Tolerance, allowed
from experiments.models import MetricSeries, Run
from experiments.queries.seeds import values_by_seed
from kernel.actor import system
from runner.recreating.rows import read as kept_rows

SAME_CONDITIONS = ("Code:", "Command:", "Data:", "Parameters:")  # machine and packages may be others
COMMIT = re.compile(r"[0-9a-f]{40}")
REPOSITORY = "mlflow.source.git.repoURL"
LOCKS_WITH_HASHES = ("uv.lock", "poetry.lock", "pixi.lock", "pdm.lock", "pipfile.lock", "conda-lock.yml")
REQUIREMENTS = "requirements.txt"
INTERPRETER_FILES = ("python_env.yaml", "conda.yaml", "environment.yml", ".python-version", "conda-lock.yml")
CONTAINER_TAGS = ("mlflow.docker.image.id", "mlflow.docker.image.name")
SEED = re.compile(r"(^|[._/-])(random_?)?(seed|state)s?$|(^|[._/-])rng(_seed)?$", re.IGNORECASE)
NO_SEED = frozenset({"", "none", "null", "nan"})  # libraries log random_state=None by themselves
PARAM = "experiments.param"
_HASH = re.compile(rb"sha256[\"':= ]+[0-9a-f]{16}|md5[\"':= ]+[0-9a-f]{16}")


@rule("V1", "The code's commit and repository are recorded", "21 CFR 11.10(k)", "SR 11-7 IV")
def code_is_recorded(record: Record) -> Result:
    commit, repository = record.run.git_commit, record.said(REPOSITORY)
    fix = "Start training from a checked-out repository with GitPython installed, or set the tags."
    if not repository and (kept := code_kept(record)):
        return passed(f"{kept}.", proof=record.page("code"))
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
    if not has_work_tree(record) and (kept := code_kept(record)):
        return passed(f"There was no work tree. {kept}.", proof=record.page("code"))
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
        return passed(f"Container {image[:240]}.", proof=record.page("code"))
    has_hashes = [file for file in record.files_named(*LOCKS_WITH_HASHES) if _holds_hashes(file)]
    has_hashes = has_hashes or [file for file in record.files_named(REQUIREMENTS) if _is_all_hashed(file)]
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
    return _HASH.search(content_of(file)) is not None


def _is_all_hashed(file: ArtifactFile) -> bool:
    """Whether a requirements file names every package with its digest, as pip's --require-hashes wants it."""
    text = content_of(file).decode(errors="replace").replace("\\\n", " ")
    lines = (line.partition(" #")[0].strip() for line in text.splitlines())
    packages = [line for line in lines if line and not line.startswith(("#", "-"))]
    return bool(packages) and all("--hash=sha256:" in line for line in packages)


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
    found = [(run, *outcome(record, run)) for run in others]
    good = next(((run, words) for run, is_good, words in found if is_good), None)
    if good is None:
        run, _, words = found[0]
        return failed(f"{run.readable_id} {words}.", fix="Explain it, or do it again under the same conditions.")
    return passed(f"{good[0].readable_id} by {good[0].created_by} {good[1]}.")


def outcome(record: Record, again: Run) -> tuple[bool, str]:
    """Whether a run done again counts, and why, in words: by what was kept at their end, else as both are now."""
    check = record.recreations.get(again.pk)
    if check is None:
        differs = differences(record, again)
        return (False, f"came out differently: {differs}") if differs else (True, "came out within tolerance")
    day = f"{check.made_at:%Y-%m-%d}"
    if check.first_id != record.run.pk:
        return False, f"was compared with another run on {day}, which it said then that it did again"
    if check.with_changes:
        return False, f"was done with changes, as it said until it was compared on {day}"
    unlike = [words for words in check.changed if words.startswith(SAME_CONDITIONS)]
    if unlike:
        return False, f"was not done under the same conditions: {listed(unlike).rstrip('.')}"
    if check.again_status != check.first_status:
        return False, f"ended as {again.get_status_display().lower()}"
    then = {(one.key, one.context): one.last_value for one in record.deciding if one.last_value is not None}
    rows = [row for row in kept_rows(check.rows) if (row.key, row.context) in then]
    if {(row.key, row.context): row.then for row in rows} != then or _has_moved(again, rows):
        return False, f"was compared on {day}, and what was measured is another since"
    off = [_off(row) for row in rows if not row.verdict.is_good]
    if off:
        return False, f"came out differently on {day}: {listed(off)}"
    words = "the same" if all(row.verdict is Verdict.SAME for row in rows) else "within tolerance"
    return True, f"came out {words}, as kept on {day}"


def _has_moved(again: Run, rows: Sequence[Compared]) -> bool:
    """Whether the later run says something else by now than was compared."""
    now = {(one.key, one.context): one.last_value for one in MetricSeries.objects.filter(run=again)}
    told = (row for row in rows if row.now is not None and not math.isnan(row.now))
    return any(now.get((row.key, row.context)) != row.now for row in told)


def _off(row: Compared) -> str:
    if row.now is None:
        return f"{row.key} is missing"
    return f"{row.key} {row.then:.6g} → {row.now:.6g}, allowed {row.allowed}"


def differences(record: Record, again: Run) -> str:
    """Which deciding metrics of a reproduction are off by more than is allowed, in words; '' for none."""
    theirs = {(one.key, one.context): one for one in MetricSeries.objects.filter(run=again)}
    tolerances = read(record.copy.tolerances) if record.copy else {}
    common = _common(record.said("mled.tolerance"))
    seeds = values_by_seed(system(), record.run) if _asks_seeds([*tolerances.values(), common]) else {}
    off = []
    for one in record.deciding:
        place = (one.key, one.context)
        other = theirs.get(place)
        if one.last_value is None:
            continue
        limit = allowed(tolerances.get(one.key, common), one.last_value, seeds.get(place, ()))
        if other is None or other.last_value is None:
            off.append(f"{one.key} is missing")
        elif other.last_value != one.last_value and not limit.holds(other.last_value):
            off.append(f"{one.key} {one.last_value:.6g} → {other.last_value:.6g}, allowed {limit.words}")
    return listed(off)


def _asks_seeds(tolerances: Sequence[Tolerance]) -> bool:
    return any(one.kind is Kind.SEEDS for one in tolerances)


def _common(text: str) -> Tolerance:
    try:
        return Tolerance.written(text)
    except ValueError:
        return Tolerance()


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
