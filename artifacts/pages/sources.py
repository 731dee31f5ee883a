"""Where data came from, in words."""

import json


def readable(source: str) -> str:
    """The address in a source that clients send as JSON, or the text itself."""
    try:
        said = json.loads(source)
    except (ValueError, RecursionError):
        return source
    if isinstance(said, dict):
        if isinstance(said.get("tags"), dict):  # of data that a script made: the script is its source
            return str(said["tags"].get("mlflow.source.name", ""))
        address = next((str(said[name]) for name in ("uri", "url", "path") if said.get(name)), "")
        return address or ", ".join(f"{name}: {value}" for name, value in said.items())
    return str(said)
