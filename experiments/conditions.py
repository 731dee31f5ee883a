"""What is needed to do a run again, and whether the record holds it. Only what was really recorded counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiments.models import MetricSeries, Run, RunInput

PACKAGE_FILES = (
    "uv.lock",
    "poetry.lock",
    "requirements.txt",
    "conda.yaml",
    "python_env.yaml",
    "environment.yml",
    "pixi.lock",
)
# Tags of runs that MLED executed itself: code that was uploaded or is built in, how it was shut off, what was set so
# that the same comes out again.
UPLOADED, BUILT_IN = "mled.code", "mled.trainer"
SANDBOX, DETERMINISM = "mled.sandbox", "mled.determinism"
SEED_NAMES = ("seed", "random_seed", "random_state", "rng_seed")
CONTAINER_TAGS = ("mlflow.docker.image.id", "mlflow.docker.image.name", SANDBOX)
DETERMINISM_NAMES = ("deterministic", "cudnn_deterministic", "use_deterministic_algorithms")

# What a script does to have each of them recorded.
HOW = {
    "Code": 'mlflow.set_tag("mlflow.source.git.commit", commit)  # by itself inside a git repository',
    "Data": 'mlflow.log_input(dataset, context="train")',
    "Packages": 'mlflow.log_artifact("uv.lock")',
    "Parameters": "mlflow.log_params(config)",
    "Seed": 'mlflow.log_param("seed", seed)',
    "Hardware": "mlflow.enable_system_metrics_logging()",
    "Command": 'mlflow.set_tag("mlflow.source.name", " ".join(sys.argv))',
    "Container": 'mlflow.set_tag("mlflow.docker.image.name", image)',
    "Determinism": 'mlflow.log_param("deterministic", True)',
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition and what the record says of it; empty: not recorded. how: the line of code that records it."""

    name: str
    found: str
    how: str = ""

    @property
    def held(self) -> bool:
        return bool(self.found)


@dataclass(frozen=True, slots=True)
class Conditions:
    """All conditions of a run."""

    items: list[Condition]

    @property
    def captured(self) -> int:
        return sum(item.held for item in self.items)

    @property
    def missing(self) -> list[Condition]:
        return [item for item in self.items if not item.held]

    @property
    def complete(self) -> bool:
        return self.captured == len(self.items)


def conditions_of(
    run: Run,
    *,
    params: Mapping[str, str],
    tags: Mapping[str, str],
    series: Sequence[MetricSeries],
    inputs: Sequence[RunInput],
    paths: Iterable[str],
) -> Conditions:
    """The conditions that a run's own record shows. paths: of its files."""
    found = {
        "Code": _code(run, tags),
        "Data": _data(inputs),
        "Packages": _packages(paths),
        "Parameters": f"{len(params)}, none overwritten" if params else "",
        "Seed": _named(params, SEED_NAMES),
        "Hardware": _hardware(series),
        "Command": tags.get("mlflow.project.entryPoint", "") or run.source_name,
        "Container": _container(tags),
        "Determinism": _named(params, DETERMINISM_NAMES) or tags.get(DETERMINISM, ""),
    }
    return Conditions([Condition(name, words, HOW[name]) for name, words in found.items()])


def _code(run: Run, tags: Mapping[str, str]) -> str:
    if not run.git_commit:
        return _code_without_git(tags)
    branch = tags.get("mlflow.source.git.branch", "")
    return f"{run.git_commit[:7]} on {branch}" if branch else run.git_commit[:7]


def _container(tags: Mapping[str, str]) -> str:
    """An image by its name with its digest, before a digest alone; else whatever is said of one."""
    said = [tags[name] for name in CONTAINER_TAGS if tags.get(name)]
    return next((one for one in said if "@sha256:" in one), said[0] if said else "")


def _code_without_git(tags: Mapping[str, str]) -> str:
    """What was executed here, by its digest."""
    name, _, digest = tags.get(BUILT_IN, "").partition(" sha256:")
    if name and digest:
        return f"built-in trainer {name}, sha256:{digest[:7]}"
    _, _, digest = tags.get(UPLOADED, "").partition("sha256:")
    return f"uploaded, sha256:{digest[:7]}" if digest else ""


def _data(inputs: Sequence[RunInput]) -> str:
    return f"{len(inputs)} version{'s' if len(inputs) > 1 else ''} by digest" if inputs else ""


def _packages(paths: Iterable[str]) -> str:
    known = sorted(paths, key=lambda path: path.startswith("environment/"))  # the last one counts
    names = {path.rsplit("/", 1)[-1]: path for path in known}
    return next((names[name] for name in PACKAGE_FILES if name in names), "")


def _named(params: Mapping[str, str], names: Sequence[str]) -> str:
    for key, value in params.items():
        if key.rsplit("/", 1)[-1].rsplit(".", 1)[-1].lower() in names:
            return f"{key} = {value[:40]}"
    return ""


def _hardware(series: Sequence[MetricSeries]) -> str:
    system = [one.key for one in series if one.key.startswith("system/")]
    if not system:
        return ""
    gpus = len(
        {key.split("/")[1].split("_")[1] for key in system if key.startswith("system/gpu_") and key.count("_") > 1}
    )
    return f"{len(system)} system metrics" + (f", {gpus} GPU" + ("s" if gpus > 1 else "") if gpus else "")
