"""What shall be done, as plain values: read from a form, a template, REST or an earlier run, before it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from kernel.digests import canonical_json, sha256_hex
from runner.models import Recipe
from runner.packages import Packages

DEFAULT_QUEUE: Final = "default"


@dataclass(frozen=True, slots=True)
class Resources:
    """How much a job may use. seconds: of wall time; processes: threads count as such; gpus: how many it needs."""

    cpus: float = 1.0
    memory_mb: int = 2048
    disk_mb: int = 2048
    seconds: int = 3600
    processes: int = 256
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Input:
    """A dataset version, by its id, under the name by which the code finds it."""

    name: str
    version: UUID
    context: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A recipe that is not kept yet: see `models.Recipe` for what each field means.

    environment: the id of one; packages: what becomes one where none is named.
    """

    kind: Recipe.Kind
    trainer: str = ""
    trainer_digest: str = ""
    repository: str = ""
    repository_secret: str = ""
    commit: str = ""
    code: str = ""
    code_name: str = ""
    patch: str = ""
    folder: str = ""
    words: Sequence[str] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    inputs: Sequence[Input] = ()
    environment: UUID | None = None
    packages: Packages | None = None
    resources: Resources = field(default_factory=Resources)
    has_network: bool = False
    secrets: Sequence[str] = ()


def digest_of(draft: Draft, *, version_digests: Mapping[UUID, str], environment_digest: str) -> str:
    """SHA-256 over what the draft says, with data and packages by their digests rather than by their ids.

    How much it may use and what its file was called do not change what it does, yet belong to what was asked.
    """
    return sha256_hex(
        canonical_json(
            {
                "kind": str(draft.kind),
                "trainer": draft.trainer,
                "trainer_digest": draft.trainer_digest,
                "repository": draft.repository,
                "commit": draft.commit,
                "code": draft.code,
                "code_name": draft.code_name,
                "patch": draft.patch,
                "folder": draft.folder,
                "words": list(draft.words),
                "params": {name: _exact(value) for name, value in draft.params.items()},
                "seed": None if draft.seed is None else str(draft.seed),
                "inputs": {one.name: [version_digests[one.version], one.context] for one in draft.inputs},
                "environment": environment_digest,
                "resources": _resources(draft.resources),
                "has_network": draft.has_network,
                "secrets": sorted(draft.secrets),
                # recipes of before have digests without it
                **({"repository_secret": draft.repository_secret} if draft.repository_secret else {}),
            }
        )
    )


def _exact(value: Any) -> Any:
    """Whole numbers as text: canonical JSON holds only 53 bits of them."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _resources(asked: Resources) -> dict[str, Any]:
    return {
        "cpus": float(asked.cpus),
        "memory_mb": asked.memory_mb,
        "disk_mb": asked.disk_mb,
        "seconds": asked.seconds,
        "processes": asked.processes,
        "gpus": asked.gpus,
    }


def values_of(recipe: Recipe) -> dict[str, Any]:
    """What its command may speak of: the parameters, and the seed where it has one."""
    return {**({} if recipe.seed is None else {"seed": recipe.seed}), **recipe.params}


def resources_of(recipe: Recipe) -> Resources:
    """How much a kept recipe may use."""
    return Resources(**recipe.resources)


def draft_of(recipe: Recipe) -> Draft:
    """A kept recipe as plain values again, to change some of them."""
    return Draft(
        kind=Recipe.Kind(recipe.kind),
        trainer=recipe.trainer,
        trainer_digest=recipe.trainer_digest,
        repository=recipe.repository,
        repository_secret=recipe.repository_secret,
        commit=recipe.commit,
        code=recipe.code_id or "",
        code_name=recipe.code_name,
        patch=recipe.patch_id or "",
        folder=recipe.folder,
        words=tuple(recipe.words),
        params=dict(recipe.params),
        seed=recipe.seed,
        inputs=[Input(one.name, one.version_id, one.context) for one in recipe.inputs.order_by("name")],
        environment=recipe.environment_id,
        resources=resources_of(recipe),
        has_network=recipe.has_network,
        secrets=tuple(recipe.secrets),
    )
