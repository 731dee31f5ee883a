"""Words and limits of models, with where each comes from."""

import re
from typing import Final

from experiments.values import checked_text
from kernel.errors import Invalid
from registry.models.registered_models import Stage

NAME_MAX: Final = 500  # MLflow protocol
TYPE_MAX: Final = 500
REGISTERED_NAME_MAX: Final = 256  # MLflow protocol
ALIAS_MAX: Final = 255  # MLflow protocol
TAG_MAX: Final = 100_000  # MLflow protocol: the text of a prompt is a tag of its version
RUN_LINK_MAX: Final = 500
_FORBIDDEN_IN_NAMES: Final = ("/", ":", ".", "%", '"', "'")  # MLflow protocol: they would break models:/ addresses
_ALIAS: Final = re.compile(r"[\w-]+")
_LIKE_A_VERSION: Final = re.compile(r"v\d+", re.IGNORECASE)
_STAGES: Final = {stage.value.lower(): stage for stage in Stage}


def checked_model_name(name: str) -> str:
    """A logged model's name, or Invalid."""
    checked_text(name, "name", NAME_MAX)
    found = [sign for sign in _FORBIDDEN_IN_NAMES if sign in name]
    if found or not name.strip():
        raise Invalid(
            f"The model name '{name[:80]}' cannot be used.",
            hint=f"Leave out {' '.join(_FORBIDDEN_IN_NAMES)}.",
            field="name",
        )
    return name


def checked_registered_name(name: str, field: str = "name") -> str:
    """A registered model's name, or Invalid: not blank, no '/' or ':', no '.' or '..'; any other Unicode."""
    if not name.strip():
        raise Invalid("A registered model needs a name that is not blank.", field=field)
    checked_text(name, field, REGISTERED_NAME_MAX)
    if "/" in name or ":" in name or name in (".", ".."):
        hint = "Dots alone name folders." if name in (".", "..") else "Leave out '/' and ':'."
        raise Invalid(f"The model name '{name[:80]}' cannot be used.", hint=hint, field=field)
    return name


def checked_alias(alias: str) -> str:
    """An alias, or Invalid: letters, digits, '_' and '-'; not what addresses mean already ('latest', 'v3')."""
    if not _ALIAS.fullmatch(alias) or len(alias) > ALIAS_MAX:
        raise Invalid(
            f"The alias '{alias[:80]}' cannot be used.",
            hint=f"Use 1 to {ALIAS_MAX} letters, digits, '_' and '-'.",
            field="alias",
        )
    if alias.lower() == "latest" or _LIKE_A_VERSION.fullmatch(alias):
        raise Invalid(f"The alias '{alias[:80]}' is reserved.", hint="Choose another word.", field="alias")
    return checked_text(alias, "alias")


def stage_named(word: str) -> Stage:
    """The stage of that name, whatever its case. Raises Invalid."""
    stage = _STAGES.get(word.lower())
    if stage is None:
        known = ", ".join(stage.value for stage in Stage)
        raise Invalid(f"'{word[:40]}' is no stage.", hint=f"It is one of {known}.", field="stage")
    return stage


def checked_version_number(word: str | int) -> int:
    """A version's number, or Invalid: clients send it as text."""
    text = str(word)
    if not re.fullmatch(r"[+-]?[0-9]{1,1000}", text):
        raise Invalid(f"The version '{text[:40]}' is not a whole number.", field="version")
    return int(text)
