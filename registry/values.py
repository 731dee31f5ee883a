"""Words and limits of logged models, with where each comes from."""

from typing import Final

from experiments.values import checked_text
from kernel.errors import Invalid

NAME_MAX: Final = 500  # MLflow protocol
TYPE_MAX: Final = 500
_FORBIDDEN_IN_NAMES: Final = ("/", ":", ".", "%", '"', "'")  # MLflow protocol: they would break models:/ addresses


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
