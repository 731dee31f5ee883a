"""What a version's source alone says: a prompt, something outside MLED, or where a client finds the files."""

from collections.abc import Mapping
from typing import Final

from artifacts.models import ArtifactRoot
from experiments.locations import model_uri, run_uri
from registry.models import ModelVersion

PROMPT_TAG: Final = "mlflow.prompt.is_prompt"
# What a prompt says and how it is used (MLflow protocol): tags of its version. Others only say where it was used.
PROMPT_CONTENT: Final = frozenset(
    {
        PROMPT_TAG,
        "mlflow.prompt.text",
        "_mlflow_prompt_type",
        "_mlflow_prompt_response_format",
        "_mlflow_prompt_model_config",
    }
)
PROMPT_SOURCES: Final = frozenset({"dummy-source", "prompt-template"})  # MLflow protocol: prompts have no files


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Whether tags say that a model or version is a prompt (MLflow protocol)."""
    return tags.get(PROMPT_TAG, "").lower() == "true"


def is_outside(version: ModelVersion) -> bool:
    """Whether a version's files lie outside MLED: its source is a name that is never opened."""
    return version.root_id is None and version.source not in PROMPT_SOURCES


def download_address(version: ModelVersion) -> str:
    """Where a client finds the version's files: below an artifact URI of this server, or outside as it was given."""
    if version.root is None:
        return version.source
    if version.root.kind == ArtifactRoot.Kind.RUN:
        top = run_uri(version.root.owner_uid, version.run.experiment) if version.run else ""
    else:
        made = version.logged_model
        top = model_uri(version.root.owner_uid, made.experiment) if made else ""
    return f"{top}/{version.root_path}" if version.root_path else top
